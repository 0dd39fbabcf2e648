create schema if not exists app;

create table app.events (
  id bigint generated always as identity,
  occurred_at timestamptz not null,
  kind text not null,
  payload jsonb not null default '{}',
  -- A primary key of a partitioned table has to contain the partition key.
  primary key (id, occurred_at)
) partition by range (occurred_at);

create index on app.events (kind, occurred_at);

create materialized view app.events_by_month as
select date_trunc('month', occurred_at, 'UTC') as month, kind, count(*) as events
from app.events
group by 1, 2;

-- A concurrent refresh needs a unique index on plain columns.
create unique index on app.events_by_month (month, kind);
