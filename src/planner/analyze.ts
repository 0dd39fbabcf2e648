/** Which statistics are out of date. Small changes are not worth the reading. */
import type { PartitionFacts, ServerFacts, StatisticsFacts } from '../domain/facts.ts';
import { type AnalyzeTable, type Because, NOTHING, type PlanPart, type Skip } from '../domain/plan.ts';
import type { TablePolicy } from '../domain/policy.ts';
import type { RelationName } from '../domain/relation.ts';
import { isBefore } from '../domain/time.ts';
import { actAs, type TimeTable } from './target.ts';

/** PostgreSQL's own `autovacuum_analyze_threshold`: below it, no share of changed rows means anything. */
const MIN_CHANGED_ROWS = 50;

/** From PostgreSQL 18 on, the parent can be analysed without reading every partition again. */
const HAS_ANALYZE_ONLY = 180_000;

export function planAnalyze(table: TimeTable, policy: TablePolicy, server: ServerFacts): PlanPart {
  if (!policy.analyze) return { ...NOTHING, skips: [skip(table, table.relation, 'not-configured')] };
  const { changedShare } = policy.analyze;
  const own = table.partitions.filter(({ kind, isDetachPending }) => kind !== 'foreign' && !isDetachPending);
  const only = server.versionNumber >= HAS_ANALYZE_ONLY;
  const parentReason = reasonForParent(table, own, changedShare);
  const action = (relation: RelationName, oid: number, because: Because, isParent: boolean): AnalyzeTable => ({
    kind: 'analyze-table',
    target: table.relation,
    relation,
    table: oid,
    only: isParent && only,
    actAs: actAs(table.ownership, server),
    because,
  });
  // Before 18, ANALYZE of the parent reads every partition anyway.
  if (parentReason && !only) return { ...NOTHING, actions: [action(table.relation, table.oid, parentReason, true)] };

  const actions = parentReason ? [action(table.relation, table.oid, parentReason, true)] : [];
  const skips = parentReason
    ? []
    : [skip(table, table.relation, 'hardly-changed', 'none of its partitions changed enough')];
  for (const partition of own) {
    const because = reasonFor(partition.statistics, changedShare);
    if (because) actions.push(action(partition.relation, partition.oid, because, false));
    else skips.push(skip(table, partition.relation, 'hardly-changed', detail(partition.statistics)));
  }
  return { actions, skips, findings: [] };
}

const reasonFor = (
  { changedRows, liveRows, analyzedAt, autoAnalyzedAt }: StatisticsFacts,
  changedShare: number,
): Because | undefined => {
  if (!analyzedAt && !autoAnalyzedAt) return { rule: 'never-analyzed' };
  if (changedRows === undefined || changedRows < Math.max(MIN_CHANGED_ROWS, liveRows * changedShare)) return undefined;
  return { rule: 'rows-changed', changed: changedRows, live: liveRows };
};

/** PostgreSQL counts no changes for the parent itself, and autovacuum never analyses it: both are told by its partitions. */
function reasonForParent(
  table: TimeTable,
  partitions: readonly PartitionFacts[],
  changedShare: number,
): Because | undefined {
  const { analyzedAt } = table.statistics;
  if (!analyzedAt) return { rule: 'never-analyzed' };
  const sum = (of: (statistics: StatisticsFacts) => number): number =>
    partitions.reduce((total, { statistics }) => total + of(statistics), 0);
  const changed = sum(({ changedRows }) => changedRows ?? 0);
  const total = reasonFor(
    { ...table.statistics, changedRows: changed, liveRows: sum(({ liveRows }) => liveRows) },
    changedShare,
  );
  if (total) return total;
  const newer = partitions.some(
    ({ statistics }) => statistics.autoAnalyzedAt && isBefore(analyzedAt, statistics.autoAnalyzedAt),
  );
  return newer ? { rule: 'partitions-changed' } : undefined;
}

const detail = ({ changedRows, liveRows }: StatisticsFacts): string | undefined =>
  changedRows === undefined ? undefined : `${changedRows} of ${liveRows} rows changed`;

const skip = (table: TimeTable, relation: RelationName, reason: Skip['reason'], text?: string): Skip => ({
  job: 'analyze',
  target: table.relation,
  relation,
  reason,
  detail: text,
});
