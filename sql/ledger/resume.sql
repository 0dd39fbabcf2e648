-- Ends the pauses that a resume of $1 (job or '') and $2 (target or '') covers. One row per pause that ended.
delete from partkeeper.pauses where ($1 = '' or job = $1) and ($2 = '' or target = $2) returning job, target;
