/** A window and a default partition, as the statements beside each other need them. */
import { formatKey } from '../../domain/key-text.ts';
import type { BesideDefault, CreatePartition } from '../../domain/plan.ts';
import { ddl, identifier, literal, type Statement } from '../../postgres/ddl.ts';

/** True of the rows that belong into the partition to be; null for a key that is null. */
export function isInWindow({ window, keyType }: CreatePartition, { column }: BesideDefault): Statement {
  const key = identifier(column);
  return ddl`${key} >= ${literal(formatKey(window.lower, keyType))} and ${key} < ${literal(formatKey(window.upper, keyType))}`;
}

/** `2026-03-01 00:00:00+00 to 2026-04-01 00:00:00+00`, as the ledger keeps it. */
export const boundsOf = ({ window, keyType }: CreatePartition): { readonly lower: string; readonly upper: string } => ({
  lower: formatKey(window.lower, keyType),
  upper: formatKey(window.upper, keyType),
});
