-- $1 run_id, $2 attempt, $3 started_at, $4 outcome, $5 done, $6 failed, $7 error code, $8 error message.
--
-- An intent of the run that is still open by then was not carried out, and the database was away when that was to be put on
-- record. One whose commit is on its way holds its row: it is waited for, and looked at again.
with abandoned as (
  update partkeeper.actions
  set finished_at = clock_timestamp(), outcome = 'abandoned'
  where run_id = $1 and attempt = $2 and outcome = 'intended'
)
update partkeeper.runs
set finished_at = clock_timestamp(), outcome = $4, done = $5, failed = $6, error_code = $7, error_message = $8
where run_id = $1 and attempt = $2 and started_at = $3::timestamptz;
