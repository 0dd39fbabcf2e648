-- The server that we are connected to. No parameters. One row.
select
  current_setting('server_version_num')::int as version_number,
  current_setting('server_version') as version,
  current_database()::text as database,
  (select c.system_identifier::text from pg_control_system() c) as system_identifier,
  current_user::text as "user",
  coalesce((select r.rolsuper from pg_roles r where r.rolname = current_user), false) as is_superuser,
  pg_is_in_recovery() as is_in_recovery,
  current_setting('transaction_read_only')::bool as is_read_only,
  clock_timestamp() as now,
  -- Whether partkeeper's own schema is there and readable. Not to_regclass: on PostgreSQL 15 it fails without USAGE.
  exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'partkeeper' and c.relname = 'view_refreshes'
      and has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT')
  ) as has_bookkeeping,
  -- The same of what proves retirements; an earlier version's schema does not have it yet.
  exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'partkeeper' and c.relname = 'retirements'
      and has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT')
  ) as has_retirements,
  -- Where pg_partman, as an extension or not, keeps what it manages; null where it is not to be read, or not at once.
  (
    select min(n.nspname::text)
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'parent_table' and not a.attisdropped
    where c.relname = 'part_config' and c.relkind = 'r'
      and has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT')
      and not exists (select from pg_locks l where l.relation = c.oid and l.mode = 'AccessExclusiveLock')
  ) as partman_schema,
  -- Whether a drain can be put on record.
  exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'partkeeper' and c.relname = 'drains'
      and has_schema_privilege(n.oid, 'USAGE')
      and has_table_privilege(c.oid, 'SELECT') and has_table_privilege(c.oid, 'INSERT')
      and has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE')
  ) as has_drains;
