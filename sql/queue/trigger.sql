-- `select * from partkeeper.trigger('refresh', 'unified.mv_recent_events')`: asks for a run, by the queue's own rules.
--
-- Made for pg-boss's schema {{schema}} whenever the queue is prepared. A plain insert into the queue's table would miss the
-- policy that it takes from the queue's row, and with it the promise that of one job and target at most one is under way.

create or replace function partkeeper.trigger(
  job text, target text default null, reason text default null, requested_by text default null
)
returns table (run_id uuid, run_job text, run_target text, status text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  wanted record;
  tries integer;
begin
  if not exists (select from partkeeper.targets t where t.job = trigger.job and (trigger.target is null or t.target = trigger.target)) then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = pg_catalog.format('%s is not configured for %s', coalesce(trigger.target, 'nothing'), trigger.job),
      hint = 'Configured: ' || coalesce((
        select pg_catalog.string_agg(t.job || ' ' || t.target, ', ' order by t.job, t.target) from partkeeper.targets t
      ), 'nothing; start the service once') || '.';
  end if;

  for wanted in
    select t.job, t.target, t.priority from partkeeper.targets t
    where t.job = trigger.job and (trigger.target is null or t.target = trigger.target)
    order by t.target
  loop
    run_job := wanted.job;
    run_target := wanted.target;
    -- The run that stands in the way may end between the two statements: then ours is taken at the next try.
    for tries in 1..5 loop
      insert into {{schema}}.job (
        id, name, data, priority, start_after, created_on, singleton_key, expire_seconds, deletion_seconds, keep_until,
        retry_limit, retry_delay, retry_backoff, retry_delay_max, policy, dead_letter, heartbeat_seconds
      )
      select
        gen_random_uuid(), q.name,
        pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
          'job', wanted.job, 'target', wanted.target, 'reason', trigger.reason, 'requestedBy', coalesce(trigger.requested_by, session_user::text))),
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
    return next;
  end loop;
end
$function$;

comment on function partkeeper.trigger(text, text, text, text) is
  'Asks for a run of a configured job, on one configured target or on all of them. Answers with the id of the run, or with that of the run already under way.';
