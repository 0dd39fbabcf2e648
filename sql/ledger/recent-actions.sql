-- The last actions, newest first. $1 text[] targets, $2 how many. For each target a short look into actions_by_target.
select a.*
from unnest($1::text[]) as w (target)
cross join lateral (
  select action_id, run_id, attempt, intended_at, kind, target, relation, relation_oid, bound, because, why, statements, outcome,
    finished_at, duration_ms, lock_wait_ms, attempts, rows, bytes, error_code, error_message
  from partkeeper.actions
  where target = w.target
  order by intended_at desc
  limit $2
) a
order by a.intended_at desc, a.action_id
limit $2;
