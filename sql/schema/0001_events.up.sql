-- Where do events go? Into one table, cut into calendar months, for everything that monitoring, validation, caches,
-- errors and dead letters have to tell.
--
-- House rules of this folder: a file may be run again without harm; every object is named with its schema, because the
-- search path is not to be trusted; nothing that was here before is altered.

set local lock_timeout = '5s';

-- The mark in the comment tells our table from one that was here before. Taking over a stranger's table would mean that
-- the way back drops it.
do $guard$
declare
  existing constant regclass := pg_catalog.to_regclass('unified.event_metric_events');
begin
  if existing is null
    or pg_catalog.obj_description(existing, 'pg_class') like '%Part of partkeeper''s bundled schema.%'
  then
    return;
  end if;
  raise exception using
    errcode = 'duplicate_table',
    message = pg_catalog.format('unified.event_metric_events exists already: %s that this migration did not make', (
      select case relkind when 'r' then 'a plain table' when 'p' then 'a partitioned table' else 'a relation' end
      from pg_catalog.pg_class where oid = existing)),
    detail = 'Nothing was changed.',
    hint = 'Rename it, migrate and copy its rows; or leave the bundled schema out and configure the table as it is.';
end
$guard$;

-- Asked first, because "create schema if not exists" wants the right to create schemas even where there is nothing to do.
do $schema$
begin
  if pg_catalog.to_regnamespace('unified') is null then
    create schema unified;
    comment on schema unified is 'Events and metrics in one place. Part of partkeeper''s bundled schema.';
  end if;
end
$schema$;

-- A primary key of a partitioned table must contain the partition key: uniqueness is kept partition by partition.
create table if not exists unified.event_metric_events (
  id uuid not null default gen_random_uuid(),

  event_type varchar(50) not null,
  event_category varchar(30) not null,
  source_system varchar(50) not null,

  event_timestamp timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  event_data jsonb not null default '{}',
  event_metrics jsonb not null default '{}',
  event_metadata jsonb not null default '{}',

  severity varchar(20) not null default 'info',
  status varchar(20) not null default 'pending',
  priority integer not null default 0,

  retry_count integer not null default 0,
  max_retries integer not null default 3,
  resolved_at timestamptz,

  duration_ms integer,
  data_size_bytes integer,
  response_time_ms integer,

  correlation_id varchar(100),
  user_id varchar(100),
  session_id varchar(100),

  constraint event_metric_events_pkey primary key (id, event_timestamp)
) partition by range (event_timestamp);

-- Eight indexes, one question each. They are made while the table has no partition, so nobody waits; every later
-- partition gets its own copies before it is attached.
create index if not exists idx_event_metric_events_timestamp
  on unified.event_metric_events (event_timestamp desc);
create index if not exists idx_event_metric_events_type
  on unified.event_metric_events (event_type, event_timestamp desc);
-- "Which cache events failed lately?" The next but one answers the same without the status.
create index if not exists idx_event_metric_events_category
  on unified.event_metric_events (event_category, status, event_timestamp desc);
create index if not exists idx_event_metric_events_source
  on unified.event_metric_events (source_system, event_timestamp desc);
create index if not exists idx_event_metric_events_category_timestamp
  on unified.event_metric_events (event_category, event_timestamp desc);
create index if not exists idx_event_metric_events_severity
  on unified.event_metric_events (severity, event_timestamp desc);
-- Partial, because most events belong to no chain of requests.
create index if not exists idx_event_metric_events_correlation
  on unified.event_metric_events (correlation_id, event_timestamp desc) where correlation_id is not null;
-- The configuration is spelled out: to_tsvector(text) follows default_text_search_config, so it is not immutable and
-- cannot be indexed.
create index if not exists idx_event_metric_events_fts
  on unified.event_metric_events
  using gin (to_tsvector('pg_catalog.english'::regconfig, event_type || ' ' || source_system));

create or replace function unified.validate_metadata(metadata jsonb) returns jsonb
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- The left operand of || gives defaults, the right one the last word. What is no object is kept under "value".
  select '{"version": "1.0"}'::jsonb
    || case
         when metadata is null or jsonb_typeof(metadata) = 'null' then '{}'::jsonb
         when jsonb_typeof(metadata) = 'object' then metadata
         else jsonb_build_object('value', metadata)
       end
    || '{"schema": "standard"}'::jsonb
$$;
comment on function unified.validate_metadata(jsonb) is
  'The standard form of metadata: an object with "version" (1.0 where none is given) and "schema": "standard".';

create or replace function unified.apply_metadata_validation() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  new.event_data := unified.validate_metadata(new.event_data);
  new.event_metrics := unified.validate_metadata(new.event_metrics);
  new.event_metadata := unified.validate_metadata(new.event_metadata);
  -- Not on insert: rows copied in from elsewhere keep their history.
  if tg_op = 'UPDATE' then
    new.updated_at := now();
  end if;
  return new;
end
$$;
comment on function unified.apply_metadata_validation() is
  'Brings the JSON columns of a row into standard form; an update also sets updated_at.';

-- On the partitioned table, so that every partition gets it when it is attached.
create or replace trigger trigger_apply_metadata_validation
  before insert or update on unified.event_metric_events
  for each row execute function unified.apply_metadata_validation();
comment on trigger trigger_apply_metadata_validation on unified.event_metric_events is
  'Standard metadata in every row, whoever writes it.';

comment on table unified.event_metric_events is
  'Events and metrics of all subsystems, one partition for each calendar month in UTC. '
  'Part of partkeeper''s bundled schema.';
comment on column unified.event_metric_events.id is 'Unique together with event_timestamp.';
comment on column unified.event_metric_events.event_type is 'What happened, for example cache_miss.';
comment on column unified.event_metric_events.event_category is 'monitoring, validation, cache, error or dlq.';
comment on column unified.event_metric_events.source_system is 'Who reported it: websocket, supabase, cache, provider.';
comment on column unified.event_metric_events.event_timestamp is
  'When it happened. The partition key: it decides in which month a row lives and when it expires.';
comment on column unified.event_metric_events.created_at is 'When the row was written.';
comment on column unified.event_metric_events.updated_at is 'When the row was last changed; set by a trigger.';
comment on column unified.event_metric_events.event_data is 'What is particular to the type of event, in standard form.';
comment on column unified.event_metric_events.event_metrics is 'Measurements that have no column, in standard form.';
comment on column unified.event_metric_events.event_metadata is 'Where the event came from, in standard form.';
comment on column unified.event_metric_events.severity is 'info, warning, error or critical.';
comment on column unified.event_metric_events.status is 'pending, success, failed or retry.';
comment on column unified.event_metric_events.priority is '0 low, 5 normal, 10 high.';
comment on column unified.event_metric_events.retry_count is 'Attempts after the first one.';
comment on column unified.event_metric_events.max_retries is 'Attempts after which the event counts as failed.';
comment on column unified.event_metric_events.resolved_at is 'When an error was dealt with; null while it is open.';
comment on column unified.event_metric_events.duration_ms is 'Work done, in milliseconds.';
comment on column unified.event_metric_events.data_size_bytes is 'Payload handled, in bytes.';
comment on column unified.event_metric_events.response_time_ms is 'What the caller waited, in milliseconds.';
comment on column unified.event_metric_events.correlation_id is 'The same for all events of one chain of requests.';
comment on column unified.event_metric_events.user_id is 'On whose behalf.';
comment on column unified.event_metric_events.session_id is
  'public.sessions.session_id. No foreign key: sessions expire earlier than events.';
