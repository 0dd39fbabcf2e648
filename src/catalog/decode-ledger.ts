/** What the ledger says of retirements → facts. Pure. */
import type { Oid, PartitionedTableFacts, PartitionKey } from '../domain/facts.ts';
import type { LedgerFacts, OpenState, RetirementFacts } from '../domain/retirement.ts';
import { decodeBound } from './decode-bound.ts';
import { decodeInstant, instantOrNone } from './decode-facts.ts';
import type { LedgerRow, RetirementRow } from './rows.ts';

const OPEN: readonly OpenState[] = ['intended', 'detached', 'kept', 'restoring', 'restored'];

/** `tables` say by which key a bound is to be read. */
export function decodeLedger(
  row: LedgerRow,
  rows: readonly RetirementRow[],
  tables: readonly PartitionedTableFacts[],
): LedgerFacts {
  const keyOf = new Map(tables.map(({ oid, key }) => [oid, key]));
  const byParent = Map.groupBy(rows, ({ parent }) => parent);
  return {
    pinned: row.pinned ? { systemIdentifier: row.pinned.system, database: row.pinned.database } : undefined,
    accepted: new Map(
      row.retentions.map(({ parent, retention, accepted_at }) => [
        parent,
        { retention, at: decodeInstant(accepted_at) },
      ]),
    ),
    retirements: new Map([...byParent].map(([parent, of]) => [parent, decodeOf(parent, of, keyOf)])),
  };
}

const decodeOf = (
  parent: Oid,
  rows: readonly RetirementRow[],
  keyOf: ReadonlyMap<Oid, PartitionKey>,
): readonly RetirementFacts[] => {
  const key = keyOf.get(parent);
  return key === undefined ? [] : rows.flatMap(row => decodeRetirement(row, key));
};

function decodeRetirement(row: RetirementRow, key: PartitionKey): readonly RetirementFacts[] {
  const state = OPEN.find(word => word === row.state);
  // A word of a later version: what it means nobody here can know, so nothing is done about it.
  if (state === undefined) return [];
  const { schema, name } = row;
  return [
    {
      partition: row.partition,
      recorded: { schema: row.schema_name, name: row.relation_name },
      boundText: row.bound,
      bound: decodeBound(row.bound, key),
      state,
      intendedAt: decodeInstant(row.intended_at),
      askedAt: instantOrNone(row.asked_at),
      dropAfter: instantOrNone(row.drop_after),
      found:
        schema === null || name === null
          ? undefined
          : {
              relation: { schema, name },
              parent: row.current_parent ?? undefined,
              isPending: row.is_pending,
              size: { rowsEstimate: row.rows ?? undefined, bytesEstimate: row.bytes ?? 0 },
            },
    },
  ];
}
