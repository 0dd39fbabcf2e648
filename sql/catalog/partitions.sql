-- The direct partitions of the given parents. $1 oid[] parents. One row per partition.
-- pg_get_expr(…, 0) and pg_class wait for no lock; pg_relation_size and pg_get_expr(…, oid) would queue behind an
-- ACCESS EXCLUSIVE lock on a partition, so sizes are relpages: what the last VACUUM or ANALYZE saw.
with recursive tree as (
  select i.inhparent as parent, i.inhrelid as partition, i.inhrelid as relid, i.inhdetachpending as detach_pending
  from pg_inherits i
  where i.inhparent = any ($1::oid[])
  union all
  select t.parent, t.partition, i.inhrelid, t.detach_pending
  from tree t
  join pg_inherits i on i.inhparent = t.relid
),
storage as (
  select
    t.partition,
    sum(c.relpages::bigint + coalesce(toast.relpages, 0) + coalesce(x.pages, 0)) * current_setting('block_size')::int as bytes,
    sum(case when c.reltuples >= 0 then c.reltuples end) as rows,
    bool_or(c.relkind = 'f') as has_foreign,
    sum(pg_stat_get_mod_since_analyze(c.oid)) as changed_rows,
    sum(pg_stat_get_live_tuples(c.oid)) as live_rows
  from tree t
  join pg_class c on c.oid = t.relid
  left join pg_class toast on toast.oid = c.reltoastrelid
  left join lateral (
    select sum(ci.relpages) as pages from pg_index pi join pg_class ci on ci.oid = pi.indexrelid where pi.indrelid = c.oid
  ) x on true
  group by t.partition
)
select
  t.parent,
  c.oid,
  n.nspname as schema,
  c.relname as name,
  c.relkind as kind,
  pg_get_expr(c.relpartbound, 0) as bound,
  t.detach_pending,
  s.has_foreign,
  c.reloptions || (
    select array_agg('toast.' || option) from pg_class toast, unnest(toast.reloptions) option where toast.oid = c.reltoastrelid
  ) as options,
  s.bytes::bigint as bytes,
  s.rows::bigint as rows,
  s.changed_rows::bigint as changed_rows,
  s.live_rows::bigint as live_rows,
  pg_stat_get_last_analyze_time(c.oid) as analyzed_at,
  pg_stat_get_last_autoanalyze_time(c.oid) as auto_analyzed_at,
  -- The name is that of src/executor/default/spare.ts.
  pg_get_expr(c.relpartbound, 0) = 'DEFAULT'
    and exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.conname = 'partkeeper_no_rows')
    as left_check
from tree t
join pg_class c on c.oid = t.relid
join pg_namespace n on n.oid = c.relnamespace
join storage s on s.partition = t.partition
where t.relid = t.partition
order by t.parent, c.oid;
