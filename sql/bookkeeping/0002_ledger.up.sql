-- What was done, why, by whom, and how long did it take? One row per run, one per action.
--
-- Both tables are partitioned by month and kept for a year, by the same jobs that write into them.

set local lock_timeout = '5s';

create table if not exists partkeeper.runs (
  -- The queue's job, or a number of its own for a run that no queue asked for.
  run_id uuid not null,
  -- A run that the queue tries again has the same run_id.
  attempt integer not null default 1,
  started_at timestamptz not null default now(),

  job text not null,
  target text not null,
  trigger text not null,
  tick timestamptz,
  requested_by text,
  reason text,

  replica text not null,
  version text not null,
  config_hash text not null,

  finished_at timestamptz,
  outcome text,
  done integer,
  failed integer,
  error_code text,
  error_message text,

  constraint runs_pkey primary key (run_id, attempt, started_at)
) partition by range (started_at);

-- "The last run of this job on this target" is what the scheduler, the metrics and `status` ask.
create index if not exists runs_by_target on partkeeper.runs (job, target, started_at desc);
create index if not exists runs_by_tick on partkeeper.runs (job, target, tick desc) where tick is not null;
create index if not exists runs_unfinished on partkeeper.runs (job, target) where finished_at is null;

create table if not exists partkeeper.actions (
  action_id uuid not null,
  run_id uuid not null,
  -- Of the run; the tries of the action are counted below.
  attempt integer not null default 1,
  -- When it was intended; what was destroyed was intended first.
  intended_at timestamptz not null default clock_timestamp(),

  kind text not null,
  target text not null,
  relation text not null,
  relation_oid oid,
  -- As the catalog printed it, or as it was to become.
  bound text,
  because jsonb not null,
  why text not null,
  statements text[] not null,

  outcome text not null default 'intended',
  finished_at timestamptz,
  duration_ms double precision,
  lock_wait_ms double precision,
  attempts integer,
  rows bigint,
  bytes bigint,
  error_code text,
  error_message text,

  constraint actions_pkey primary key (action_id, intended_at)
) partition by range (intended_at);

create index if not exists actions_by_run on partkeeper.actions (run_id);
create index if not exists actions_by_target on partkeeper.actions (target, intended_at desc);

-- This month and the two after it; from there on, the job `provision` goes on.
do $partitions$
declare
  parent text;
  month timestamp;
  partition_name text;
begin
  foreach parent in array array['runs', 'actions'] loop
    for month in
      select pg_catalog.generate_series(this_month, this_month + interval '2 months', interval '1 month')
      from pg_catalog.date_trunc('month', pg_catalog.now() at time zone 'UTC') as this_month
    loop
      partition_name := pg_catalog.format('%s_%s', parent, pg_catalog.to_char(month, 'YYYY_MM'));
      continue when exists (
        select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'partkeeper' and c.relname = partition_name
      );
      execute pg_catalog.format(
        'create table partkeeper.%I partition of partkeeper.%I for values from (%L) to (%L)',
        partition_name, parent, month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC'
      );
    end loop;
  end loop;
end
$partitions$;

-- What is not to be scheduled for the time being. The empty text stands for every job, or every target.
create table if not exists partkeeper.pauses (
  job text not null default '',
  target text not null default '',
  paused_at timestamptz not null default now(),
  paused_by text not null,
  reason text,

  constraint pauses_pkey primary key (job, target)
);

comment on table partkeeper.runs is 'One row per run of a job on a target; kept for a year.';
comment on column partkeeper.runs.run_id is 'The id that a trigger answers with; attempts of one run share it.';
comment on column partkeeper.runs.trigger is 'What made it start: schedule, manual, startup or after (another job).';
comment on column partkeeper.runs.tick is 'The moment of the schedule that it serves.';
comment on column partkeeper.runs.replica is 'The process that ran it: host and process id.';
comment on column partkeeper.runs.outcome is
  'success, partial, failure, canceled, interrupted (its process vanished), skipped (a tick that was left out); null while it runs.';
comment on column partkeeper.runs.attempt is 'From 1, as often as the queue tried the run; 0 for a tick that was left out.';
comment on table partkeeper.actions is 'One row per action of a run, written before it is done; kept for a year.';
comment on column partkeeper.actions.attempt is 'Which attempt of its run it belongs to.';
comment on column partkeeper.actions.attempts is 'How often it was tried; more than once when a lock was not to be had.';
comment on column partkeeper.actions.bound is 'The range of the partition that was created, detached or dropped.';
comment on column partkeeper.actions.outcome is 'intended, done, already-done, failed, or abandoned (its process vanished).';
comment on column partkeeper.actions.lock_wait_ms is 'How long its statements took until the first lock was held, all attempts together.';
comment on table partkeeper.pauses is 'Jobs and targets whose schedules rest until resumed.';

-- What is configured, as the service that started last knows it: what may be triggered.
create table if not exists partkeeper.targets (
  job text not null,
  target text not null,
  priority integer not null default 0,
  schedule text,
  timezone text,
  -- Since when it has this schedule: what it would have come due at before that, nobody missed.
  scheduled_since timestamptz not null default now(),
  config_hash text not null,
  seen_at timestamptz not null default now(),

  constraint targets_pkey primary key (job, target)
);

comment on table partkeeper.targets is 'The configured jobs and their targets, written by the service when it starts.';
