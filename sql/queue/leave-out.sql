-- Takes the id of a tick that is left out, so that no replica can send it any more. $1 id, $2 singleton key, $3 data (JSON), $4
-- output (JSON). One row, unless the queue has the id already: then the tick was sent, or left out by somebody else.
--
-- A cancelled job is never fetched, is outside of the policy, and is deleted after the queue's own time.
insert into {{schema}}.job (
  id, name, data, state, singleton_key, start_after, created_on, completed_on, keep_until, deletion_seconds, policy, output
)
select $1, q.name, $3::jsonb, 'cancelled', $2, now(), now(), now(), now() + q.retention_seconds * interval '1 second',
  q.deletion_seconds, q.policy, $4::jsonb
from {{schema}}.queue q
where q.name = 'partkeeper'
on conflict do nothing
returning id;
