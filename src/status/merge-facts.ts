/** A run reads about its own target alone: what it read replaces what was known of that target, and nothing else. Pure. */
import type { Facts, PartitionedTableFacts } from '../domain/facts.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import type { LedgerFacts } from '../domain/retirement.ts';

export function mergeFacts(known: Facts | undefined, next: Facts): Facts {
  if (!known) return next;
  const told = new Set(relationsIn(next).map(formatRelationName));
  const isUntold = ({ relation }: { readonly relation: RelationName }): boolean =>
    !told.has(formatRelationName(relation));
  return {
    server: next.server,
    hasBookkeeping: next.hasBookkeeping,
    tables: [...known.tables.filter(isUntold), ...next.tables],
    views: [...known.views.filter(isUntold), ...next.views],
    missing: [...known.missing.filter(isUntold), ...next.missing],
    ledger: mergeLedger(known.ledger, next.ledger, next.tables),
  };
}

/** Everything that the facts speak of. */
export const relationsIn = ({ tables, views, missing }: Facts): readonly RelationName[] =>
  [...tables, ...views, ...missing].map(({ relation }) => relation);

function mergeLedger(
  known: LedgerFacts | undefined,
  next: LedgerFacts | undefined,
  tables: readonly PartitionedTableFacts[],
): LedgerFacts | undefined {
  // Nobody looks for it where no table was asked about.
  if (tables.length === 0) return known;
  if (!known || !next) return next;
  const told = new Set(tables.map(({ oid }) => oid));
  const kept = <T>(of: ReadonlyMap<number, T>) => [...of].filter(([oid]) => !told.has(oid));
  return {
    pinned: next.pinned,
    accepted: new Map([...kept(known.accepted), ...next.accepted]),
    retirements: new Map([...kept(known.retirements), ...next.retirements]),
  };
}
