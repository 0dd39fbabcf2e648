-- Which transactions hold locks on the given relations, or hold a snapshot? $1 oid[] relations, $2 least age in milliseconds.
-- One row per transaction of this database, the oldest first; waits for no lock.
--
-- Without the right to see other roles' activity (pg_read_all_stats), their age is unknown and counts as none.
with held as (
  select l.pid, l.virtualtransaction, array_agg(distinct l.mode) as modes
  from pg_locks l
  where l.locktype = 'relation' and l.granted and l.relation = any ($1::oid[])
    and l.database = (select d.oid from pg_database d where d.datname = current_database())
    and l.pid is distinct from pg_backend_pid()
  group by l.pid, l.virtualtransaction
),
others as (
  select a.pid, a.usename, a.application_name, a.state, a.query, a.backend_xmin is not null as has_snapshot,
    coalesce(extract(epoch from clock_timestamp() - a.xact_start) * 1000, 0)::float8 as age_ms, h.modes
  from pg_stat_activity a
  left join held h on h.pid = a.pid
  where a.pid <> pg_backend_pid() and a.datname = current_database()
    and (h.pid is not null or (a.backend_xmin is not null and a.backend_type = 'client backend'))
  union all
  -- A prepared transaction belongs to no process.
  select null, x.owner, null, 'prepared', 'prepare transaction ' || quote_literal(x.gid), false,
    (extract(epoch from clock_timestamp() - x.prepared) * 1000)::float8, h.modes
  from held h
  join pg_prepared_xacts x on h.virtualtransaction = '-1/' || x.transaction::text
  where h.pid is null
)
select
  o.pid, o.usename as "user", o.application_name as application, o.state, left(o.query, 160) as statement, o.age_ms, o.has_snapshot,
  coalesce(o.modes, '{}') as modes
from others o
where o.age_ms >= $2 or o.modes && array['ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock']
order by o.age_ms desc, o.pid;
