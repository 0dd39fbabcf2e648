-- Asks for a detached partition back. $1 target, $2 schema, $3 name, as it is called now or was called then, $4 by whom. One row when there is such a
-- one that is still a table.
update partkeeper.retirements r
set state = 'restoring', asked_at = clock_timestamp(), asked_by = $4
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where r.ended_at is null and r.target = $1 and c.oid = r.partition
  and ((r.schema_name = $2 and r.relation_name = $3) or (n.nspname = $2 and c.relname = $3))
  and r.state in ('intended', 'detached', 'kept', 'restoring')
  and not exists (select from pg_inherits i where i.inhrelid = r.partition and not i.inhdetachpending)
returning r.bound;
