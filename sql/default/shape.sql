-- What a copy of a default partition takes over from it beyond CREATE TABLE (LIKE …). $1 its oid. One row.
select
  c.relrowsecurity as row_security,
  c.relforcerowsecurity as force_row_security,
  c.relreplident as replica_identity,
  (select t.spcname from pg_tablespace t where t.oid = c.reltablespace) as tablespace,
  coalesce(
    c.reloptions || (
      select array_agg('toast.' || option) from pg_class toast, unnest(toast.reloptions) option where toast.oid = c.reltoastrelid
    ),
    c.reloptions
  ) as options,
  coalesce(
    (
      select json_agg(json_build_object(
        'grantee', case when g.grantee = 0 then null else pg_get_userbyid(g.grantee) end,
        'privilege', g.privilege_type, 'grantable', g.is_grantable, 'column', g.attname
      ) order by g.attname nulls first, g.grantee, g.privilege_type)
      from (
        select e.grantee, e.privilege_type, e.is_grantable, null::name as attname from aclexplode(c.relacl) e
        union all
        select e.grantee, e.privilege_type, e.is_grantable, a.attname
        from pg_attribute a cross join lateral aclexplode(a.attacl) e
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      ) g
      where g.grantee <> c.relowner
    ),
    '[]'
  ) as grants,
  coalesce(
    (
      select json_agg(json_build_object('column', a.attname, 'target', a.attstattarget) order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attstattarget >= 0
    ),
    '[]'
  ) as statistics_targets,
  -- Generated columns write themselves.
  (
    select array_agg(a.attname::text order by a.attnum)
    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  ) as columns
from pg_class c
where c.oid = $1;
