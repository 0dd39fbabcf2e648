-- The relations whose locks a change of a parent's partitions waits for: itself, the partition, the default partition, and the
-- tables that foreign keys lead to and come from. $1 oid parent, $2 oid partition or null. One row.
select json_agg(distinct r.oid::bigint) as oids
from (
  select $1::oid as oid
  union all select $2::oid
  union all select p.partdefid from pg_partitioned_table p where p.partrelid = $1
  union all select k.confrelid from pg_constraint k where k.contype = 'f' and k.conrelid = $1
  union all select k.conrelid from pg_constraint k where k.contype = 'f' and k.confrelid = $1 and k.conparentid = 0
) r
where r.oid is not null and r.oid <> 0;
