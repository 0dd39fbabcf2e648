/** What keeps a whole table from being touched, however old its partitions are: each guard is a finding with a way out. */
import { acknowledgementOf } from '../domain/acknowledgement.ts';
import { asWindow } from '../domain/bound.ts';
import { formatDuration, parseCalendarDuration } from '../domain/duration.ts';
import type { MaterializedViewFacts, PartitionFacts, ServerFacts } from '../domain/facts.ts';
import { type Finding, type FindingCode, finding } from '../domain/findings.ts';
import type { Moments } from '../domain/moments.ts';
import type { SkipReason } from '../domain/plan.ts';
import { MAX_CLOCK_SKEW_MS, type TablePolicy } from '../domain/policy.ts';
import { formatForShell, formatRelationName, isSameRelation } from '../domain/relation.ts';
import { cutoffOf } from '../domain/retention.ts';
import type { LedgerFacts } from '../domain/retirement.ts';
import { formatInstant, fromKeyTime, isBefore, toKeyTime } from '../domain/time.ts';
import { brokenCoverage, coverageFindings } from './horizon.ts';
import type { TimeTable } from './target.ts';

/** What retiring knows beyond the table itself. */
export interface RetireContext {
  readonly ledger: LedgerFacts | undefined;
  /** At least those that the policy's `retireAfter` names, where they exist. */
  readonly views: readonly MaterializedViewFacts[];
  /** What somebody has agreed to, by the name that the plan gave it. */
  readonly acknowledged: ReadonlySet<string>;
}

export interface Guard {
  readonly reason: SkipReason;
  readonly findings: readonly Finding[];
}

interface Subject {
  readonly table: TimeTable;
  readonly policy: TablePolicy;
  readonly moments: Moments;
  readonly server: ServerFacts;
  readonly context: RetireContext;
  /** Oldest first. */
  readonly expired: readonly PartitionFacts[];
}

/** So many partitions expire between two runs in an ordinary life; they need nobody's leave. */
const USUAL_AT_ONCE = 2;
/** Longer than any schedule of once a month: whoever comes after that may be mistaken about the date. */
const LONG_SILENCE = { hours: 40 * 24 };

const hold = (
  reason: SkipReason,
  code: FindingCode,
  { table }: Pick<Subject, 'table'>,
  message: string,
  hint: string,
): Guard => ({
  reason,
  findings: [finding(code, table.relation, message, hint)],
});

/** Nothing is destroyed at all, what is detached already included. */
export function whyNothingIsDestroyed(subject: Omit<Subject, 'expired' | 'policy'>): Guard | undefined {
  return wrongDatabase(subject) ?? skewedClocks(subject) ?? clockWentBack(subject);
}

/** No further partition is taken off the table. */
export function whyNoneIsRetired(subject: Subject): Guard | undefined {
  return brokenCover(subject) ?? unacknowledged(subject);
}

function wrongDatabase({ table, server, context }: Omit<Subject, 'expired' | 'policy'>): Guard | undefined {
  const pinned = context.ledger?.pinned;
  if (!pinned || (pinned.systemIdentifier === server.systemIdentifier && pinned.database === server.database))
    return undefined;
  const message = `the ledger belongs to database ${pinned.database} of cluster ${pinned.systemIdentifier}, but this is ${server.database} of ${server.systemIdentifier}`;
  const hint =
    'Is the address right? In a copy, or after pg_upgrade or a rename, run `partkeeper adopt` once: it forgets the open retirements and goes on.';
  return hold('wrong-database', 'WRONG_DATABASE', { table }, message, hint);
}

function skewedClocks({ table, moments }: Omit<Subject, 'expired' | 'policy'>): Guard | undefined {
  if (moments.excessiveSkewMs === undefined) return undefined;
  const seconds = Math.ceil(moments.excessiveSkewMs / 1000);
  const message = `the clocks of this process and of the database are ${seconds} s apart, more than ${MAX_CLOCK_SKEW_MS / 1000} s`;
  return hold('clock-skew', 'CLOCK_SKEW', { table }, message, 'Set both clocks right (NTP); creating goes on.');
}

function clockWentBack({ table, moments, context }: Omit<Subject, 'expired' | 'policy'>): Guard | undefined {
  const lastSeen = context.ledger?.accepted.get(table.oid)?.at;
  if (!lastSeen || !isBefore(moments.forRetiring.add({ milliseconds: MAX_CLOCK_SKEW_MS }), lastSeen)) return undefined;
  const message = `it is ${formatInstant(moments.forRetiring)}, but it was last retired from at ${formatInstant(lastSeen)}, as the ledger says`;
  const hint = 'Set the clock right (NTP). If the ledger is what is wrong, `partkeeper adopt` makes it go on from now.';
  return hold('clock-skew', 'CLOCK_JUMPED', { table }, message, hint);
}

function brokenCover({ table, policy, moments }: Subject): Guard | undefined {
  const keyNow = toKeyTime(moments.forCreating, table.key.type, policy.timezone);
  if (brokenCoverage(table, policy, keyNow) === undefined) return undefined;
  return { reason: 'coverage-broken', findings: coverageFindings(table, policy, keyNow) };
}

/** Each of these asks whether somebody is mistaken; somebody who has looked at the plan can say that nobody is. */
function unacknowledged(subject: Subject): Guard | undefined {
  const { table, policy, context, expired } = subject;
  if (expired.length <= USUAL_AT_ONCE || policy.retention === 'forever') return undefined;
  const retention = formatDuration(policy.retention);
  const name = acknowledgementOf(table.relation, retention, expired);
  if (context.acknowledged.has(name)) return undefined;
  const because = shortened(subject) ?? longSilence(subject) ?? largeShare(subject);
  if (!because) return undefined;
  const [code, what] = because;
  const message = `${formatRelationName(table.relation)}: ${what}; ${expired.length} partitions would be retired at once`;
  const target = formatForShell(table.relation);
  const hint = `Look at them with \`partkeeper plan --job retire --target ${target}\`; if that is what you want: \`partkeeper apply retire --target ${target} --acknowledge ${name}\``;
  return {
    reason: 'not-acknowledged',
    findings: [{ ...finding(code, table.relation, message, hint), acknowledge: name }],
  };
}

type Doubt = readonly [code: FindingCode, what: string];

function shortened({ table, policy, moments, context, expired }: Subject): Doubt | undefined {
  const before = context.ledger?.accepted.get(table.oid)?.retention;
  if (before === undefined || policy.retention === 'forever') return undefined;
  const parsed = before === FOREVER ? undefined : parseCalendarDuration(before);
  const cutoff = parsed?.ok ? cutoffOf(moments.forRetiring, parsed.value, table.key.type, policy.timezone) : undefined;
  const dueBefore = expired.filter(({ bound }) => {
    const window = asWindow(bound);
    return window !== undefined && cutoff !== undefined && !isBefore(cutoff, window.upper);
  });
  if (expired.length - dueBefore.length <= USUAL_AT_ONCE) return undefined;
  return ['RETENTION_SHORTENED', `the retention was ${before} and is ${formatDuration(policy.retention)} now`];
}

/** As `partkeeper.retentions` spells it. */
const FOREVER = 'forever';

function longSilence({ table, moments, context }: Subject): Doubt | undefined {
  const lastSeen = context.ledger?.accepted.get(table.oid)?.at;
  if (!lastSeen || !isBefore(lastSeen.add(LONG_SILENCE), moments.forRetiring)) return undefined;
  return [
    'CLOCK_JUMPED',
    `it was not retired from between ${formatInstant(lastSeen)} and ${formatInstant(moments.forRetiring)}, so either partkeeper was away or a clock jumped`,
  ];
}

function largeShare({ table, policy, expired }: Subject): Doubt | undefined {
  const share = shareOf(expired, table.partitions);
  if (share <= policy.maxShare) return undefined;
  const percent = (part: number): string => `${Math.floor(part * 100)} %`;
  return [
    'RETIRE_UNUSUAL',
    `the expired partitions hold ${percent(share)} of it, more than maxShare (${percent(policy.maxShare)})`,
  ];
}

/** By bytes, as far as the catalog knows them; by number where it knows none. */
function shareOf(some: readonly PartitionFacts[], all: readonly PartitionFacts[]): number {
  const bytes = (of: readonly PartitionFacts[]): number => of.reduce((sum, { size }) => sum + size.bytesEstimate, 0);
  const total = bytes(all);
  return total > 0 ? bytes(some) / total : some.length / Math.max(1, all.length);
}

/** The view, if there is one, that has not seen all the rows of a partition yet. */
export function viewInNeed(
  { table, policy, context }: Pick<Subject, 'table' | 'policy' | 'context'>,
  partition: PartitionFacts,
): string | undefined {
  const window = asWindow(partition.bound);
  if (!window) return undefined;
  const end = fromKeyTime(window.upper, table.key.type, policy.timezone);
  const waiting = policy.retireAfter.find(name => {
    const refresh = context.views.find(({ relation }) => isSameRelation(relation, name))?.lastRefresh;
    return refresh === undefined || isBefore(refresh.at, end);
  });
  return waiting && formatRelationName(waiting);
}
