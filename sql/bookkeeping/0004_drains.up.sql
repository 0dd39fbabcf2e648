-- Which tables of a swap are ours? Only what is written here, before it is made, may be dropped.

set local lock_timeout = '5s';

create table if not exists partkeeper.drains (
  id bigint generated always as identity,
  parent oid not null,
  target text not null,
  default_partition oid not null,
  lower text not null,
  upper text not null,
  state text not null default 'intended',
  begun_at timestamptz not null default now(),

  -- The tables and the function that were made for it, once they are there.
  partition oid,
  new_default oid,
  queue oid,
  capture oid,
  structure text,
  older text[],

  constraint drains_pkey primary key (id),
  -- A table has one default partition, so one drain at a time.
  constraint drains_parent_key unique (parent),
  constraint drains_state_check check (state in ('intended', 'capturing', 'copied', 'proven', 'swapped'))
);

comment on table partkeeper.drains is
  'Default partitions that are being drained: intended before anything is made, forgotten when nothing of it is left.';
comment on column partkeeper.drains.target is 'The parent''s name, for people who read this.';
comment on column partkeeper.drains.lower is 'The range of the partition to be, as the catalog prints it.';
comment on column partkeeper.drains.state is
  'intended; capturing: changes of the default partition are captured while it is copied; copied; proven: the copies '
  'were compared with it; swapped: the old default partition is kept aside until it is dropped.';
comment on column partkeeper.drains.partition is 'What becomes the new partition.';
comment on column partkeeper.drains.new_default is 'What takes the place of the default partition.';
comment on column partkeeper.drains.queue is 'The keys of rows that were changed while the copies were made.';
comment on column partkeeper.drains.capture is 'The trigger function that fills the queue.';
comment on column partkeeper.drains.structure is 'What the tables looked like when it began; another figure means that it starts over.';
comment on column partkeeper.drains.older is 'The virtual transactions that were there when the copies were complete.';
