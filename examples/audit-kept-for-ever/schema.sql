create schema if not exists audit;

create table audit.entries (
  id uuid not null,
  day date not null,
  entry jsonb not null,
  primary key (id, day)
) partition by range (day);

create table audit.logins (
  person text not null,
  at timestamptz not null
) partition by range (at);
