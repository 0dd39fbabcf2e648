-- Remembers that a table was found in order under a retention. $1 schema, $2 name, $3 target, $4 retention.
insert into partkeeper.retentions (parent, target, retention)
select c.oid, $3, $4
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2
on conflict (parent) do update set target = excluded.target, retention = excluded.retention, accepted_at = now();
