/**
 * Which partitions have expired. The only proof is the upper bound in the catalog: when it is at or before the cutoff, no
 * row inside its retention can be in the partition. Anything short of that proof is left alone, and said so.
 */
import { asWindow, endsBy } from '../domain/bound.ts';
import { formatDuration } from '../domain/duration.ts';
import type { PartitionFacts, ServerFacts } from '../domain/facts.ts';
import { finding } from '../domain/findings.ts';
import type { Moments } from '../domain/moments.ts';
import { joinParts, NOTHING, type PlanPart, type Skip, type SkipReason } from '../domain/plan.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { formatRelationName } from '../domain/relation.ts';
import { cutoffOf } from '../domain/retention.ts';
import { formatInstant, type Instant, isBefore, toKeyTime } from '../domain/time.ts';
import { coverageFindings } from './horizon.ts';
import { inspectPartitions } from './inspect.ts';
import { type RetireContext, viewInNeed, whyNoneIsRetired, whyNothingIsDestroyed } from './retire-guards.ts';
import { retirement, type StepContext } from './retire-step.ts';
import { finalizeStrangers, planOpenRetirements } from './retirements.ts';
import type { TimeTable } from './target.ts';

const ON_ITS_OWN: RetireContext = { ledger: undefined, views: [], acknowledged: new Set() };

/** @param context what is known beyond the table; without a ledger, what was detached is nobody's */
export function planRetire(
  table: TimeTable,
  policy: TablePolicy,
  moments: Moments,
  server: ServerFacts,
  context: RetireContext = ON_ITS_OWN,
): PlanPart {
  const cutoff = cutoffOf(moments.forRetiring, policy.retention, table.key.type, policy.timezone);
  const steps: StepContext = {
    table,
    policy,
    server,
    hasLedger: context.ledger !== undefined,
    now: moments.forRetiring,
  };
  const open = context.ledger?.retirements.get(table.oid) ?? [];
  const inspected = inspectPartitions(table);
  const guard = whyNothingIsDestroyed({ table, moments, server, context });
  // A ledger of another database proves nothing here; with clocks that are wrong, what is half done may still be ended.
  const begun = guard?.reason === 'wrong-database' ? NOTHING : planOpenRetirements(steps, open, cutoff, guard);
  const spoken = new Set([...begun.actions, ...begun.skips].map(({ relation }) => formatRelationName(relation)));
  const judged = table.partitions
    .filter(({ relation }) => !spoken.has(formatRelationName(relation)))
    .map(partition => ({ partition, verdict: judge(partition, cutoff) }));
  const skips = judged.flatMap(({ partition, verdict }) =>
    typeof verdict === 'string' ? [skip(table, partition, verdict, cutoff)] : [],
  );
  const expired = judged
    .filter(({ verdict }) => typeof verdict !== 'string')
    .map(({ partition }) => partition)
    .toSorted(byUpperBound);
  const rest: PlanPart = { actions: [], skips, findings: [] };
  if (table.partitions.length === 0) return joinParts([begun, planEmpty(table, policy, moments)]);
  if (cutoff === undefined || expired.length === 0)
    return joinParts([
      inspected,
      begun,
      rest,
      { ...NOTHING, findings: begun.actions.length > 0 && guard ? guard.findings : [] },
    ]);

  const held = guard ?? whyNoneIsRetired({ table, policy, moments, server, context, expired });
  if (held) {
    const left = expired.map(partition => skip(table, partition, held.reason, cutoff));
    return joinParts([inspected, begun, { actions: [], skips: [...skips, ...left], findings: held.findings }]);
  }
  return joinParts([inspected, begun, rest, planExpired(steps, context, expired, cutoff)]);
}

/** What the guards let through, oldest first, as much of it as one run does. */
function planExpired(
  steps: StepContext,
  context: RetireContext,
  expired: readonly PartitionFacts[],
  cutoff: Instant,
): PlanPart {
  const { table, policy } = steps;
  // A table without partitions takes no rows and tells nobody which interval it has.
  const isLast = expired.length === table.partitions.filter(({ bound }) => bound.kind === 'range').length;
  const candidates = isLast ? expired.slice(0, -1) : expired;
  const needed = candidates.map(partition => ({ partition, view: viewInNeed({ table, policy, context }, partition) }));
  const free = needed.flatMap(({ partition, view }) => (view === undefined ? [partition] : []));
  const waiting = needed.flatMap(({ partition, view }) => (view === undefined ? [] : [{ partition, view }]));
  const now = free.slice(0, policy.maxPerRun);
  const because = {
    rule: 'expired',
    cutoff,
    retention: policy.retention === 'forever' ? '' : formatDuration(policy.retention),
  } as const;
  const actions = now.flatMap(({ oid, relation, boundText, bound, size }) => {
    const window = asWindow(bound);
    return window
      ? [retirement(steps, { oid, relation, boundText, window, size }, 'attached', { ...because, upper: window.upper })]
      : [];
  });
  const isInTheWay = actions.some(({ way }) => way === 'concurrently');
  const [first] = waiting;
  return {
    actions: [...(isInTheWay ? finalizeStrangers(steps, context.ledger) : []), ...actions],
    skips: [
      ...expired.slice(candidates.length).map(partition => skip(table, partition, 'last-partition', cutoff)),
      ...waiting.map(({ partition }) => skip(table, partition, 'view-not-refreshed', cutoff)),
      ...free.slice(now.length).map(partition => skip(table, partition, 'max-per-run', cutoff)),
    ],
    findings: [
      ...(first
        ? [
            finding(
              'RETIRE_WAITS_FOR_VIEW',
              table.relation,
              `${waiting.length} expired partitions stay, because ${first.view} was not refreshed after their end`,
              `See why it is not refreshed: \`partkeeper plan --job refresh --target ${first.view}\``,
            ),
          ]
        : []),
      ...(free.length > now.length
        ? [
            finding(
              'RETIRE_LIMITED',
              table.relation,
              `${free.length} partitions have expired, and one run retires ${policy.maxPerRun} (maxPerRun)`,
              'The others follow with the next runs.',
            ),
          ]
        : []),
    ],
  };
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
