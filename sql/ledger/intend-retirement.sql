-- Puts a retirement on record before anything is done. $1 retirement_id, $2 target, $3 parent, $4 schema, $5 name, $6 partition,
-- $7 bound, $8 is_kept, $9 drop_after, $10 why, $11 run_id. An open one of the same table goes on.
insert into partkeeper.retirements as r
  (retirement_id, target, parent, schema_name, relation_name, partition, bound, is_kept, drop_after, why, run_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $10, $11)
on conflict (partition) where ended_at is null do update
set run_id = excluded.run_id,
  is_kept = case when r.state = 'intended' then excluded.is_kept else r.is_kept end,
  drop_after = case when r.state = 'intended' then excluded.drop_after else r.drop_after end,
  why = case when r.state = 'intended' then excluded.why else r.why end,
  intended_at = case when r.state = 'intended' then clock_timestamp() else r.intended_at end;
