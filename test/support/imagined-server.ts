/**
 * Does a plan's actions to the facts of a table as PostgreSQL would: bounds go through the text of the catalog and back,
 * and what the server would refuse is refused. Nothing here is shared with the planner's own projection.
 */
import { decodeBound } from '../../src/catalog/decode-bound.ts';
import type { PartitionBound } from '../../src/domain/bound.ts';
import type { PartitionFacts } from '../../src/domain/facts.ts';
import { formatKey } from '../../src/domain/key-text.ts';
import type { Action, CreatePartition } from '../../src/domain/plan.ts';
import { byteLength } from '../../src/domain/relation.ts';
import type { TimeTable } from '../../src/planner/target.ts';
import { aPartition, aSize, someStatistics } from './facts.ts';

export function carryOut(table: TimeTable, actions: readonly Action[]): TimeTable {
  return actions.reduce((before, action) => carryOutOne(before, action), table);
}

function carryOutOne(table: TimeTable, action: Action): TimeTable {
  switch (action.kind) {
    case 'create-partition':
      return attach(table, createdBy(action));
    case 'clear-leftovers':
      return clear(table);
    case 'drop-partition':
    case 'detach-partition':
    case 'finalize-detach':
      return remove(table, action.partition);
    case 'restore-partition':
    case 'refresh-view':
    case 'analyze-table':
      return table;
  }
}

function createdBy({ relation, window, keyType }: CreatePartition): PartitionFacts {
  const boundText = `FOR VALUES FROM ('${formatKey(window.lower, keyType)}') TO ('${formatKey(window.upper, keyType)}')`;
  const bound = decodeBound(boundText, { kind: 'time', column: 'occurred_at', type: keyType });
  const statistics = someStatistics({ liveRows: 0, analyzedAt: undefined });
  return aPartition('', '', {
    relation,
    bound,
    boundText,
    statistics,
    size: aSize({ bytesEstimate: 0, rowsEstimate: undefined }),
  });
}

function attach(table: TimeTable, partition: PartitionFacts): TimeTable {
  const { name } = partition.relation;
  if (byteLength(name) > 63) throw new Error(`the identifier "${name}" would be cut`);
  if (table.takenNames.has(name) || table.partitions.some(({ relation }) => relation.name === name))
    throw new Error(`42P07: relation "${name}" already exists`);
  const { lower, upper } = endsOf(partition.bound);
  if (lower >= upper) throw new Error(`42P17: empty range bound specified for partition "${name}"`);
  const other = table.partitions.find(({ bound }) => lower < endsOf(bound).upper && endsOf(bound).lower < upper);
  if (other) throw new Error(`42P17: partition "${name}" would overlap partition "${other.relation.name}"`);
  return {
    ...table,
    partitions: [...table.partitions, partition],
    takenNames: new Set([...table.takenNames, name]),
  };
}

function clear(table: TimeTable): TimeTable {
  const gone = new Set(table.leftovers.drains?.map(({ partition }) => partition));
  return {
    ...table,
    takenNames: new Set([...table.takenNames].filter(name => !gone.has(name))),
    leftovers: { check: false, drains: [] },
  };
}

function remove(table: TimeTable, oid: number): TimeTable {
  if (!table.partitions.some(partition => partition.oid === oid)) throw new Error(`no partition has the OID ${oid}`);
  return { ...table, partitions: table.partitions.filter(partition => partition.oid !== oid) };
}

/** As plain numbers; what has no range of its own lies nowhere. */
function endsOf(bound: PartitionBound): { readonly lower: number | bigint; readonly upper: number | bigint } {
  if (bound.kind !== 'range' || bound.lower.kind === 'opaque' || bound.upper.kind === 'opaque')
    return { lower: Number.POSITIVE_INFINITY, upper: Number.NEGATIVE_INFINITY };
  return {
    lower: bound.lower.kind === 'at' ? bound.lower.at.epochNanoseconds : Number.NEGATIVE_INFINITY,
    upper: bound.upper.kind === 'at' ? bound.upper.at.epochNanoseconds : Number.POSITIVE_INFINITY,
  };
}
