-- The open retirements of the given parents, and what the catalog says of their tables now. $1 oid[] parents. Waits for no lock.
select
  r.parent,
  r.partition,
  r.schema_name,
  r.relation_name,
  r.bound,
  r.state,
  r.intended_at,
  r.drop_after,
  r.asked_at,
  n.nspname as schema,
  c.relname as name,
  i.inhparent as current_parent,
  coalesce(i.inhdetachpending, false) as is_pending,
  case when c.reltuples >= 0 then c.reltuples::bigint end as rows,
  (c.relpages::bigint
    + coalesce((select t.relpages from pg_class t where t.oid = c.reltoastrelid), 0)
    + coalesce((select sum(ci.relpages) from pg_index x join pg_class ci on ci.oid = x.indexrelid where x.indrelid = c.oid), 0))
    * current_setting('block_size')::int as bytes
from partkeeper.retirements r
left join pg_class c on c.oid = r.partition
left join pg_namespace n on n.oid = c.relnamespace
left join pg_inherits i on i.inhrelid = c.oid
where r.ended_at is null and r.parent = any ($1::oid[])
order by r.parent, r.intended_at, r.partition;
