-- Lets retention apply again to what was attached on request. $1 target, $2 schema, $3 name; or the name null for all of the target.
update partkeeper.retirements r
set state = 'released', ended_at = clock_timestamp()
where r.ended_at is null and r.target = $1 and r.state = 'restored' and ($3::text is null or (r.schema_name = $2 and r.relation_name = $3))
returning r.schema_name as schema, r.relation_name as name;
