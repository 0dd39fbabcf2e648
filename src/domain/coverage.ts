/** Which stretches of key time the partitions of a table cover, and where the holes are. */
import { Temporal } from 'temporal-polyfill';
import type { Bound, PartitionBound } from './bound.ts';
import type { Window } from './interval.ts';
import { type Instant, isAfter, isBefore, later } from './time.ts';

/** Half-open like a {@link Window}; a side without an end is `unbounded`. */
export interface CoverageRun {
  readonly from: Instant | 'unbounded';
  readonly to: Instant | 'unbounded';
}

/** The part of a partition's facts that decides what it covers. */
export interface Covering {
  readonly bound: PartitionBound;
  readonly isDetachPending: boolean;
}

/**
 * The gap-free run of partitions that contains `at` (key time); undefined when no partition does. Default partitions,
 * detach-pending and opaque bounds do not count as cover: rows written there would go nowhere, or nobody can tell.
 */
export function coverageRun(partitions: readonly Covering[], at: Instant): CoverageRun | undefined {
  const serving = partitions.filter(partition => !partition.isDetachPending);
  return gapFreeRuns(serving).find(({ from, to }) => !startsAfter(from, at) && (to === 'unbounded' || isAfter(to, at)));
}

/**
 * The holes inside [from, to), oldest first: where no partition with a readable bound lies. They are the places where a
 * partition could be created, so a detach-pending one still fills its own (PostgreSQL lets nothing overlap it), while
 * default partitions and opaque bounds fill none.
 */
export function holes(partitions: readonly Covering[], from: Instant, to: Instant): readonly Window[] {
  const found: Window[] = [];
  let reached = from;
  for (const run of gapFreeRuns(partitions)) {
    if (!isBefore(reached, to)) break;
    if (run.from !== 'unbounded' && isAfter(run.from, reached))
      found.push({ lower: reached, upper: isBefore(run.from, to) ? run.from : to });
    if (run.to === 'unbounded') return found;
    reached = later(reached, run.to);
  }
  if (isBefore(reached, to)) found.push({ lower: reached, upper: to });
  return found;
}

/** Neighbouring ranges joined where the upper bound of one is the lower bound of the next; oldest first. */
function gapFreeRuns(partitions: readonly Covering[]): readonly CoverageRun[] {
  const runs: CoverageRun[] = [];
  for (const next of partitions.flatMap(readableRange).sort(byStart)) {
    const last = runs.at(-1);
    if (last && (last.to === 'unbounded' || !startsAfter(next.from, last.to)))
      runs[runs.length - 1] = { from: last.from, to: laterEnd(last.to, next.to) };
    else runs.push(next);
  }
  return runs;
}

/** A list of one range or of none. */
function readableRange({ bound }: Covering): readonly CoverageRun[] {
  if (bound.kind !== 'range') return [];
  const [from, to] = [endOf(bound.lower), endOf(bound.upper)];
  return from === undefined || to === undefined ? [] : [{ from, to }];
}

const endOf = (bound: Bound): Instant | 'unbounded' | undefined => {
  if (bound.kind === 'opaque') return undefined;
  return bound.kind === 'unbounded' ? 'unbounded' : bound.at;
};

const startsAfter = (from: CoverageRun['from'], at: Instant): boolean => from !== 'unbounded' && isAfter(from, at);

const byStart = (a: CoverageRun, b: CoverageRun): number => {
  if (a.from === 'unbounded' || b.from === 'unbounded')
    return Number(b.from === 'unbounded') - Number(a.from === 'unbounded');
  return Temporal.Instant.compare(a.from, b.from);
};

const laterEnd = (a: CoverageRun['to'], b: CoverageRun['to']): CoverageRun['to'] =>
  a === 'unbounded' || b === 'unbounded' ? 'unbounded' : later(a, b);
