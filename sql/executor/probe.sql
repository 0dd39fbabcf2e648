-- What a probe row needs to be made of, and what speaks against one. $1 the table, $2 its schema and $3 its name when the
-- partition was made, $4 the partition's schema and $5 its name. One row, none when one of them is another by now.
select
  c.oid as partition,
  p.relforcerowsecurity or c.relforcerowsecurity
    or exists (select from pg_rewrite r where r.ev_class in (p.oid, c.oid))
    or exists (
      select from pg_trigger t where t.tgrelid in (p.oid, c.oid) and not t.tgisinternal and t.tgenabled in ('O', 'A')
    ) as has_side_effects,
  (
    select json_agg(json_build_object(
      'name', a.attname,
      'isKey', a.attnum = any (k.partattrs::int2[]),
      'mayBeNull', not a.attnotnull and not t.typnotnull,
      'isReference', exists (
        select from pg_constraint f where f.conrelid = p.oid and f.contype = 'f' and a.attnum = any (f.conkey)
      ),
      -- Its value comes from the expression alone: no sequence is asked, and no function of somebody's own.
      'hasPlainDefault', d.oid is not null and d.adbin::text !~ ':funcid 1574 '
        and not exists (
          select from pg_depend x
          where x.classid = 'pg_attrdef'::regclass and x.objid = d.oid and (
            x.refclassid = 'pg_proc'::regclass
            or x.refclassid = 'pg_class'::regclass and x.refobjid <> p.oid
          )
        ),
      'category', b.typcategory,
      'type', case when b.typnamespace = 'pg_catalog'::regnamespace then b.typname end,
      'enumLabel', (select e.enumlabel from pg_enum e where e.enumtypid = b.oid order by e.enumsortorder limit 1),
      'typmod', a.atttypmod
    ) order by a.attnum)
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = p.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  ) as columns
from pg_class p
join pg_namespace pn on pn.oid = p.relnamespace
join pg_partitioned_table k on k.partrelid = p.oid
join pg_inherits i on i.inhparent = p.oid and not i.inhdetachpending
join pg_class c on c.oid = i.inhrelid
join pg_namespace cn on cn.oid = c.relnamespace
where p.oid = $1 and pn.nspname = $2 and p.relname = $3 and cn.nspname = $4 and c.relname = $5;
