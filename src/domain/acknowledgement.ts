/** What somebody agrees to when a plan would do more than usual: exactly that plan, and no later one. */
import { createHash } from 'node:crypto';
import type { RelationName } from './relation.ts';
import { formatRelationName } from './relation.ts';

/** A short name for what would be retired under which policy: it changes with every partition, and with the retention. */
export const acknowledgementOf = (
  target: RelationName,
  retention: string,
  partitions: readonly { readonly oid: number; readonly boundText: string }[],
): string =>
  createHash('sha256')
    .update(
      JSON.stringify([formatRelationName(target), retention, partitions.map(({ oid, boundText }) => [oid, boundText])]),
    )
    .digest('hex')
    .slice(0, 12);
