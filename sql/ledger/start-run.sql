-- Puts a run on record as it starts. $1 run_id, $2 attempt, $3 job, $4 target, $5 trigger, $6 tick, $7 requested_by, $8 reason,
-- $9 replica, $10 version, $11 config_hash. Returns when it started, which is part of its key; no row where it has succeeded already.
insert into partkeeper.runs (run_id, attempt, job, target, trigger, tick, requested_by, reason, replica, version, config_hash, started_at)
select $1, $2, $3, $4, $5, $6::timestamptz, $7, $8, $9, $10, $11, clock_timestamp()
where not exists (select from partkeeper.runs r where r.run_id = $1 and r.outcome = 'success')
returning started_at;
