/** What a plan was based on, read again in the transaction that acts on it. */
import { MaintenanceError } from '../domain/errors.ts';
import type { Oid } from '../domain/facts.ts';
import type { Window } from '../domain/interval.ts';
import { formatKey } from '../domain/key-text.ts';
import type { OnPartition } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { formatInstant, type Instant, type KeyType } from '../domain/time.ts';
import { ddl, identifier, literal } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { statements } from './statements.ts';

/** One of us at a time per parent; given up with the transaction, and waited for no longer than a lock. */
export async function lockParent(session: Session, parent: Oid): Promise<void> {
  await session.query(
    "select pg_advisory_xact_lock(hashtextextended('partkeeper/' || $1::oid, 0))",
    [parent],
    'wait for another partkeeper on the same table',
  );
}

/** The name still belongs to the table that the plan was made for. */
export async function parentFound(
  session: Session,
  { parent, target }: { readonly parent: Oid; readonly target: RelationName },
): Promise<void> {
  const rows = await session.query(
    "select from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1 and n.nspname = $2 and c.relname = $3 and c.relkind = 'p'",
    [parent, target.schema, target.name],
    `look at ${formatRelationName(target)} again`,
  );
  if (rows.length === 0)
    throw new MaintenanceError(
      'STALE_PLAN',
      `${formatRelationName(target)} was dropped, renamed or replaced since the plan was made`,
    );
}

interface EvidenceRow {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly bound: string | null;
  readonly parent: Oid | null;
  readonly is_pending: boolean | null;
}

/** What has become of a partition that a plan names. `elsewhere`: it is a partition of another table. */
export type PartitionState = 'attached' | 'pending' | 'detached' | 'elsewhere' | 'gone';

/**
 * Read by OID. Under a lock on the table nobody can change it any more.
 *
 * @throws MaintenanceError STALE_PLAN when the table got another name, or the partition other bounds
 */
export async function readPartitionState(
  session: Session,
  planned: Pick<OnPartition, 'partition' | 'parent' | 'relation'> & { readonly boundText?: string | undefined },
): Promise<PartitionState> {
  const name = formatRelationName(planned.relation);
  const [found] = await session.query<EvidenceRow>(statements.evidence, [planned.partition], `look at ${name} again`);
  if (!found) return 'gone';
  // The statements that follow say what they mean by its name.
  if (formatRelationName(found) !== name) throw stale(name, `is called ${formatRelationName(found)} now`);
  if (found.parent === null) return 'detached';
  if (found.parent !== planned.parent) return 'elsewhere';
  if (planned.boundText !== undefined && found.bound !== planned.boundText)
    throw stale(name, `was planned on ${planned.boundText}, found ${found.bound ?? 'no bound'}`);
  return found.is_pending ? 'pending' : 'attached';
}

/** Views, functions and the like that use it: without CASCADE, which is never used, they keep it. */
export async function refuseIfNeeded(
  session: Session,
  { partition, relation }: OnPartition,
  attempted: string,
): Promise<void> {
  const rows = await session.query<{ what: string }>(
    statements.dependents,
    [partition],
    `see what depends on ${formatRelationName(relation)}`,
  );
  if (rows.length === 0) return;
  throw new MaintenanceError(
    'STILL_REFERENCED',
    `could not ${attempted}: ${rows.map(({ what }) => what).join(', ')} ${rows.length === 1 ? 'depends' : 'depend'} on it`,
    { hint: 'Nothing is ever dropped with CASCADE: remove what depends on it first.', sqlstate: '2BP01' },
  );
}

/**
 * No row may be in it that belongs after its end. While it is attached the server sees to that; what was detached may have been
 * written to since, unless the CHECK that a concurrent detach leaves behind still says the same as its bound.
 */
export async function refuseIfNewerRows(session: Session, action: OnPartition): Promise<void> {
  const { relation, window, key } = action;
  const name = formatRelationName(relation);
  if (await hasRangeCheck(session, action)) return;
  // A policy would hide rows from their owner where row security is forced: rather an error than a wrong answer.
  await session.execute(ddl`set local row_security = off`, 'see every row');
  const { text } =
    ddl`select from ${relation} where ${identifier(key.column)} >= ${literal(formatKey(window.upper, key.type))} limit 1`;
  const rows = await session.query(text, [], `look for newer rows in ${name}`);
  if (rows.length > 0)
    throw new MaintenanceError(
      'NEWER_ROWS',
      `${name} holds rows at or after ${formatInstant(window.upper)}, the end of the range that it was a partition for; it was left alone`,
      {
        hint: `See what was written there: select * from ${name} where ${key.column} >= '${formatKey(window.upper, key.type)}'`,
      },
    );
}

/** A validated CHECK of exactly the range. Only for tables that nobody else has locked: printing it waits for the lock. */
export async function hasRangeCheck(
  session: Session,
  { partition, relation, window, key }: OnPartition,
): Promise<boolean> {
  const rows = await session.query(
    `select from pg_constraint k where k.conrelid = $1 and k.contype = 'c' and k.convalidated
       and pg_get_constraintdef(k.oid) = format($2, quote_ident($3))`,
    [partition, rangeCheck(window, key.type), key.column],
    `look for the range of ${formatRelationName(relation)}`,
  );
  return rows.length > 0;
}

/** The CHECK for a range, as the server prints the one that a concurrent detach leaves; `%1$s` stands for the column. */
function rangeCheck({ lower, upper }: Window, type: KeyType): string {
  const value = (at: Instant): string => `'${formatKey(at, type)}'::${SQL_TYPE[type]}`;
  return `CHECK (((%1$s IS NOT NULL) AND (%1$s >= ${value(lower)}) AND (%1$s < ${value(upper)})))`;
}

const SQL_TYPE: { readonly [K in KeyType]: string } = {
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
  date: 'date',
};

export const stale = (name: string, what: string): MaintenanceError =>
  new MaintenanceError('STALE_PLAN', `${name} ${what}; it was left alone`);
