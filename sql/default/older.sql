-- Transactions of this database that were there at a certain moment and may still look at things as they were then: under REPEATABLE
-- READ they would not see rows that were copied since. $1 text[] virtual transactions of that moment. What somebody may not see of
-- others' sessions counts against them.
select a.pid, a.usename::text as "user", a.application_name as application
from pg_locks l
join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'virtualxid' and l.granted and l.virtualxid = any ($1::text[])
  and a.datid = (select d.oid from pg_database d where d.datname = current_database())
  and a.pid <> pg_backend_pid()
  and (a.backend_xmin is not null or a.state is null)
order by a.pid
limit 1;
