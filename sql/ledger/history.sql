-- Runs, newest first. $1 job or null, $2 target or null, $3 since or null, $4 how many.
select run_id, attempt, job, target, trigger, tick, requested_by, reason, replica, version, config_hash, started_at, finished_at,
  outcome, done, failed, error_code, error_message,
  extract(epoch from finished_at - started_at)::float8 * 1000 as duration_ms
from partkeeper.runs
where ($1::text is null or job = $1) and ($2::text is null or target = $2) and ($3::timestamptz is null or started_at >= $3::timestamptz)
order by started_at desc, run_id
limit $4;
