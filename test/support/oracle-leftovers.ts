/** Of the oracle: what an accident must not leave lying about. */
import type { TestDatabase } from './database.ts';

type Queryable = Pick<TestDatabase, 'query'>;

/** Everything that has an OID of its own in schemas that are not the server's. */
export async function readRelations(database: Queryable): Promise<ReadonlySet<number>> {
  const rows = await database.query<{ oid: number }>(
    `select c.oid::int from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_|^information_schema$'`,
  );
  return new Set(rows.map(({ oid }) => oid));
}

/** Tables that are nobody's partition, indexes that are not valid, detaches that are pending, and helpers of ours. */
export async function halfBuilt(
  database: Queryable,
  before: ReadonlySet<number>,
  byHand: readonly string[],
): Promise<readonly string[]> {
  const rows = await database.query<{ oid: number | null; name: string; problem: string }>(`
    select c.oid::int, n.nspname || '.' || c.relname as name, format('%s.%s is nobody''s partition', n.nspname, c.relname) as problem
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_|^information_schema$|^partkeeper'
    union all
    select c.oid::int, n.nspname || '.' || c.relname, format('the index %s.%s is not valid', n.nspname, c.relname)
      from pg_index x join pg_class c on c.oid = x.indexrelid join pg_namespace n on n.oid = c.relnamespace where not x.indisvalid
    union all
    select null, c.relname, format('the detach of %s is pending', c.relname) from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhdetachpending
    union all
    select null, t.tgname, format('the trigger %s on %s is ours', t.tgname, t.tgrelid::regclass) from pg_trigger t where t.tgname like 'partkeeper%'
    union all
    select null, k.conname, format('the constraint %s on %s is ours', k.conname, k.conrelid::regclass)
      from pg_constraint k where k.conname like 'partkeeper%'
    union all
    select null, c.relname, format('%s.%s is ours', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relname like 'partkeeper%' and n.nspname !~ '^pg_|^partkeeper'`);
  return rows
    .filter(({ oid, name }) => (oid === null || !before.has(oid)) && !byHand.includes(name))
    .map(({ problem }) => problem);
}

/** Ours that the server is still working for. */
export async function busySessions(database: Queryable): Promise<readonly string[]> {
  const rows = await database.query<{ query: string }>(`
    select query from pg_stat_activity where datname = current_database() and application_name like 'partkeeper%'
       and application_name not like '%test%' and state <> 'idle' and pid <> pg_backend_pid()`);
  return rows.map(({ query }) => query);
}

/** Ours by their name; those of tests have "test" in theirs. */
export async function sessionsAndLocks(database: Queryable): Promise<readonly string[]> {
  const rows = await database.query<{ problem: string }>(`
    select format('a session of %s is there: %s', application_name, left(query, 60)) as problem from pg_stat_activity
     where datname = current_database() and application_name like 'partkeeper%' and application_name not like '%test%'
    union all
    select format('an advisory lock is held by %s', l.pid) from pg_locks l
     where l.locktype = 'advisory' and l.database = (select oid from pg_database where datname = current_database())`);
  return rows.map(({ problem }) => problem);
}
