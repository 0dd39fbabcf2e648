-- Explains a tick that was left out; every replica may say so, once is kept. $1 run_id, $2 job, $3 target, $4 tick, $5 reason,
-- $6 replica, $7 version, $8 config_hash. One row if this call was the first.
insert into partkeeper.runs (run_id, attempt, job, target, trigger, tick, reason, replica, version, config_hash, started_at, finished_at, outcome)
select $1, 0, $2, $3, 'schedule', $4::timestamptz, $5, $6, $7, $8, $4::timestamptz, clock_timestamp(), 'skipped'
where not exists (select from partkeeper.runs r where r.run_id = $1)
on conflict do nothing
returning run_id;
