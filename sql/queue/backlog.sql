-- The jobs of the queue that are not over, and how long the first of those under way is believed to be alive if nothing more is
-- heard of it. One row. {{schema}}.job_common is where pg-boss keeps the jobs of a queue without a table of its own.
select
  count(*) filter (where state < 'active' and start_after <= now())::int as ready,
  count(*) filter (where state < 'active' and start_after > now())::int as deferred,
  count(*) filter (where state = 'active')::int as active,
  extract(epoch from min(greatest(created_on, start_after)) filter (where state < 'active' and start_after <= now()))::float8
    * 1000 as ready_since_ms,
  extract(epoch from
    min(least(
      heartbeat_on + heartbeat_seconds * interval '1 second',
      started_on + expire_seconds * interval '1 second'
    )) filter (where state = 'active') - clock_timestamp()
  )::float8 * 1000 as alive_ms
from {{schema}}.job_common
where name = 'partkeeper' and state <= 'active';
