-- What would keep a table from being dropped without CASCADE. $1 oid. One row per object, for a person.
--
-- Of its row type as well as of itself. What belongs to it, and the copies of a parent's foreign keys, go with it.
select distinct pg_describe_object(d.classid, d.objid, d.objsubid) as what
from pg_depend d
join pg_class c on c.oid = $1
where d.deptype = 'n'
  and ((d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid) or (d.refclassid = 'pg_type'::regclass and d.refobjid = c.reltype))
  and not (
    d.classid = 'pg_constraint'::regclass
    and exists (select from pg_constraint k where k.oid = d.objid and (k.conparentid <> 0 or k.conrelid = c.oid))
  )
  and not (d.classid = 'pg_class'::regclass and d.objid = c.oid)
order by 1
limit 5;
