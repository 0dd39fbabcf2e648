/** Which partitions have to be created: the current window, `premake` windows after it, and holes among the existing ones. */
import { holes } from '../domain/coverage.ts';
import type { ServerFacts } from '../domain/facts.ts';
import { type Finding, finding } from '../domain/findings.ts';
import { nextWindow, type Window, windowAt } from '../domain/interval.ts';
import { fragmentSuffix, partitionName } from '../domain/naming.ts';
import {
  type Because,
  type CreatePartition,
  joinParts,
  type PlanPart,
  type Skip,
  type SkipReason,
} from '../domain/plan.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { formatRelationName } from '../domain/relation.ts';
import { cutoffOf } from '../domain/retention.ts';
import { calendarZone, formatInstant, type Instant, isAfter, isBefore, toKeyTime } from '../domain/time.ts';
import { type Contradiction, findContradiction } from './contradiction.ts';
import { besideDefault, clearLeftovers, defaultFindings, freedNames } from './default-partition.ts';
import { findGaps } from './gaps.ts';
import { coverageFindings } from './horizon.ts';
import { inspectPartitions } from './inspect.ts';
import { planParity } from './parity.ts';
import { project } from './project.ts';
import { actAs, planTooFine, type TimeTable } from './target.ts';

/** A contradicted interval is not built upon, unless inserts would soon fail. */
const MERCY = { hours: 24 };

/** A part of a grid window that no partition covers. */
interface Piece {
  readonly window: Window;
  readonly grid: Window;
  readonly because: Because;
}

/** @param now the later of the two clocks */
export function planProvision(table: TimeTable, policy: TablePolicy, now: Instant, server: ServerFacts): PlanPart {
  if (table.key.type === 'date' && policy.interval === 'hour') return planTooFine(table);
  const keyNow = toKeyTime(now, table.key.type, policy.timezone);
  const cutoff = cutoffOf(now, policy.retention, table.key.type, policy.timezone);
  const contradiction = findContradiction(table, policy);
  const ahead = planAhead(table, policy, keyNow);
  const gaps = findGaps(table, policy, keyNow, cutoff);
  const urgentBefore = keyNow.add(MERCY);
  const objection = ({ window: { lower, upper } }: Piece): SkipReason | undefined => {
    // It would be retired as soon as it is there, and created again, and so on.
    if (cutoff !== undefined && !isAfter(upper, cutoff)) return 'beyond-retention';
    const isUrgent = isBefore(lower, urgentBefore) && isAfter(upper, keyNow);
    return contradiction === undefined || isUrgent ? undefined : 'interval-contradicted';
  };

  const pieces = [...ahead.pieces, ...gaps.pieces.map(fillGap)];
  const wanted = pieces.filter(piece => objection(piece) === undefined);
  const refused = pieces.flatMap(piece => {
    const reason = objection(piece);
    return reason ? [skip(table, reason, piece.window)] : [];
  });
  const named = nameAll(table, policy, wanted, keyNow, server);
  const part: PlanPart = {
    actions: [...clearLeftovers(table, server), ...named.actions],
    skips: [
      ...ahead.skips,
      ...gaps.expired.map(hole => skip(table, 'beyond-retention', hole)),
      ...gaps.postponed.map(hole => skip(table, 'later-round', hole)),
      ...refused,
    ],
    findings: [
      ...(contradiction ? [contradicted(table, policy, contradiction, named.actions.length)] : []),
      ...named.findings,
      ...defaultFindings(table, policy),
    ],
  };
  const after = project(table, part.actions);
  return joinParts([
    part,
    inspectPartitions(table),
    planParity(table, keyNow),
    { actions: [], skips: [], findings: coverageFindings(after, policy, keyNow) },
  ]);
}

const fillGap = (gap: Omit<Piece, 'because'>): Piece => ({ ...gap, because: { rule: 'gap', window: gap.window } });

/** The current window and those ahead of it. */
function planAhead(
  table: TimeTable,
  policy: TablePolicy,
  keyNow: Instant,
): { pieces: readonly Piece[]; skips: readonly Skip[] } {
  const zone = calendarZone(table.key.type, policy.timezone);
  const pieces: Piece[] = [];
  const skips: Skip[] = [];
  let grid = windowAt(keyNow, policy.interval, zone);
  for (let ahead = 0; ahead <= policy.premake; ahead += 1) {
    const window = grid;
    const because: Because =
      ahead === 0 ? { rule: 'current-window', window } : { rule: 'premake', window, ahead, premake: policy.premake };
    const open = holes(table.partitions, window.lower, window.upper);
    pieces.push(...open.map(hole => ({ window: hole, grid: window, because })));
    if (open.length === 0)
      skips.push(skip(table, blockedByPending(table, window) ? 'detach-pending' : 'covered', window));
    grid = nextWindow(grid, policy.interval, zone);
  }
  return { pieces, skips };
}

/** A window that is full, but not without a partition that takes no more rows. */
const blockedByPending = ({ partitions }: TimeTable, { lower, upper }: Window): boolean => {
  const serving = partitions.filter(({ isDetachPending }) => !isDetachPending);
  return holes(serving, lower, upper).length > 0;
};

function nameAll(
  table: TimeTable,
  policy: TablePolicy,
  pieces: readonly Piece[],
  keyNow: Instant,
  server: ServerFacts,
): { actions: readonly CreatePartition[]; findings: readonly Finding[] } {
  const zone = calendarZone(table.key.type, policy.timezone);
  const freed = freedNames(table);
  const taken = new Set([...table.takenNames].filter(name => !freed.has(name)));
  const findings: Finding[] = [];
  const actions = pieces.map((piece): CreatePartition => {
    const wish = partitionName(policy.name, table.relation.name, piece.grid.lower, zone);
    const isFragment = isAfter(piece.window.lower, piece.grid.lower);
    const name = freeName(isFragment ? wish + fragmentSuffix(piece.window.lower, zone) : wish, taken);
    if (taken.has(wish) && !isFragment) findings.push(nameTaken(table, wish, name));
    taken.add(name);
    return {
      kind: 'create-partition',
      target: table.relation,
      relation: { schema: table.relation.schema, name },
      parent: table.oid,
      window: piece.window,
      keyType: table.key.type,
      shape: table.shape,
      probe: policy.probe,
      beside: besideDefault(table, policy, piece.window, keyNow),
      actAs: actAs(table.ownership, server),
      because: piece.because,
    };
  });
  return { actions, findings };
}

/** Names decide nothing, so a taken one must not keep inserts from their partition: take the next free one and say so. */
function freeName(wish: string, taken: ReadonlySet<string>): string {
  let name = wish;
  for (let suffix = 2; taken.has(name); suffix += 1) name = `${wish}_${suffix}`;
  return name;
}

const nameTaken = (table: TimeTable, wish: string, name: string): Finding => {
  const relation = formatRelationName({ schema: table.relation.schema, name: wish });
  const message = `${relation} exists and does not cover this window; the new partition is called ${name}`;
  return finding(
    'NAME_TAKEN',
    table.relation,
    message,
    `Find out what ${relation} is; rename or attach it if it belongs to the table.`,
  );
};

function contradicted(
  table: TimeTable,
  policy: TablePolicy,
  { actual, partitions }: Contradiction,
  urgent: number,
): Finding {
  const name = formatRelationName(table.relation);
  const found = actual
    ? `each cover one ${actual}`
    : `do not follow the grid of any ${policy.interval} in ${policy.timezone}`;
  const consequence = `no further partitions are made${urgent > 0 ? ' beyond those that inserts need within a day' : ''}`;
  const message = `${name}: interval is ${policy.interval}, but its ${partitions} partitions ${found}; ${consequence}`;
  const hint = actual
    ? `Set interval: ${actual}, or create the first partition of the new interval by hand if you mean to change it.`
    : 'Check interval and timezone, or create the first partition of this interval by hand if you mean to change it.';
  return finding('INTERVAL_CONTRADICTED', table.relation, message, hint);
}

const skip = (table: TimeTable, reason: Skip['reason'], { lower, upper }: Window): Skip => ({
  job: 'provision',
  target: table.relation,
  relation: table.relation,
  reason,
  detail: `${formatInstant(lower)} to ${formatInstant(upper)}`,
});
