-- $1 run_id, $2 attempt, $3 started_at, $4 outcome, $5 done, $6 failed, $7 error code, $8 error message.
update partkeeper.runs
set finished_at = clock_timestamp(), outcome = $4, done = $5, failed = $6, error_code = $7, error_message = $8
where run_id = $1 and attempt = $2 and started_at = $3::timestamptz;
