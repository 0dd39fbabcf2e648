-- In the action's own transaction. $1 action_id, $2 intended_at, $3 outcome, $4 duration ms, $5 lock wait ms, $6 attempts, $7 rows,
-- $8 bytes, $9 statements as they were run. One row, unless the intent is gone.
update partkeeper.actions
set finished_at = clock_timestamp(), outcome = $3, duration_ms = $4, lock_wait_ms = $5, attempts = $6, rows = $7, bytes = $8, statements = $9::text[]
where action_id = $1 and intended_at = $2::timestamptz
returning action_id;
