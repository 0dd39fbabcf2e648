-- Puts an action on record before it is done. $1 action_id, $2 run_id, $3 kind, $4 target, $5 relation, $6 relation oid, $7 bound,
-- $8 because (JSON), $9 why, $10 statements, $11 attempt of the run. Returns when, which is part of its key.
insert into partkeeper.actions (action_id, run_id, kind, target, relation, relation_oid, bound, because, why, statements, attempt)
values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10::text[], $11)
returning intended_at;
