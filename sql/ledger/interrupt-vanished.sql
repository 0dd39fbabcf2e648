-- Marks what processes that vanished have left unfinished, whichever job it was. No parameters. One row per run that was marked.
--
-- Safe beside runs that go on: a run takes its lock before it is on record, and is finished on record before it lets go. Where
-- no lock is seen although the run was unfinished when this began, it has ended since, and the update looks at its row again.
with held as materialized (
  select (l.classid::bigint << 32) | l.objid::bigint as key
  from pg_locks l
  where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
    and l.database = (select d.oid from pg_database d where d.datname = current_database())
), vanished as (
  update partkeeper.runs r
  set finished_at = clock_timestamp(), outcome = 'interrupted'
  where r.finished_at is null
    and not exists (select from held where held.key = hashtextextended('partkeeper/' || r.job || '/' || r.target, 0))
  returning r.run_id, r.attempt, r.job, r.target
), abandoned as (
  update partkeeper.actions a
  set finished_at = clock_timestamp(), outcome = 'abandoned'
  from vanished v
  where a.run_id = v.run_id and a.attempt = v.attempt and a.outcome = 'intended'
)
select run_id, job, target from vanished;
