/** What is remarkable about a table's partitions, whatever the job. */
import type { PartitionFacts } from '../domain/facts.ts';
import { type Finding, type FindingCode, finding } from '../domain/findings.ts';
import type { PlanPart } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import type { TimeTable } from './target.ts';

export function inspectPartitions(table: TimeTable): PlanPart {
  const findings = table.partitions.flatMap(partition => {
    const remark = partition.isDetachPending && table.retiring.has(partition.oid) ? undefined : remarkOn(partition);
    return remark ? [about(table, partition, ...remark)] : [];
  });
  return { actions: [], skips: [], findings: [...otherManager(table), ...findings] };
}

const otherManager = ({ relation, otherManager: config }: TimeTable): readonly Finding[] => {
  if (!config) return [];
  const name = formatRelationName(relation);
  return [
    finding(
      'OTHER_MANAGER',
      relation,
      `${name} is down in ${formatRelationName(config)}: pg_partman makes and removes its partitions as well`,
      `Let one of them do it: delete from ${formatRelationName(config)} where parent_table = '${`${relation.schema}.${relation.name}`.replaceAll("'", "''")}', or take ${name} out of this configuration.`,
    ),
  ];
};

type Remark = readonly [code: FindingCode, what: string, hint: string];

function remarkOn({ bound, boundText, kind, isDetachPending }: PartitionFacts): Remark | undefined {
  if (isDetachPending)
    return [
      'DETACH_PENDING',
      'has a detach that was begun and not finished; its rows are invisible',
      'Finish it: alter table … detach partition … finalize',
    ];
  if (bound.kind === 'default')
    return [
      'DEFAULT_PARTITION',
      'is a default partition: attaching scans it, detaching cannot be concurrent',
      'Keep it empty, or do without it.',
    ];
  if (kind === 'foreign')
    return [
      'FOREIGN_PARTITION',
      'is, or contains, a foreign table and is never retired',
      'Detach it by hand when it is no longer needed.',
    ];
  if (bound.kind === 'opaque')
    return ['UNREADABLE_BOUND', `has a bound that proves nothing (${bound.because})`, `The catalog says: ${boundText}`];
  if (bound.lower.kind === 'opaque' || bound.upper.kind === 'opaque')
    return [
      'UNREADABLE_BOUND',
      'has a bound that is not a moment of the years that can be reckoned with',
      `The catalog says: ${boundText}`,
    ];
  if (bound.lower.kind === 'unbounded' || bound.upper.kind === 'unbounded')
    return [
      'UNBOUNDED_PARTITION',
      'has no end on one side and is never retired',
      'Detach it and attach it again with two bounds.',
    ];
  return undefined;
}

const about = (
  table: TimeTable,
  { relation }: PartitionFacts,
  code: FindingCode,
  what: string,
  hint: string,
): Finding => finding(code, table.relation, `${formatRelationName(relation)} ${what}`, hint);
