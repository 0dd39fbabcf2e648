/** Look before you lock: who would keep a statement of ours waiting, and everybody else behind it? */
import { MaintenanceError } from '../domain/errors.ts';
import type { Oid } from '../domain/facts.ts';
import type { Action } from '../domain/plan.ts';
import type { Database } from '../postgres/database.ts';
import type { Session } from '../postgres/session.ts';
import { statements } from './statements.ts';

export interface Blocker {
  /** Null for a prepared transaction, which no process holds. */
  readonly pid: number | null;
  readonly user: string | null;
  readonly application: string | null;
  readonly state: string | null;
  /** The first 160 characters of what it runs or ran last; null where we may not see it. */
  readonly statement: string | null;
  /** Of its transaction, in milliseconds. */
  readonly age_ms: number;
  readonly has_snapshot: boolean;
  /** The locks that it holds on the relations in question. */
  readonly modes: readonly string[];
}

/** Those that conflict with SHARE UPDATE EXCLUSIVE; a vacuum, another DDL statement, an index being built. */
const STRONG: ReadonlySet<string> = new Set([
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
]);

/** Those that go together with SHARE ROW EXCLUSIVE. */
const READING: ReadonlySet<string> = new Set(['AccessShareLock', 'RowShareLock']);

export const writes = ({ modes }: Blocker): boolean => modes.some(mode => !READING.has(mode));
export const holdsStrongLock = ({ modes }: Blocker): boolean => modes.some(mode => STRONG.has(mode));
export const holdsLock = ({ modes }: Blocker): boolean => modes.length > 0;

/** Transactions that hold a lock on one of the relations, or a snapshot, and are that old; with a strong lock, of any age. */
export const readBlockers = (
  session: Session,
  relations: readonly Oid[],
  olderThanMs: number,
): Promise<readonly Blocker[]> =>
  session.query<Blocker>(statements.blockers, [[...relations], olderThanMs], 'look for transactions in the way');

/** What a change of a parent's partitions has to wait for. */
export async function readInvolved(session: Session, parent: Oid, partition: Oid | undefined): Promise<readonly Oid[]> {
  const [row] = await session.query<{ oids: readonly Oid[] | null }>(
    statements.involved,
    [parent, partition ?? null],
    'find the relations that are involved',
  );
  return row?.oids ?? [parent];
}

/** A lock that was not to be had, with the name of who has it, as far as that can still be told. */
export async function naming(database: Database, error: MaintenanceError, action: Action): Promise<MaintenanceError> {
  if (error.code !== 'LOCK_UNAVAILABLE') return error;
  const [first] = await database
    .read(async session => {
      const relations = await relationsOf(session, action);
      return (await readBlockers(session, relations, 0)).filter(holdsLock);
    })
    .catch((): readonly Blocker[] => []);
  if (first === undefined) return error;
  return new MaintenanceError(error.code, `${error.message}; ${describeBlocker(first)} holds a lock on it`, {
    cause: error,
    hint: error.hint,
    sqlstate: error.sqlstate,
  });
}

function relationsOf(session: Session, action: Action): Promise<readonly Oid[]> | readonly Oid[] {
  if ('parent' in action)
    return readInvolved(session, action.parent, 'partition' in action ? action.partition : undefined);
  return ['view' in action ? action.view : action.table];
}

/** Throws when somebody is in the way. `attempted` completes "did not …". */
export function refuseIfBlocked(blockers: readonly Blocker[], attempted: string): void {
  const [first] = blockers;
  if (first === undefined) return;
  const others = blockers.length === 1 ? '' : `, and ${blockers.length - 1} more`;
  throw new MaintenanceError('BLOCKED', `did not ${attempted}: ${describeBlocker(first)} is in the way${others}`, {
    hint:
      first.pid === null
        ? 'Commit or roll back the prepared transaction: see pg_prepared_xacts.'
        : `It is tried again at the next tick. If that transaction is a mistake: select pg_terminate_backend(${first.pid})`,
  });
}

/** `process 4711 (reporting, app metabase, idle in transaction for 95 s: select …)` */
export function describeBlocker({ pid, user, application, state, statement, age_ms }: Blocker): string {
  const who = [user ?? 'an unknown role', ...(application ? [`app ${application}`] : [])].join(', ');
  const what = `${state ?? 'a transaction'} for ${Math.round(age_ms / 1000)} s`;
  const text = statement ? `: ${statement.replaceAll(/\s+/g, ' ').trim()}` : '';
  return `${pid === null ? 'a prepared transaction' : `process ${pid}`} (${who}, ${what}${text})`;
}
