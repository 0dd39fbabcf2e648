-- The actions of the given runs, in their order. $1 uuid[] run ids.
select action_id, run_id, attempt, intended_at, kind, target, relation, relation_oid, bound, because, why, statements, outcome,
  finished_at, duration_ms, lock_wait_ms, attempts, rows, bytes, error_code, error_message
from partkeeper.actions
where run_id = any ($1::uuid[])
order by intended_at, action_id;
