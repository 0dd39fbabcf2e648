-- Who may see what? Policies are bound to roles: one written for everybody is open to everybody, whatever its name says.
--
-- Where Supabase's roles and auth.uid() are found, the policies are for service_role and authenticated, and a session is
-- one's own when its user_id is auth.uid(). Anywhere else they are for two group roles, made here if need be:
--
--   partkeeper_service   reads and writes everything    grant partkeeper_service to my_application;
--   partkeeper_reader    reads events, views and        grant partkeeper_reader to alice;
--                        sessions of its own
--
-- They cannot log in and have no password. There a session is one's own when its user_id is the name of the role that
-- asks. A setting that says who the user is would be no proof: everybody may change settings.
--
-- Roles belong to the whole cluster, so the way back leaves them: another database may use them.

set local lock_timeout = '5s';

do $security$
declare
  on_supabase constant boolean := pg_catalog.to_regrole('service_role') is not null
    and pg_catalog.to_regrole('authenticated') is not null
    and pg_catalog.to_regprocedure('auth.uid()') is not null;
  service constant text := case when on_supabase then 'service_role' else 'partkeeper_service' end;
  reader constant text := case when on_supabase then 'authenticated' else 'partkeeper_reader' end;
  -- As a subquery it is computed once for a statement, not once for a row.
  own_session constant text := case when on_supabase
    then 'user_id = (select auth.uid())::text' else 'user_id = current_user::text' end;
  role_name text;
  events_table regclass;
  policy record;
begin
  foreach role_name in array array[service, reader] loop
    continue when pg_catalog.to_regrole(role_name) is not null;
    begin
      execute format('create role %I nologin', role_name);
      execute format('comment on role %I is %L', role_name, 'Group role of partkeeper''s bundled schema.');
    exception
      when duplicate_object or unique_violation then
        null; -- Another database of the cluster was migrated at the same moment.
      when insufficient_privilege then
        raise exception using
          errcode = 'insufficient_privilege',
          message = format('role %I is missing, and %I may not create roles', role_name, current_user),
          hint = format('Ask an administrator to run: create role %I nologin; create role %I nologin;', service, reader);
    end;
  end loop;

  execute format('grant usage on schema unified to %I, %I', service, reader);
  -- A partition that is asked directly goes by its own rights and its own row level security, never by its parent's.
  -- Closed and without a policy it shows nothing: rows are read through the table, where the policies are.
  for events_table in select relid from pg_catalog.pg_partition_tree('unified.event_metric_events') loop
    execute format('alter table %s enable row level security', events_table);
    execute format('grant select, insert, update, delete on table %s to %I', events_table, service);
    execute format('grant select on table %s to %I', events_table, reader);
  end loop;
  alter table public.sessions enable row level security;
  execute format('grant select, insert, update, delete on table public.sessions to %I', service);
  execute format('grant select on table public.sessions to %I', reader);
  -- Called by the trigger with the rights of whoever writes.
  execute format('grant execute on function unified.validate_metadata(jsonb) to %I', service);
  -- Materialized views know no row level security; these hold counts and averages only.
  execute format('grant select on table unified.mv_recent_events, unified.mv_error_summary, '
                 'unified.mv_performance_metrics to %I, %I', service, reader);

  for policy in
    select * from (values
      ('unified.event_metric_events'::regclass, 'Allow service role full access', 'all', service, 'true'),
      ('unified.event_metric_events', 'Allow authenticated users to read events', 'select', reader, 'true'),
      ('public.sessions', 'Allow service role full access', 'all', service, 'true'),
      ('public.sessions', 'Allow authenticated users to read own sessions', 'select', reader, own_session)
    ) wanted (on_table, name, command, to_role, rows_seen)
    where not exists (select from pg_catalog.pg_policy where polrelid = on_table and polname = name)
  loop
    -- Without WITH CHECK the rows one may write are the rows one may see.
    execute format('create policy %I on %s for %s to %I using (%s)',
                   policy.name, policy.on_table, policy.command, policy.to_role, policy.rows_seen);
  end loop;
end
$security$;

comment on policy "Allow service role full access" on unified.event_metric_events is
  'The application itself reads and writes every event.';
comment on policy "Allow authenticated users to read events" on unified.event_metric_events is
  'Everybody who is somebody reads every event and writes none.';
comment on policy "Allow service role full access" on public.sessions is
  'The application itself reads and writes every session.';
comment on policy "Allow authenticated users to read own sessions" on public.sessions is
  'A user sees the sessions whose user_id is theirs.';
