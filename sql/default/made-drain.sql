-- In the transaction that made them: $1 id, $2 partition, $3 new default, $4 queue, each as schema and name in one array of two,
-- $5 structure, $6 capture function as schema and name.
update partkeeper.drains d
set state = 'capturing', structure = $5,
  partition = (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = ($2::text[])[1] and c.relname = ($2::text[])[2]),
  new_default = (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = ($3::text[])[1] and c.relname = ($3::text[])[2]),
  queue = (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = ($4::text[])[1] and c.relname = ($4::text[])[2]),
  capture = (select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = ($6::text[])[1] and p.proname = ($6::text[])[2])
where d.id = $1
returning d.id;
