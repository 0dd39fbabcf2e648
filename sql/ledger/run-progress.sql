-- How far a run is: its newest attempt. $1 run_id. At most one row.
select run_id, attempt, job, target, replica, started_at, finished_at, outcome, done, failed, error_code, error_message
from partkeeper.runs
where run_id = $1
order by attempt desc, started_at desc
limit 1;
