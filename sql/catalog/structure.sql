-- How tables and partitions are made, for comparing them. $1 oid[] the tables, $2 oid[] those of their partitions that matter.
-- One row per relation; invalid_indexes of a table are those of all its partitions as well. Waits for no lock: nothing here
-- opens a relation, so index definitions are put together from pg_index.
with wanted as (
  select t.oid, null::oid as parent from unnest($1::oid[]) t (oid)
  union all
  select i.inhrelid, i.inhparent from unnest($2::oid[]) p (oid) join pg_inherits i on i.inhrelid = p.oid and i.inhparent = any ($1::oid[])
),
-- CREATE INDEX CONCURRENTLY, REINDEX CONCURRENTLY and DROP INDEX CONCURRENTLY hold this lock on the table all the while.
invalid as materialized (
  select x.indexrelid, x.indrelid from pg_index x
  where not x.indisvalid and not exists (
    select from pg_locks l
    where l.relation = x.indrelid and l.mode = 'ShareUpdateExclusiveLock' and l.granted
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
  )
)
select
  c.oid,
  w.parent,
  pg_get_userbyid(c.relowner) as owner,
  coalesce(
    (
      select json_agg(json_build_object(
        'grantee', case when g.grantee = 0 then null else pg_get_userbyid(g.grantee) end,
        'privilege', g.privilege_type, 'grantable', g.is_grantable, 'column', g.attname
      ) order by g.attname nulls first, g.grantee, g.privilege_type)
      from (
        select e.grantee, e.privilege_type, e.is_grantable, null::name as attname from aclexplode(c.relacl) e
        union all
        select e.grantee, e.privilege_type, e.is_grantable, ca.attname
        from pg_attribute ca cross join lateral aclexplode(ca.attacl) e
        where ca.attrelid = c.oid and ca.attnum > 0 and not ca.attisdropped and ca.attacl is not null
      ) g
      where g.grantee <> c.relowner
    ),
    '[]'
  ) as grants,
  c.relrowsecurity as row_security,
  c.relforcerowsecurity as force_row_security,
  c.relreplident as replica_identity,
  (
    select json_build_object('of', coalesce(xi.inhparent, x.indexrelid)::bigint, 'name', ci.relname)
    from pg_index x
    join pg_class ci on ci.oid = x.indexrelid
    left join pg_inherits xi on xi.inhrelid = x.indexrelid
    where x.indrelid = c.oid and x.indisreplident
  ) as replica_identity_index,
  coalesce(
    (
      select json_agg(json_build_object(
        'oid', t.oid::bigint, 'name', t.tgname, 'parent', nullif(t.tgparentid, 0)::bigint, 'firing', t.tgenabled
      ) order by t.tgname)
      from pg_trigger t
      -- Row triggers alone are cloned; a statement has the triggers of the table that it names.
      where t.tgrelid = c.oid and not t.tgisinternal and (w.parent is not null or t.tgtype::int & 1 = 1)
    ),
    '[]'
  ) as triggers,
  coalesce(
    (
      select json_agg(json_build_object(
        'oid', x.indexrelid::bigint, 'name', ci.relname, 'parent', xi.inhparent::bigint,
        'definition', concat(
          case when x.indisunique then 'unique ' end, am.amname, ' (',
          (
            select string_agg(coalesce(quote_ident(ia.attname), 'expression'), ', ' order by k.place)
            from unnest(x.indkey::int2[]) with ordinality as k (attnum, place)
            left join pg_attribute ia on ia.attrelid = c.oid and ia.attnum = k.attnum and k.attnum > 0
          ),
          ')', case when x.indpred is not null then ' where …' end
        )
      ) order by ci.relname)
      from pg_index x
      join pg_class ci on ci.oid = x.indexrelid
      join pg_am am on am.oid = ci.relam
      left join pg_inherits xi on xi.inhrelid = x.indexrelid
      where x.indrelid = c.oid and (w.parent is null or x.indisvalid)
    ),
    '[]'
  ) as indexes,
  coalesce(c.reloptions, '{}') || coalesce(
    (
      select array_agg('toast.' || option)
      from pg_class toast, unnest(toast.reloptions) option
      where toast.oid = c.reltoastrelid
    ),
    '{}'
  ) as options,
  (select t.spcname from pg_tablespace t where t.oid = c.reltablespace) as tablespace,
  coalesce(
    (
      select json_agg(json_build_object('column', sa.attname, 'target', sa.attstattarget) order by sa.attnum)
      from pg_attribute sa
      where sa.attrelid = c.oid and sa.attnum > 0 and not sa.attisdropped and sa.attstattarget >= 0
    ),
    '[]'
  ) as statistics_targets,
  coalesce(
    (
      select json_agg(json_build_object(
        'name', p.pubname,
        'open', m.is_whole and (
          pg_has_role(c.relowner, p.pubowner, 'USAGE')
          or (select r.rolsuper from pg_roles r where r.rolname = current_user)
        )
      ) order by p.pubname)
      from (
        select pr.prpubid as publication, pr.prqual is null and pr.prattrs is null as is_whole
        from pg_publication_rel pr
        where pr.prrelid = c.oid
        union all
        -- What is published with its schema is published by being there.
        select pn.pnpubid, false from pg_publication_namespace pn where pn.pnnspid = c.relnamespace
      ) m
      join pg_publication p on p.oid = m.publication
    ),
    '[]'
  ) as publications,
  case when w.parent is null then coalesce(
    (
      select json_agg(json_build_object(
        'name', ci.relname, 'on', json_build_object('schema', n.nspname, 'name', ic.relname), 'partitioned', ci.relkind = 'I',
        'lacking', case when ci.relkind <> 'I' then 0 else (
          select count(*)
          from pg_inherits pi
          where pi.inhparent = ic.oid and not exists (
            select
            from pg_inherits xi
            join pg_index x on x.indexrelid = xi.inhrelid
            where xi.inhparent = ci.oid and x.indrelid = pi.inhrelid and x.indisvalid
          )
        ) end
      ) order by n.nspname, ci.relname)
      from invalid v
      join pg_class ci on ci.oid = v.indexrelid
      join pg_class ic on ic.oid = v.indrelid
      join pg_namespace n on n.oid = ic.relnamespace
      where ic.oid = c.oid or exists (select from pg_inherits pi where pi.inhrelid = ic.oid and pi.inhparent = c.oid)
    ),
    '[]'
  ) end as invalid_indexes
from wanted w
join pg_class c on c.oid = w.oid
order by c.oid;
