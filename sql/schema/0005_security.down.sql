-- Takes policies, row level security and the rights away again. The two group roles stay: they belong to the cluster.

set local lock_timeout = '5s';

do $security$
declare
  policy record;
  role_name text;
  secured regclass;
begin
  -- The policies know which roles they were made for.
  for role_name in
    select distinct r.rolname
    from pg_catalog.pg_policy p
    join pg_catalog.pg_roles r on r.oid = any (p.polroles)
    where p.polrelid in (pg_catalog.to_regclass('unified.event_metric_events'), pg_catalog.to_regclass('public.sessions'))
      and p.polname in ('Allow service role full access', 'Allow authenticated users to read events',
                        'Allow authenticated users to read own sessions')
  loop
    for secured in
      select relid from pg_catalog.pg_partition_tree('unified.event_metric_events')
      union all
      select unnest(array['public.sessions', 'unified.mv_recent_events', 'unified.mv_error_summary',
                          'unified.mv_performance_metrics'])::regclass
    loop
      execute format('revoke all on table %s from %I', secured, role_name);
    end loop;
    execute format('revoke execute on function unified.validate_metadata(jsonb) from %I', role_name);
    execute format('revoke usage on schema unified from %I', role_name);
  end loop;
end
$security$;

drop policy if exists "Allow service role full access" on unified.event_metric_events;
drop policy if exists "Allow authenticated users to read events" on unified.event_metric_events;
drop policy if exists "Allow service role full access" on public.sessions;
drop policy if exists "Allow authenticated users to read own sessions" on public.sessions;

do $security$
declare
  secured regclass;
begin
  for secured in
    select relid from pg_catalog.pg_partition_tree('unified.event_metric_events')
    union all
    select 'public.sessions'::regclass
  loop
    execute format('alter table %s disable row level security', secured);
  end loop;
end
$security$;
