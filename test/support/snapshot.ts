/** For tests that something changes nothing, or leaves nothing behind. */
import type { TestDatabase } from './database.ts';

/** Everything in the database that the system did not bring: which object it is, and what it is like. */
export async function snapshot(database: TestDatabase): Promise<readonly string[]> {
  const rows = await database.query<{ line: string }>(`
    with ours as (
      select oid from pg_namespace where nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
    )
    select 'schema ' || concat_ws(' ', oid, nspname, coalesce(nspacl, acldefault('n', nspowner))) as line from pg_namespace
    union all
    select 'relation ' || concat_ws(' ', oid, relname, relkind, relacl, relrowsecurity, relforcerowsecurity,
                                    pg_get_expr(relpartbound, oid), obj_description(oid, 'pg_class'))
    from pg_class where relnamespace in (select oid from ours)
    union all
    select 'column ' || concat_ws(' ', attrelid, attname, atttypid, atttypmod, attnotnull, col_description(attrelid, attnum))
    from pg_attribute join pg_class c on c.oid = attrelid where c.relnamespace in (select oid from ours)
    union all
    select 'index ' || concat_ws(' ', indexrelid, pg_get_indexdef(indexrelid), indisvalid)
    from pg_index join pg_class c on c.oid = indexrelid where c.relnamespace in (select oid from ours)
    union all
    select 'constraint ' || concat_ws(' ', oid, pg_get_constraintdef(oid)) from pg_constraint
    where connamespace in (select oid from ours)
    union all
    select 'function ' || concat_ws(' ', oid, pg_get_functiondef(oid), proacl) from pg_proc
    where pronamespace in (select oid from ours)
    union all
    select 'trigger ' || concat_ws(' ', oid, pg_get_triggerdef(oid), tgenabled) from pg_trigger
    union all
    select 'policy ' || concat_ws(' ', oid, polname, polcmd, polroles, pg_get_expr(polqual, polrelid)) from pg_policy
    union all
    select 'role used ' || concat_ws(' ', classid::regclass, objid, refobjid::regrole, deptype) from pg_shdepend
    where dbid = (select oid from pg_database where datname = current_database()) and refclassid = 'pg_authid'::regclass
    order by line`);
  return rows.map(row => row.line);
}
