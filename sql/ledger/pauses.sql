-- What rests. No parameters.
select job, target, paused_at, paused_by, reason from partkeeper.pauses order by job, target;
