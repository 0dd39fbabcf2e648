-- When was a view last refreshed, and has anything changed since? The server does not keep either.

set local lock_timeout = '5s';

-- Asked first, because "create schema if not exists" wants the right to create schemas even where there is nothing to do.
do $schema$
begin
  if pg_catalog.to_regnamespace('partkeeper') is null then
    create schema partkeeper;
    comment on schema partkeeper is 'partkeeper''s own records.';
  end if;
end
$schema$;

create table if not exists partkeeper.view_refreshes (
  -- The OID and not the name: a view that was dropped and made again has never been refreshed.
  view oid not null,
  relation text not null,
  refreshed_at timestamptz not null,
  fingerprint text,
  is_concurrent boolean not null,
  duration_ms double precision,

  constraint view_refreshes_pkey primary key (view)
);

comment on table partkeeper.view_refreshes is 'The last successful refresh of each materialized view.';
comment on column partkeeper.view_refreshes.view is 'The view''s OID in pg_class.';
comment on column partkeeper.view_refreshes.relation is
  'Its name at that time, schema included, for people who read this.';
comment on column partkeeper.view_refreshes.refreshed_at is
  'When the refresh began, on the database''s clock: what was written later is not in the view.';
comment on column partkeeper.view_refreshes.fingerprint is
  'What the view''s base tables looked like before that refresh. The same again means that nothing changed; null means '
  'that it is not known.';
comment on column partkeeper.view_refreshes.is_concurrent is 'Whether readers could go on meanwhile.';
comment on column partkeeper.view_refreshes.duration_ms is 'How long it took, in milliseconds.';
