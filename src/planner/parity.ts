/**
 * Are partitions made like their table, and like each other? CREATE TABLE … PARTITION OF takes over neither grants nor row
 * security, and nobody notices before a role cannot read this month, or reads what it should not.
 */
import type { PartitionFacts } from '../domain/facts.ts';
import { type Finding, finding } from '../domain/findings.ts';
import { newestPartition } from '../domain/newest-partition.ts';
import type { PlanPart } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import type { InvalidIndex } from '../domain/structure.ts';
import { type Instant, isAfter } from '../domain/time.ts';
import { type Difference, differencesFrom, othersOf } from './differences.ts';
import type { TimeTable } from './target.ts';

/** @param keyNow partitions that ended before are of the past, where nothing is mended any more */
export function planParity(table: TimeTable, keyNow: Instant): PlanPart {
  const { structure } = table;
  if (!structure) return { actions: [], skips: [], findings: [] };
  const newest = newestPartition(table.partitions);
  const model = newest && structure.partitions.get(newest.oid);
  const others = othersOf(
    structure.table,
    [...structure.partitions.values()],
    newest && model && { name: newest.relation.name, structure: model },
  );
  const findings = [
    ...table.partitions.flatMap((partition): readonly Finding[] => {
      const own = structure.partitions.get(partition.oid);
      const found = own && !isPast(partition, keyNow) ? differencesFrom(partition, own, others) : [];
      return found.length === 0 ? [] : [differs(table, partition, found)];
    }),
    ...structure.invalidIndexes.map(index => invalid(table, index)),
  ];
  return { actions: [], skips: [], findings };
}

const isPast = ({ bound }: PartitionFacts, keyNow: Instant): boolean =>
  bound.kind === 'range' && bound.upper.kind === 'at' && !isAfter(bound.upper.at, keyNow);

const differs = (table: TimeTable, { relation }: PartitionFacts, found: readonly Difference[]): Finding => {
  const statements = found.flatMap(({ mend }) => mend ?? []);
  const advice =
    statements.length > 0
      ? `To make it like the others: ${statements.join('; ')}`
      : 'Make it like the others, or the table like it: new partitions follow the table.';
  const what = found.map(({ what: words }) => words).join('; ');
  return finding('PARTITION_DIFFERS', table.relation, `${formatRelationName(relation)} differs: ${what}`, advice);
};

function invalid(table: TimeTable, { name, on, isPartitioned, lacking }: InvalidIndex): Finding {
  const index = formatRelationName({ schema: on.schema, name });
  const where = `index ${index} of ${formatRelationName(on)} is invalid, and no query uses it`;
  if (!isPartitioned)
    return finding(
      'INVALID_INDEX',
      table.relation,
      `${where}: building it failed`,
      `Try again: reindex index concurrently ${index}; or do without: drop index concurrently ${index}`,
    );
  return finding(
    'INVALID_INDEX',
    table.relation,
    `${where}: ${lacking === 1 ? '1 partition has' : `${lacking} partitions have`} no valid index attached to it`,
    `On each of them: create index concurrently …; alter index ${index} attach partition …`,
  );
}
