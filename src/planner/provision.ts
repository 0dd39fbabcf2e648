/** Which partitions have to be created: the current window, `premake` windows after it, and holes among the existing ones. */
import { asWindow } from '../domain/bound.ts';
import { holes } from '../domain/coverage.ts';
import { subtract } from '../domain/duration.ts';
import type { ServerFacts } from '../domain/facts.ts';
import { nextWindow, type Window, windowAt } from '../domain/interval.ts';
import { fragmentSuffix, partitionName } from '../domain/naming.ts';
import {
  type Because,
  type CreatePartition,
  type Finding,
  finding,
  joinParts,
  type PlanPart,
  type Skip,
} from '../domain/plan.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { formatRelationName } from '../domain/relation.ts';
import {
  calendarZone,
  earlier,
  formatInstant,
  type Instant,
  isAfter,
  isBefore,
  later,
  toKeyTime,
} from '../domain/time.ts';
import { type Contradiction, findContradiction } from './contradiction.ts';
import { coverageFindings } from './horizon.ts';
import { inspectPartitions } from './inspect.ts';
import { project } from './project.ts';
import { actAs, type TimeTable } from './target.ts';

/** A hole of years among hourly partitions is filled over several runs, so that none of them takes hours. */
export const MAX_GAPS_PER_RUN = 100;

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
  const keyNow = toKeyTime(now, table.key.type, policy.timezone);
  const contradiction = findContradiction(table, policy);
  const ahead = planAhead(table, policy, keyNow);
  const gaps = planGaps(table, policy, keyNow);
  const urgentBefore = keyNow.add(MERCY);
  const allowed = (piece: Piece): boolean => contradiction === undefined || isBefore(piece.window.lower, urgentBefore);

  const wanted = [...ahead.pieces, ...gaps.pieces];
  const named = nameAll(table, policy, wanted.filter(allowed), server);
  const refused = wanted
    .filter(piece => !allowed(piece))
    .map(piece => skip(table, 'interval-contradicted', piece.window));
  const part: PlanPart = {
    actions: named.actions,
    skips: [...ahead.skips, ...gaps.skips, ...refused],
    findings: [...(contradiction ? [contradicted(table, policy, contradiction)] : []), ...named.findings],
  };
  const after = project(table, part.actions);
  return joinParts([
    part,
    inspectPartitions(table),
    { actions: [], skips: [], findings: coverageFindings(after, policy, keyNow) },
  ]);
}

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

const blockedByPending = (table: TimeTable, window: Window): boolean =>
  table.partitions.some(({ bound, isDetachPending }) => {
    const range = asWindow(bound);
    return (
      isDetachPending &&
      range !== undefined &&
      isBefore(range.lower, window.upper) &&
      isAfter(range.upper, window.lower)
    );
  });

/** Holes between the oldest partition and the current window, cut along the grid; none that retention has passed already. */
function planGaps(
  table: TimeTable,
  policy: TablePolicy,
  keyNow: Instant,
): { pieces: readonly Piece[]; skips: readonly Skip[] } {
  const zone = calendarZone(table.key.type, policy.timezone);
  const oldest = oldestReadable(table);
  const end = windowAt(keyNow, policy.interval, zone).lower;
  if (oldest === undefined || !isBefore(oldest, end)) return { pieces: [], skips: [] };
  const start = earlier(oldestWanted(oldest, policy, keyNow, zone), end);
  const expired = holes(table.partitions, oldest, start).map(hole => skip(table, 'beyond-retention', hole));
  const pieces: Piece[] = [];
  const postponed: Skip[] = [];
  for (const hole of holes(table.partitions, start, end)) {
    const found = cut(hole, policy, zone, MAX_GAPS_PER_RUN - pieces.length);
    pieces.push(...found.pieces);
    if (found.rest) postponed.push(skip(table, 'later-round', found.rest));
  }
  return { pieces, skips: [...expired, ...postponed] };
}

/** The start of the window in which retention ends: rows of that window may still be inside it. */
function oldestWanted(oldest: Instant, { interval, retention }: TablePolicy, keyNow: Instant, zone: string): Instant {
  if (retention === 'forever') return oldest;
  return later(oldest, windowAt(subtract(keyNow, retention, zone), interval, zone).lower);
}

/** The lowest readable bound, of either side: below it nothing was ever covered, or everything is. */
function oldestReadable(table: TimeTable): Instant | undefined {
  let oldest: Instant | undefined;
  for (const { bound } of table.partitions) {
    if (bound.kind !== 'range') continue;
    for (const side of [bound.lower, bound.upper])
      if (side.kind === 'at') oldest = oldest === undefined ? side.at : earlier(oldest, side.at);
  }
  return oldest;
}

/** At most `limit` pieces of a hole, oldest first, and what is left of it. */
function cut(
  hole: Window,
  policy: TablePolicy,
  zone: string,
  limit: number,
): { pieces: readonly Piece[]; rest: Window | undefined } {
  const pieces: Piece[] = [];
  let grid = windowAt(hole.lower, policy.interval, zone);
  while (isBefore(grid.lower, hole.upper)) {
    const window = { lower: later(grid.lower, hole.lower), upper: earlier(grid.upper, hole.upper) };
    if (pieces.length >= limit) return { pieces, rest: { lower: window.lower, upper: hole.upper } };
    pieces.push({ window, grid, because: { rule: 'gap', window } });
    grid = nextWindow(grid, policy.interval, zone);
  }
  return { pieces, rest: undefined };
}

function nameAll(
  table: TimeTable,
  policy: TablePolicy,
  pieces: readonly Piece[],
  server: ServerFacts,
): { actions: readonly CreatePartition[]; findings: readonly Finding[] } {
  const zone = calendarZone(table.key.type, policy.timezone);
  const taken = new Set(table.takenNames);
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

function contradicted(table: TimeTable, policy: TablePolicy, { actual, partitions }: Contradiction): Finding {
  const name = formatRelationName(table.relation);
  const found = actual
    ? `each cover one ${actual}`
    : `do not follow the grid of any ${policy.interval} in ${policy.timezone}`;
  const message = `${name}: interval is ${policy.interval}, but its ${partitions} partitions ${found}; no further partitions are made`;
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
