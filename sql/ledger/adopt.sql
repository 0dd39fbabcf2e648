-- Makes this ledger belong to this database. $1 whether the open retirements are to be forgotten: in a copy, their OIDs mean nothing.
-- Returns how many were.
with forgotten as (
  update partkeeper.retirements set state = 'abandoned', ended_at = clock_timestamp()
  where ended_at is null and $1
  returning retirement_id
), accepted as (
  delete from partkeeper.retentions
), pinned as (
  insert into partkeeper.identity (system_identifier, database)
  select c.system_identifier::text, current_database() from pg_control_system() c
  on conflict (is_the_only_row) do update
  set system_identifier = excluded.system_identifier, database = excluded.database, pinned_at = now()
)
select count(*)::int as forgotten from forgotten;
