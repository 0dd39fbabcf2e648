-- `select * from partkeeper.trigger('refresh', 'unified.mv_recent_events')`: asks for a run, by the queue's own rules.
--
-- Made for pg-boss's schema {{schema}} whenever the queue is prepared. A plain insert into the queue's table would miss the
-- policy that it takes from the queue's row, and with it the promise that of one job and target at most one is under way.
--
-- Runs with the rights of whoever made it, so that who may call it needs none on the queue's tables: with those, the place of a job
-- and target could be held for ever, or the id of a coming tick be taken, and neither would come to its turn.

create or replace function partkeeper.trigger(
  job text, target text default null, reason text default null, requested_by text default null
)
returns table (run_id uuid, run_job text, run_target text, status text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  -- The target as the server reads names: case is folded where there are no quotes.
  named text[];
  wanted record;
begin
  if pg_catalog.char_length(trigger.reason) > 500 or pg_catalog.char_length(trigger.requested_by) > 200 then
    raise exception using
      errcode = 'string_data_right_truncation',
      message = 'a reason has at most 500 characters, and requested_by at most 200';
  end if;
  if pg_catalog.char_length(trigger.target) <= 300 then
    begin
      named := pg_catalog.parse_ident(trigger.target);
    exception when invalid_parameter_value then
      -- No name at all, and therefore none that is configured.
      named := null;
    end;
  end if;

  for wanted in
    select t.job, t.target, t.priority from partkeeper.targets t
    where t.job = trigger.job and (trigger.target is null or pg_catalog.parse_ident(t.target) = named)
    order by t.target
  loop
    run_id := null;
    run_job := wanted.job;
    run_target := wanted.target;
    -- The run that stands in the way may end between the two statements: then ours is taken at the next try.
    for try in 1..5 loop
      insert into {{schema}}.job (
        id, name, data, priority, start_after, created_on, singleton_key, expire_seconds, deletion_seconds, keep_until,
        retry_limit, retry_delay, retry_backoff, retry_delay_max, policy, dead_letter, heartbeat_seconds
      )
      select
        gen_random_uuid(), q.name,
        pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
          'job', wanted.job, 'target', wanted.target, 'reason', trigger.reason,
          'requestedBy', coalesce(trigger.requested_by, session_user::text))),
        wanted.priority, now(), now(), wanted.job || '/' || wanted.target, q.expire_seconds, q.deletion_seconds,
        now() + q.retention_seconds * interval '1 second',
        q.retry_limit, q.retry_delay, q.retry_backoff, q.retry_delay_max, q.policy, q.dead_letter, q.heartbeat_seconds
      from {{schema}}.queue q
      where q.name = 'partkeeper'
      on conflict do nothing
      returning id into run_id;
      if found then
        status := 'queued';
        exit;
      end if;
      select j.id, case j.state when 'active' then 'already running' else 'already queued' end into run_id, status
      from {{schema}}.job j
      where j.name = 'partkeeper' and j.singleton_key = wanted.job || '/' || wanted.target and j.state <= 'active';
      exit when found;
    end loop;
    if run_id is null then
      raise exception using
        errcode = 'serialization_failure',
        message = pg_catalog.format('%s %s could not be queued', wanted.job, wanted.target),
        hint = 'Try again; in a transaction of isolation level read committed, and after ''partkeeper migrate up''.';
    end if;
    return next;
  end loop;

  if not found then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = pg_catalog.format(
        '%s is not configured for %s',
        coalesce(pg_catalog.left(trigger.target, 300), 'nothing'), coalesce(pg_catalog.left(trigger.job, 100), 'no job')
      ),
      hint = 'Configured: ' || coalesce((
        select pg_catalog.string_agg(t.job || ' ' || t.target, ', ' order by t.job, t.target) from partkeeper.targets t
      ), 'nothing; start the service once') || '.';
  end if;
end
$function$;

comment on function partkeeper.trigger(text, text, text, text) is
  'Asks for a run of a configured job, on one configured target or on all of them. Answers with the id of the run, or with that of the run already under way.';

-- By itself anybody could call it. It is granted by `partkeeper migrate up --grant-to`, by ops/roles.sql, or by its owner.
revoke execute on function partkeeper.trigger(text, text, text, text) from public;
