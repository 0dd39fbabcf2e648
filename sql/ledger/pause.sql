-- $1 job or '', $2 target or '', $3 by whom, $4 reason.
insert into partkeeper.pauses (job, target, paused_by, reason) values ($1, $2, $3, $4)
on conflict (job, target) do update set paused_at = now(), paused_by = excluded.paused_by, reason = excluded.reason;
