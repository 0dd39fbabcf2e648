-- A drain on record, with the present names of what belongs to it. $1 parent, $2 id, or null for whichever there is.
with relations as (
  select c.oid, json_build_object('schema', n.nspname, 'name', c.relname) as name, c.relispartition as is_partition
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
)
select
  d.id, d.state, d.lower, d.upper, d.structure, d.older,
  d.default_partition as old_oid,
  old.name as old,
  old.is_partition as old_is_partition,
  part.name as partition,
  part.is_partition as partition_is_partition,
  fresh.name as new_default,
  fresh.is_partition as new_default_is_partition,
  queue.name as queue,
  (select json_build_object('schema', n.nspname, 'name', p.proname) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where p.oid = d.capture) as capture,
  (select t.tgname from pg_trigger t where t.tgrelid = d.default_partition and t.tgfoid = d.capture and not t.tgisinternal) as trigger
from partkeeper.drains d
left join relations old on old.oid = d.default_partition
left join relations part on part.oid = d.partition
left join relations fresh on fresh.oid = d.new_default
left join relations queue on queue.oid = d.queue
where d.parent = $1 and ($2::bigint is null or d.id = $2);
