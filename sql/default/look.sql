-- The default partition, read again before anything is done beside it. $1 oid of the parent, $2 oid of the default partition, $3 and
-- $4 its schema and name. One row where it is still that. Waits for nobody but holders of ACCESS EXCLUSIVE on it.
select
  c.relkind as kind,
  pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) as bytes,
  row_security_active(c.oid) as hides_rows
from pg_partitioned_table p
join pg_class c on c.oid = p.partdefid
join pg_namespace n on n.oid = c.relnamespace
where p.partrelid = $1 and p.partdefid = $2 and n.nspname = $3 and c.relname = $4;
