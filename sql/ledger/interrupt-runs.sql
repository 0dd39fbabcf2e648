-- Marks what a process that vanished has left unfinished. Only under the lock of this job and target: then nobody runs it.
-- $1 job, $2 target. One row per run that was marked.
with vanished as (
  update partkeeper.runs
  set finished_at = clock_timestamp(), outcome = 'interrupted'
  where job = $1 and target = $2 and finished_at is null
  returning run_id, attempt, job, target
), abandoned as (
  update partkeeper.actions a
  set finished_at = clock_timestamp(), outcome = 'abandoned'
  from vanished v
  where a.run_id = v.run_id and a.attempt = v.attempt and a.outcome = 'intended'
), strayed as (
  -- Of a run that began on another server, and whose address moved here in the middle of it.
  update partkeeper.actions a
  set finished_at = clock_timestamp(), outcome = 'abandoned'
  where a.target = $2 and a.outcome = 'intended'
    and not exists (select from partkeeper.runs r where r.run_id = a.run_id)
)
select run_id, job, target from vanished;
