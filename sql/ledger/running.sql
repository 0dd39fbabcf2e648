-- Runs that have not ended, or whose process vanished. No parameters.
select run_id, job, target, replica, started_at from partkeeper.runs where finished_at is null order by started_at;
