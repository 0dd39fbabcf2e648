/** How one partition is retired: what the facts allow, and what becomes of the table afterwards. */
import type { Oid, ServerFacts } from '../domain/facts.ts';
import type { Window } from '../domain/interval.ts';
import type { Because, DetachPartition, DetachWay, DropPartition, OnPartition } from '../domain/plan.ts';
import type { TablePolicy } from '../domain/policy.ts';
import type { RelationName } from '../domain/relation.ts';
import type { Instant } from '../domain/time.ts';
import { actAs, type TimeTable } from './target.ts';

/** A partition, or what was one, with everything that proves what it holds. */
export interface Candidate {
  readonly oid: Oid;
  readonly relation: RelationName;
  readonly boundText: string;
  readonly window: Window;
  readonly size: { readonly rowsEstimate: number | undefined; readonly bytesEstimate: number };
}

export interface StepContext {
  readonly table: TimeTable;
  readonly policy: TablePolicy;
  readonly server: ServerFacts;
  /** Can a detach that is not rolled back with its transaction be put on record? */
  readonly hasLedger: boolean;
  /** On the database's clock. */
  readonly now: Instant;
}

/**
 * A concurrent detach is refused by the server while there is a default partition, and what it leaves behind when it is
 * interrupted is nobody's without a ledger. Then the table is taken off in one transaction.
 */
export const wayOf = ({ table, hasLedger }: StepContext): DetachWay =>
  hasLedger && !table.partitions.some(({ bound }) => bound.kind === 'default') ? 'concurrently' : 'blocking';

export const onPartition = (
  { table, server }: Pick<StepContext, 'table' | 'server'>,
  { oid, relation, boundText, window, size }: Candidate,
  because: Because,
): OnPartition => ({
  target: table.relation,
  relation,
  parent: table.oid,
  partition: oid,
  boundText,
  window,
  key: { column: table.key.column, type: table.key.type },
  rowsEstimate: size.rowsEstimate,
  bytesEstimate: size.bytesEstimate,
  actAs: actAs(table.ownership, server),
  because,
});

/** What the policy wants done with an expired partition. */
export function retirement(
  context: StepContext,
  candidate: Candidate,
  from: DropPartition['from'],
  because: Because,
): DropPartition | DetachPartition {
  const { policy, now } = context;
  const step = { ...onPartition(context, candidate, because), from, way: wayOf(context) };
  if (policy.retire === 'drop' && policy.grace === undefined) return { kind: 'drop-partition', ...step };
  const dropAfter =
    policy.retire === 'drop' && policy.grace !== undefined
      ? now
          .toZonedDateTimeISO(policy.timezone)
          .add({ [policy.grace.unit]: policy.grace.amount })
          .toInstant()
      : undefined;
  return { kind: 'detach-partition', ...step, dropAfter };
}
