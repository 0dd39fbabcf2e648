/** What a plan was based on, read again in the transaction that acts on it. */
import { MaintenanceError } from '../domain/errors.ts';
import type { Oid } from '../domain/facts.ts';
import type { DetachPartition, DropPartition } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import type { Session } from '../postgres/session.ts';

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

interface Evidence {
  readonly bound: string | null;
  readonly parent: Oid | null;
  readonly is_pending: boolean | null;
  readonly schema: string;
  readonly name: string;
}

/** Read by OID, under the lock that keeps anyone from changing it. @returns false when the partition is gone, as wanted */
export async function isStillAsPlanned(session: Session, action: DropPartition | DetachPartition): Promise<boolean> {
  const [found] = await session.query<Evidence>(
    `select pg_get_expr(c.relpartbound, 0) as bound, i.inhparent as parent, i.inhdetachpending as is_pending, n.nspname as schema, c.relname as name
     from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_inherits i on i.inhrelid = c.oid where c.oid = $1`,
    [action.partition],
    `look at ${formatRelationName(action.relation)} again`,
  );
  if (!found) return false;
  const planned = formatRelationName(action.relation);
  const now = formatRelationName(found);
  if (now !== planned) throw stale(planned, `is called ${now} now`);
  if (found.parent !== action.parent) throw stale(planned, 'is no longer a partition of the same table');
  if (found.is_pending) throw stale(planned, 'has a detach pending');
  if (found.bound !== action.boundText)
    throw stale(planned, `was planned on ${action.boundText}, found ${found.bound ?? 'no bound'}`);
  return true;
}

const stale = (name: string, what: string): MaintenanceError =>
  new MaintenanceError('STALE_PLAN', `${name} ${what}; it was left alone`);
