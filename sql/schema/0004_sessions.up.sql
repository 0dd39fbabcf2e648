-- How does a session survive a restart? As a row.

set local lock_timeout = '5s';

-- Many applications have a table of this name. As with the event store, the mark in the comment tells ours from theirs.
do $guard$
declare
  existing constant regclass := pg_catalog.to_regclass('public.sessions');
begin
  if existing is null
    or pg_catalog.obj_description(existing, 'pg_class') like '%Part of partkeeper''s bundled schema.%'
  then
    return;
  end if;
  raise exception using
    errcode = 'duplicate_table',
    message = 'public.sessions exists already and this migration did not make it',
    detail = 'Nothing was changed.',
    hint = 'Rename it, migrate and copy its rows; or leave the bundled schema out.';
end
$guard$;

create table if not exists public.sessions (
  id uuid not null default gen_random_uuid(),
  session_id varchar(255) not null,

  session_data jsonb not null default '{}',
  session_state varchar(50) not null default 'active',

  user_id varchar(100),
  user_type varchar(50),
  ip_address inet,
  user_agent text,

  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_activity_at timestamptz not null default now(),
  expires_at timestamptz,

  request_count integer not null default 0,
  total_duration_ms integer,

  metadata jsonb not null default '{}',

  constraint sessions_pkey primary key (id),
  -- The constraint's own index is the one people look for; a second one on the same column would only cost writes.
  constraint idx_sessions_session_id unique (session_id)
);

create index if not exists idx_sessions_user_id on public.sessions (user_id);
create index if not exists idx_sessions_created_at on public.sessions (created_at desc);
create index if not exists idx_sessions_last_activity on public.sessions (last_activity_at desc);
create index if not exists idx_sessions_expires_at on public.sessions (expires_at);

-- In our schema, because "public" often has a function of this name that belongs to somebody else.
create or replace function unified.update_updated_at_column() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function unified.update_updated_at_column() is
  'Sets updated_at of a changed row to the time of the transaction.';

create or replace trigger trigger_update_sessions_timestamp
  before update on public.sessions
  for each row execute function unified.update_updated_at_column();
comment on trigger trigger_update_sessions_timestamp on public.sessions is 'Keeps updated_at true, whoever writes.';

comment on table public.sessions is
  'Sessions that survive a restart of the application. Part of partkeeper''s bundled schema.';
comment on column public.sessions.id is 'For joins inside the database.';
comment on column public.sessions.session_id is 'The name under which the application knows the session.';
comment on column public.sessions.session_data is 'What the application needs to go on after a restart.';
comment on column public.sessions.session_state is 'active, inactive or expired.';
comment on column public.sessions.user_id is 'Whose session it is; decides who may read the row.';
comment on column public.sessions.user_type is 'human, agent or system.';
comment on column public.sessions.ip_address is 'Where the session was opened from.';
comment on column public.sessions.user_agent is 'What it was opened with.';
comment on column public.sessions.created_at is 'When it was opened.';
comment on column public.sessions.updated_at is 'When the row was last changed; set by a trigger.';
comment on column public.sessions.last_activity_at is 'When the last request arrived.';
comment on column public.sessions.expires_at is 'When it ends; null if it does not.';
comment on column public.sessions.request_count is 'Requests served.';
comment on column public.sessions.total_duration_ms is 'Time spent on them, in milliseconds.';
comment on column public.sessions.metadata is 'Anything else about the session.';
