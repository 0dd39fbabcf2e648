-- Ends the retirements that the catalog contradicts, and forgets those that ended long ago. $1 target. Only under the lock of the
-- job on the target: then nobody retires its partitions, but for a server that goes on with the detach of a client that is gone.
with forgotten as (
  delete from partkeeper.retirements r
  where r.target = $1 and r.ended_at < clock_timestamp() - interval '1 year'
), seen as (
  select r.retirement_id,
    case
      when c.oid is null then true
      -- Somebody has made it a partition of another table.
      when i.inhparent is not null and i.inhparent <> r.parent then true
      -- Attached again by hand, or by hand taken off again: what we knew about it is over.
      when r.state in ('detached', 'kept') then i.inhparent = r.parent and not i.inhdetachpending
      when r.state = 'restored' then i.inhparent is null
      -- Nothing has come of it, and nothing will.
      when r.state = 'intended' then i.inhparent = r.parent and not i.inhdetachpending
        and not exists (select from pg_stat_activity a where a.datname = current_database() and a.application_name = 'partkeeper detach')
      else false
    end as is_over
  from partkeeper.retirements r
  left join pg_class c on c.oid = r.partition
  left join pg_inherits i on i.inhrelid = r.partition
  where r.target = $1 and r.ended_at is null
)
update partkeeper.retirements r
set state = 'abandoned', ended_at = clock_timestamp()
from seen s
where s.retirement_id = r.retirement_id and s.is_over;
