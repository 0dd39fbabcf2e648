-- Tables beside whose default partition an interrupted run has left what may refuse or slow down writes. $1 text[] schemas, $2 text[]
-- names, in pairs. The names are those of src/executor/default. Waits for no lock.
select n.nspname as schema, c.relname as name
from unnest($1::text[], $2::text[]) as wanted (schema, name)
join pg_namespace n on n.nspname = wanted.schema
join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
join pg_partitioned_table p on p.partrelid = c.oid
where exists (
    select from pg_constraint k where k.conrelid = p.partdefid and k.contype = 'c' and k.conname = 'partkeeper_no_rows'
  )
  or exists (select from pg_trigger t where t.tgrelid = p.partdefid and t.tgname ~ '^partkeeper_capture_[0-9]+$')
order by 1, 2;
