-- Says, the first time, which database this ledger belongs to. No parameters.
insert into partkeeper.identity (system_identifier, database)
select c.system_identifier::text, current_database() from pg_control_system() c
on conflict do nothing;
