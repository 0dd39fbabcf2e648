/** What a default partition means for the partitions to be made beside it, and what an interrupted run has left there. */
import type { PartitionFacts, ServerFacts } from '../domain/facts.ts';
import { type Finding, finding } from '../domain/findings.ts';
import type { Window } from '../domain/interval.ts';
import type { BesideDefault, ClearLeftovers } from '../domain/plan.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { formatRelationName } from '../domain/relation.ts';
import { type Instant, isAfter } from '../domain/time.ts';
import { actAs, type TimeTable } from './target.ts';

const defaultOf = ({ partitions }: TimeTable): PartitionFacts | undefined =>
  partitions.find(({ bound, isDetachPending }) => bound.kind === 'default' && !isDetachPending);

/** For the partition of one window. */
export function besideDefault(
  table: TimeTable,
  policy: TablePolicy,
  window: Window,
  keyNow: Instant,
): BesideDefault | undefined {
  const found = defaultOf(table);
  if (!found) return undefined;
  const mayDrain = policy.defaultPartition === 'drain' && table.leftovers.drains !== undefined;
  return {
    oid: found.oid,
    relation: found.relation,
    column: table.key.column,
    onRows: mayDrain ? 'drain' : 'report',
    isAhead: isAfter(window.lower, keyNow),
  };
}

/** Comes before everything else: while the CHECK is there, inserts may fail. */
export function clearLeftovers(table: TimeTable, server: ServerFacts): readonly ClearLeftovers[] {
  const { check, drains = [] } = table.leftovers;
  if (!check && drains.length === 0) return [];
  return [
    {
      kind: 'clear-leftovers',
      target: table.relation,
      relation: defaultOf(table)?.relation ?? table.relation,
      parent: table.oid,
      check,
      drains: drains.map(({ id }) => id),
      actAs: actAs(table.ownership, server),
      because: { rule: 'left-behind', check, drains: drains.length },
    },
  ];
}

/** Names that are free again once the leftovers are cleared. */
export const freedNames = ({ leftovers: { drains = [] } }: TimeTable): ReadonlySet<string> =>
  new Set(drains.flatMap(({ partition }) => partition ?? []));

export function defaultFindings(table: TimeTable, { defaultPartition }: TablePolicy): readonly Finding[] {
  const found = defaultOf(table);
  if (!found) return [];
  const name = formatRelationName(found.relation);
  if (defaultPartition === 'forbid')
    return [
      finding(
        'DEFAULT_FORBIDDEN',
        table.relation,
        `${name} is a default partition, which the policy forbids`,
        'Move its rows to partitions of their own and drop it, or set default: report.',
      ),
    ];
  if (defaultPartition === 'drain' && table.leftovers.drains === undefined)
    return [
      finding(
        'DRAIN_UNRECORDED',
        table.relation,
        `rows in ${name} are reported and not moved, because partkeeper.drains is not installed or not to be written`,
        'Run `partkeeper migrate up`, with --grant-to where the service has a role of its own.',
      ),
    ];
  return [];
}
