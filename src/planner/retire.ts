/**
 * Which partitions have expired. The only proof is the upper bound in the catalog: when it is at or before the cutoff, no
 * row inside its retention can be in the partition. Anything short of that proof is left alone, and said so.
 */
import { asWindow, endsBy } from '../domain/bound.ts';
import { formatDuration } from '../domain/duration.ts';
import type { PartitionFacts, ServerFacts } from '../domain/facts.ts';
import type { Moments } from '../domain/moments.ts';
import {
  type DetachPartition,
  type DropPartition,
  type Finding,
  finding,
  joinParts,
  type PlanPart,
  type Skip,
  type SkipReason,
} from '../domain/plan.ts';
import { MAX_CLOCK_SKEW_MS, type TablePolicy } from '../domain/policy.ts';
import { cutoffOf } from '../domain/retention.ts';
import { formatInstant, type Instant, isBefore, toKeyTime } from '../domain/time.ts';
import { brokenCoverage, coverageFindings } from './horizon.ts';
import { inspectPartitions } from './inspect.ts';
import { actAs, type TimeTable } from './target.ts';

export function planRetire(table: TimeTable, policy: TablePolicy, moments: Moments, server: ServerFacts): PlanPart {
  const cutoff = cutoffOf(moments.forRetiring, policy.retention, table.key.type, policy.timezone);
  if (table.partitions.length === 0) return planEmpty(table, policy, moments);
  const inspected = inspectPartitions(table);
  const judged = table.partitions.map(partition => ({ partition, verdict: judge(partition, cutoff) }));
  const skips = judged.flatMap(({ partition, verdict }) =>
    typeof verdict === 'string' ? [skip(table, partition, verdict, cutoff)] : [],
  );
  const expired = judged
    .filter(({ verdict }) => typeof verdict !== 'string')
    .map(({ partition }) => partition)
    .toSorted(byUpperBound);
  if (cutoff === undefined || expired.length === 0) return joinParts([inspected, { actions: [], skips, findings: [] }]);

  const guard = guardOf(table, policy, moments);
  if (guard) {
    const held = expired.map(partition => skip(table, partition, guard.reason, cutoff));
    return joinParts([inspected, { actions: [], skips: [...skips, ...held], findings: guard.findings }]);
  }
  // A table without partitions takes no rows and tells nobody which interval it has.
  const isLast = expired.length === table.partitions.filter(({ bound }) => bound.kind === 'range').length;
  const kept = isLast ? expired.slice(-1) : [];
  const actions = expired
    .slice(0, expired.length - kept.length)
    .map(partition => retirement(table, partition, policy, cutoff, server));
  const last = kept.map(partition => skip(table, partition, 'last-partition', cutoff));
  return joinParts([inspected, { actions, skips: [...skips, ...last], findings: [] }]);
}

/** Nothing to judge, and that is said: without partitions a table covers no moment at all. */
function planEmpty(table: TimeTable, policy: TablePolicy, moments: Moments): PlanPart {
  const reason = policy.retention === 'forever' ? 'keep-forever' : 'coverage-broken';
  const keyNow = toKeyTime(moments.forCreating, table.key.type, policy.timezone);
  return {
    actions: [],
    skips: [
      { job: 'retire', target: table.relation, relation: table.relation, reason, detail: 'it has no partitions' },
    ],
    findings: coverageFindings(table, policy, keyNow),
  };
}

/** Why a partition stays, or that it is proven to be expired. Everything that is not proof comes first. */
function judge(
  { bound, kind, isDetachPending }: PartitionFacts,
  cutoff: Instant | undefined,
): SkipReason | { readonly expired: true } {
  if (cutoff === undefined) return 'keep-forever';
  if (isDetachPending) return 'detach-pending';
  if (kind === 'foreign') return 'foreign-table';
  if (bound.kind === 'default') return 'default-partition';
  if (bound.kind === 'opaque' || bound.lower.kind === 'opaque' || bound.upper.kind === 'opaque')
    return 'unreadable-bound';
  if (bound.lower.kind === 'unbounded' || bound.upper.kind === 'unbounded') return 'unbounded';
  return endsBy(bound, cutoff) ? { expired: true } : 'within-retention';
}

interface Guard {
  readonly reason: SkipReason;
  readonly findings: readonly Finding[];
}

/** What keeps the whole table from being touched, however old its partitions are. */
function guardOf(table: TimeTable, policy: TablePolicy, moments: Moments): Guard | undefined {
  if (moments.excessiveSkewMs !== undefined) {
    const seconds = Math.ceil(moments.excessiveSkewMs / 1000);
    const message = `the clocks of this process and of the database are ${seconds} s apart, more than ${MAX_CLOCK_SKEW_MS / 1000} s`;
    return {
      reason: 'clock-skew',
      findings: [finding('CLOCK_SKEW', table.relation, message, 'Set both clocks right (NTP); creating goes on.')],
    };
  }
  const keyNow = toKeyTime(moments.forCreating, table.key.type, policy.timezone);
  if (brokenCoverage(table, policy, keyNow) === undefined) return undefined;
  return { reason: 'coverage-broken', findings: coverageFindings(table, policy, keyNow) };
}

function retirement(
  table: TimeTable,
  partition: PartitionFacts,
  policy: TablePolicy,
  cutoff: Instant,
  server: ServerFacts,
): DropPartition | DetachPartition {
  const upper = asWindow(partition.bound)?.upper ?? cutoff;
  return {
    kind: policy.retire === 'drop' ? 'drop-partition' : 'detach-partition',
    target: table.relation,
    relation: partition.relation,
    parent: table.oid,
    partition: partition.oid,
    boundText: partition.boundText,
    rowsEstimate: partition.size.rowsEstimate,
    bytesEstimate: partition.size.bytesEstimate,
    actAs: actAs(table.ownership, server),
    because: {
      rule: 'expired',
      upper,
      cutoff,
      retention: policy.retention === 'forever' ? '' : formatDuration(policy.retention),
    },
  };
}

function byUpperBound(a: PartitionFacts, b: PartitionFacts): number {
  const [left, right] = [asWindow(a.bound), asWindow(b.bound)];
  if (left === undefined || right === undefined) return 0;
  return isBefore(left.upper, right.upper) ? -1 : 1;
}

const skip = (
  table: TimeTable,
  { relation, bound }: PartitionFacts,
  reason: SkipReason,
  cutoff: Instant | undefined,
): Skip => {
  const upper = asWindow(bound)?.upper;
  const detail = upper && cutoff && `upper bound ${formatInstant(upper)}, cutoff ${formatInstant(cutoff)}`;
  return { job: 'retire', target: table.relation, relation, reason, detail };
};
