/** The facts as they will be once the actions are done: lets one plan hold creating and, after it, retiring. */
import type { PartitionFacts } from '../domain/facts.ts';
import type { Action, CreatePartition } from '../domain/plan.ts';
import { isSameRelation } from '../domain/relation.ts';
import type { TimeTable } from './target.ts';

export function project(table: TimeTable, actions: readonly Action[]): TimeTable {
  const mine = actions.filter(({ target }) => isSameRelation(target, table.relation));
  const gone = new Set(mine.flatMap(action => ('partition' in action ? [action.partition] : [])));
  const made = mine.filter(action => action.kind === 'create-partition').map(asPartition);
  return {
    ...table,
    partitions: [...table.partitions.filter(({ oid }) => !gone.has(oid)), ...made],
    takenNames: new Set([...table.takenNames, ...made.map(({ relation }) => relation.name)]),
  };
}

const asPartition = ({ relation, window }: CreatePartition, index: number): PartitionFacts => ({
  oid: -1 - index, // no real object has it
  relation,
  bound: { kind: 'range', lower: { kind: 'at', at: window.lower }, upper: { kind: 'at', at: window.upper } },
  boundText: '',
  kind: 'table',
  isDetachPending: false,
  size: { bytesEstimate: 0, rowsEstimate: undefined },
  statistics: { changedRows: 0, liveRows: 0, analyzedAt: undefined, autoAnalyzedAt: undefined },
});
