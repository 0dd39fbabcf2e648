-- The configured tables: what they are, how they are partitioned and what a new partition takes over from them.
-- $1 text[] schemas, $2 text[] names, in pairs. One row per relation that exists. Waits for no lock.
select
  c.oid,
  n.nspname as schema,
  c.relname as name,
  c.relkind as kind,
  c.relispartition as is_partition,
  p.partstrat as strategy,
  p.partnatts as key_count,
  a.attname as key_column,
  a.atttypid as key_type,
  format_type(a.atttypid, a.atttypmod) as key_type_name,
  -- With another one, "from" could be later than "to".
  (select o.opcdefault from pg_opclass o where o.oid = p.partclass[0]) as has_usual_order,
  pg_get_userbyid(c.relowner) as owner,
  c.relowner = (select r.oid from pg_roles r where r.rolname = current_user) as is_owner,
  -- From 16 on membership and the right to SET ROLE are two things.
  case
    when current_setting('server_version_num')::int >= 160000 then pg_has_role(c.relowner, 'SET')
    else pg_has_role(c.relowner, 'MEMBER')
  end as may_act_as_owner,
  c.relrowsecurity as row_security,
  c.relforcerowsecurity as force_row_security,
  c.relreplident as replica_identity,
  (select x.indexrelid from pg_index x where x.indrelid = c.oid and x.indisreplident) as replica_identity_index,
  (select t.spcname from pg_tablespace t where t.oid = c.reltablespace) as tablespace,
  c.relacl is not null as has_grants,
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
        where ca.attrelid = c.oid and ca.attnum > 0 and not ca.attisdropped
      ) g
      where g.grantee <> c.relowner
    ),
    '[]'
  ) as grants,
  coalesce(
    (
      select json_agg(distinct case when e.grantee = 0 then null else pg_get_userbyid(e.grantee) end)
      from pg_default_acl d cross join lateral aclexplode(d.defaclacl) e
      where d.defaclobjtype = 'r' and d.defaclnamespace in (0, c.relnamespace) and e.grantee <> c.relowner
        and d.defaclrole in (c.relowner, (select r.oid from pg_roles r where r.rolname = current_user))
    ),
    '[]'
  ) as default_grantees,
  coalesce(
    (
      select json_agg(json_build_object('column', sa.attname, 'target', sa.attstattarget) order by sa.attnum)
      from pg_attribute sa
      where sa.attrelid = c.oid and sa.attnum > 0 and not sa.attisdropped and sa.attstattarget >= 0
    ),
    '[]'
  ) as statistics_targets,
  pg_stat_get_live_tuples(c.oid) as live_rows,
  pg_stat_get_last_analyze_time(c.oid) as analyzed_at,
  pg_stat_get_last_autoanalyze_time(c.oid) as auto_analyzed_at
from unnest($1::text[], $2::text[]) as wanted (schema, name)
join pg_namespace n on n.nspname = wanted.schema
join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name and c.relkind not in ('i', 'I', 't', 'c')
left join pg_partitioned_table p on p.partrelid = c.oid
left join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0] and a.attnum <> 0
order by n.nspname, c.relname;
