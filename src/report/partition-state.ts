/** How partitions stand to the present and to the policy: what metrics and the status page show. Pure. */
import { endsBy } from '../domain/bound.ts';
import { coverageRun, holes } from '../domain/coverage.ts';
import type { PartitionFacts } from '../domain/facts.ts';
import { nextWindow, windowAt } from '../domain/interval.ts';
import type { Moments } from '../domain/moments.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { cutoffOf } from '../domain/retention.ts';
import {
  calendarZone,
  earlier,
  fromKeyTime,
  type Instant,
  isAfter,
  type KeyType,
  later,
  toKeyTime,
} from '../domain/time.ts';

/**
 * `expired`: all it holds is past its retention. `past`, `current`, `future`: within retention, by the window it covers.
 * `unreadable`: its bound is not proven to be a range of time.
 */
export const PARTITION_STATES = [
  'expired',
  'past',
  'current',
  'future',
  'default',
  'detach_pending',
  'unreadable',
] as const;
export type PartitionState = (typeof PARTITION_STATES)[number];

/** The present as one table sees it; all in key time. */
export interface TableClock {
  readonly now: Instant;
  /** Undefined when everything is kept for ever. */
  readonly cutoff: Instant | undefined;
}

/** The same clocks as retiring goes by: what is shown as expired is what the next run of it will take. */
export function tableClock(
  policy: TablePolicy,
  key: KeyType,
  { now, forRetiring }: Pick<Moments, 'now' | 'forRetiring'>,
): TableClock {
  const { retention, timezone } = policy;
  return { now: toKeyTime(now, key, timezone), cutoff: cutoffOf(forRetiring, retention, key, timezone) };
}

export function partitionState(
  { bound, isDetachPending, kind }: Pick<PartitionFacts, 'bound' | 'isDetachPending' | 'kind'>,
  { now, cutoff }: TableClock,
): PartitionState {
  if (isDetachPending) return 'detach_pending';
  if (bound.kind === 'default') return 'default';
  if (bound.kind === 'opaque' || bound.lower.kind === 'opaque' || bound.upper.kind === 'opaque') return 'unreadable';
  // A foreign table is somebody's deliberate way of keeping old rows elsewhere: retention does not apply to it.
  if (cutoff !== undefined && kind !== 'foreign' && endsBy(bound, cutoff)) return 'expired';
  if (endsBy(bound, now)) return 'past';
  return bound.lower.kind === 'at' && isAfter(bound.lower.at, now) ? 'future' : 'current';
}

/** The moment (not key time) until which rows can be written without a hole; undefined when now itself has no partition. */
export function coverageEnd(
  partitions: readonly PartitionFacts[],
  policy: TablePolicy,
  key: KeyType,
  now: Instant,
): Instant | 'unbounded' | undefined {
  const run = coverageRun(partitions, toKeyTime(now, key, policy.timezone));
  if (run === undefined || run.to === 'unbounded') return run?.to;
  return fromKeyTime(run.to, key, policy.timezone);
}

/** How many holes there are between the oldest and the newest readable bound. */
export function countGaps(partitions: readonly PartitionFacts[]): number {
  const ends = partitions.flatMap(({ bound }) =>
    bound.kind === 'range' ? [bound.lower, bound.upper].flatMap(end => (end.kind === 'at' ? [end.at] : [])) : [],
  );
  const [first] = ends;
  if (first === undefined) return 0;
  return holes(partitions, ends.reduce(earlier, first), ends.reduce(later, first)).length;
}

/** The oldest upper bound, in key time, among the partitions that retention applies to, whatever their age. */
export function oldestEnd(partitions: readonly PartitionFacts[], clock: TableClock): Instant | undefined {
  const ends = partitions
    .filter(partition => partition.kind !== 'foreign' && AGEING.has(partitionState(partition, clock)))
    .flatMap(({ bound }) => (bound.kind === 'range' && bound.upper.kind === 'at' ? [bound.upper.at] : []));
  return ends.length === 0 ? undefined : ends.reduce(earlier);
}

const AGEING: ReadonlySet<PartitionState> = new Set(['expired', 'past', 'current', 'future']);

/** How far beyond the current window the policy wants partitions, in seconds. */
export function leadTimeSeconds(policy: TablePolicy, key: KeyType, now: Instant): number {
  const zone = calendarZone(key, policy.timezone);
  const current = windowAt(toKeyTime(now, key, policy.timezone), policy.interval, zone);
  let last = current;
  for (let ahead = 0; ahead < policy.premake; ahead += 1) last = nextWindow(last, policy.interval, zone);
  return secondsBetween(current.upper, last.upper);
}

export const secondsBetween = (from: Instant, to: Instant): number =>
  Number((to.epochNanoseconds - from.epochNanoseconds) / 1000n) / 1e6;
