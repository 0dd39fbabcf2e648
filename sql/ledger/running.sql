-- Runs that have not ended. No parameters. Only a run whose lock is held still runs; the process of any other has vanished.
with held as (
  select (l.classid::bigint << 32) | l.objid::bigint as key
  from pg_locks l
  where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
    and l.database = (select d.oid from pg_database d where d.datname = current_database())
)
select r.run_id, r.job, r.target, r.replica, r.started_at
from partkeeper.runs r
where r.finished_at is null
  and exists (select from held where held.key = hashtextextended('partkeeper/' || r.job || '/' || r.target, 0))
order by r.started_at;
