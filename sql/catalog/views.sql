-- The configured materialized views. $1 text[] schemas, $2 text[] names, in pairs. One row per relation that exists.
-- Dependencies are followed through plain views and down to leaf partitions; nothing here waits for a lock.
with recursive wanted as (
  select c.oid, c.relname, c.relnamespace, n.nspname, c.relkind, c.relowner, c.relispopulated, c.reltuples, c.relpages, c.reltoastrelid
  from unnest($1::text[], $2::text[]) as w (schema, name)
  join pg_namespace n on n.nspname = w.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind not in ('i', 'I', 't', 'c')
),
reads as ( -- relation → relation that its query names
  select distinct r.ev_class as rel, d.refobjid as base
  from pg_rewrite r
  join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.deptype = 'n'
  where d.refobjid <> r.ev_class
),
hops as ( -- through plain views only, so that a materialized view is the end of a path
  select w.oid as view, r.base from wanted w join reads r on r.rel = w.oid
  union
  select h.view, r.base from hops h join pg_class v on v.oid = h.base and v.relkind = 'v' join reads r on r.rel = h.base
),
edges as (
  select distinct h.view, h.base from hops h join pg_class c on c.oid = h.base and c.relkind = 'm'
),
levels as (
  select w.oid as view, 0 as level from wanted w
  union all
  select e.view, l.level + 1 from levels l join edges e on e.base = l.view
),
leaves as ( -- every stored relation whose rows the view can show
  select h.view, h.base as rel from hops h
  union
  select l.view, i.inhrelid from leaves l join pg_inherits i on i.inhparent = l.rel and not i.inhdetachpending
),
fingerprints as (
  select
    l.view,
    bool_or(c.relkind in ('f', 'S')) as has_uncounted, -- changes of foreign tables and sequences are counted nowhere
    md5(string_agg(
      concat_ws(':', c.oid, c.relfilenode, pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)),
      ',' order by c.oid
    )) as counters
  from leaves l
  join pg_class c on c.oid = l.rel and c.relkind in ('r', 'p', 'm', 'f', 'S')
  group by l.view
),
clocks as ( -- a query that calls the clock or a volatile function changes although its bases do not
  select
    h.rel as view,
    bool_or(
      r.ev_action::text ~ '\{(SQLVALUEFUNCTION|NEXTVALUEEXPR|TABLESAMPLECLAUSE)'
      -- The system's own tables and views have OIDs below 16384. Nothing that depends on them is on record.
      or exists (select from regexp_matches(r.ev_action::text, ':relid (\d+)', 'g') m where m[1]::bigint between 1 and 16383)
      or exists (
        select from regexp_matches(r.ev_action::text, ':(?:funcid|opfuncid) (\d+)', 'g') m
        join pg_proc f on f.oid = m[1]::oid
        where f.provolatile = 'v'
          or f.oid in ('pg_catalog.now()'::regprocedure, 'pg_catalog.transaction_timestamp()'::regprocedure, 'pg_catalog.statement_timestamp()'::regprocedure)
          or (f.pronamespace = 'pg_catalog'::regnamespace and f.proname in ('current_setting', 'age'))
          -- A stable function of somebody's own may read the clock or any table: assume that it does.
          or (f.provolatile = 's' and f.pronamespace <> 'pg_catalog'::regnamespace)
      )
    ) as time_dependent
  from (
    select w.oid as rel, w.oid as base from wanted w
    union
    select h.view, h.base from hops h join pg_class v on v.oid = h.base and v.relkind = 'v'
  ) h
  join pg_rewrite r on r.ev_class = h.base
  group by h.rel
)
select
  w.oid,
  w.nspname as schema,
  w.relname as name,
  w.relkind as kind,
  pg_get_userbyid(w.relowner) as owner,
  w.relowner = (select r.oid from pg_roles r where r.rolname = current_user) as is_owner,
  case
    when current_setting('server_version_num')::int >= 160000 then pg_has_role(w.relowner, 'SET')
    else pg_has_role(w.relowner, 'MEMBER')
  end as may_act_as_owner,
  w.relispopulated as is_populated,
  ( -- the server's own test: is_usable_unique_index() in matview.c
    select min(ci.relname::text)
    from pg_index x
    join pg_class ci on ci.oid = x.indexrelid
    where x.indrelid = w.oid and x.indisunique and x.indimmediate and x.indisvalid
      and x.indpred is null and x.indexprs is null and 0 <> all (x.indkey::int2[])
  ) as concurrent_index,
  (select max(l.level) from levels l where l.view = w.oid) as level,
  coalesce((select json_agg(e.base::bigint) from edges e where e.view = w.oid), '[]') as reads,
  coalesce(k.time_dependent, true) or coalesce(f.has_uncounted, false) as is_time_dependent,
  f.counters || '/' || coalesce(pg_stat_get_db_stat_reset_time(d.oid)::text, '-') || '/' || pg_postmaster_start_time()::text as fingerprint,
  w.reltuples::bigint as rows,
  (w.relpages::bigint + coalesce((select t.relpages from pg_class t where t.oid = w.reltoastrelid), 0)
    + coalesce((select sum(ci.relpages) from pg_index x join pg_class ci on ci.oid = x.indexrelid where x.indrelid = w.oid), 0))
    * current_setting('block_size')::int as bytes
from wanted w
join pg_database d on d.datname = current_database()
left join fingerprints f on f.view = w.oid
left join clocks k on k.view = w.oid
order by w.nspname, w.relname;
