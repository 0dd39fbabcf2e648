-- $1 action_id, $2 intended_at, $3 duration ms, $4 lock wait ms, $5 attempts, $6 error code, $7 error message, $8 failed, or deferred.
--
-- A connection that breaks at COMMIT may have committed all the same: then the row says so already, and stays as it is.
update partkeeper.actions
set finished_at = clock_timestamp(), outcome = $8, duration_ms = $3, lock_wait_ms = $4, attempts = $5, error_code = $6, error_message = $7
where action_id = $1 and intended_at = $2::timestamptz and outcome in ('intended', 'abandoned');
