-- Which tables were partitions of what, and what is to become of them? The catalog forgets it when a partition is detached.

set local lock_timeout = '5s';

create table if not exists partkeeper.retirements (
  retirement_id uuid not null,

  -- Names are for people; the OIDs and the bound are the proof.
  target text not null,
  parent oid not null,
  schema_name text not null,
  relation_name text not null,
  partition oid not null,
  bound text not null,

  state text not null default 'intended',
  -- What is to become of it once it is detached.
  is_kept boolean not null,
  drop_after timestamptz,
  why text not null,
  run_id uuid,

  intended_at timestamptz not null default clock_timestamp(),
  detached_at timestamptz,
  asked_at timestamptz,
  asked_by text,
  ended_at timestamptz,

  constraint retirements_pkey primary key (retirement_id),
  constraint retirements_state check (
    state in ('intended', 'detached', 'kept', 'restoring', 'restored', 'dropped', 'released', 'abandoned')
  )
);

-- A table has one open retirement at most; ended ones are history.
create unique index if not exists retirements_open on partkeeper.retirements (partition) where ended_at is null;
create index if not exists retirements_by_parent on partkeeper.retirements (parent) where ended_at is null;

comment on table partkeeper.retirements is
  'One row per partition that was to be retired, written before it is touched; the proof that a detached table is ours to drop.';
comment on column partkeeper.retirements.bound is 'As the catalog printed it, in UTC, while it was attached.';
comment on column partkeeper.retirements.state is
  'intended, detached (waits to be dropped), kept, restoring (asked for), restored (left alone), dropped, released, abandoned.';
comment on column partkeeper.retirements.drop_after is 'The end of its grace; null: as soon as it is detached.';

-- One row: where this ledger was written first.
create table if not exists partkeeper.identity (
  is_the_only_row boolean not null default true,
  system_identifier text not null,
  database text not null,
  pinned_at timestamptz not null default now(),

  constraint identity_pkey primary key (is_the_only_row),
  constraint identity_has_one_row check (is_the_only_row)
);

comment on table partkeeper.identity is
  'The cluster and the database that this ledger belongs to. In a copy of the database elsewhere it proves nothing.';

-- When a table was last found in order by `retire`, and under which retention: neither a much shorter one nor a much later date is
-- believed at once.
create table if not exists partkeeper.retentions (
  parent oid not null,
  target text not null,
  retention text not null,
  accepted_at timestamptz not null default now(),

  constraint retentions_pkey primary key (parent)
);

comment on table partkeeper.retentions is 'The retention of each table as it was last acted upon, and when.';
