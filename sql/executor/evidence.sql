-- What a table is now, by its OID. $1 oid. No row when it is gone. Waits for no lock.
select
  n.nspname as schema,
  c.relname as name,
  c.relkind as kind,
  pg_get_expr(c.relpartbound, 0) as bound,
  i.inhparent as parent,
  i.inhdetachpending as is_pending
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_inherits i on i.inhrelid = c.oid
where c.oid = $1;
