-- Drains of a default partition that were begun and not finished. $1 oid[] parents. Only where partkeeper.drains is installed.
-- The table that was to become a partition counts only while it is none.
select d.parent, d.id, c.relname as partition
from partkeeper.drains d
left join pg_class c on c.oid = d.partition and not c.relispartition
where d.parent = any ($1::oid[])
order by d.id;
