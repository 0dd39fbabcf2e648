-- How are the months kept by hand? With functions, for people at a prompt who have no service running. The service does
-- the same with retries, on record, and without ever making writers wait for long.
--
-- Each function runs with the caller's rights and a search path of its own. Those that deal with bounds also pin TimeZone
-- and DateStyle: how a bound is written, and where a month begins, would otherwise depend on who asks.

set local lock_timeout = '5s';

create or replace function unified.event_metric_partitions()
returns table (partition oid, name text, kind "char", bound text, covers tstzrange, is_detaching boolean)
language sql stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO, YMD'
as $$
  select c.oid, format('%I.%I', n.nspname, c.relname), c.relkind, b.bound,
         case when ends is not null then
           tstzrange(
             case when ends[1] <> 'MINVALUE' then trim(both '''' from ends[1])::timestamptz end,
             case when ends[2] <> 'MAXVALUE' then trim(both '''' from ends[2])::timestamptz end)
         end,
         i.inhdetachpending
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid
  join pg_namespace n on n.oid = c.relnamespace
  -- With 0 in place of the table's OID no lock is taken on the partition, so this never waits.
  cross join lateral (select pg_get_expr(c.relpartbound, 0) as bound) b
  cross join lateral regexp_match(
    b.bound, '^FOR VALUES FROM \((MINVALUE|''[^'']+'')\) TO \((MAXVALUE|''[^'']+'')\)$') ends
  where i.inhparent = 'unified.event_metric_events'::regclass
$$;
comment on function unified.event_metric_partitions() is
  'The partitions of unified.event_metric_events and what each covers, read from the catalog and not from names. '
  '"covers" is null for a default partition and whatever else is no plain range.';

create or replace function unified.secure_event_metric_partition(partition regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  parent pg_class;
  statement text;
begin
  select * into strict parent from pg_class where oid = 'unified.event_metric_events'::regclass;
  for statement in
    select format('alter table %s owner to %s', partition, parent.relowner::regrole)
    from pg_class where oid = partition and relowner <> parent.relowner
    union all
    -- What default privileges handed out to others, on Supabase to everybody.
    select distinct format('revoke all on table %s from %s', partition,
                           coalesce(nullif(grantee, 0)::regrole::text, 'public'))
    from pg_class, aclexplode(relacl) where oid = partition and grantee <> relowner
    union all
    select format('grant %s on table %s to %s%s', privilege_type, partition,
                  coalesce(nullif(grantee, 0)::regrole::text, 'public'),
                  case when is_grantable then ' with grant option' else '' end)
    from aclexplode(parent.relacl) where grantee <> parent.relowner
    union all
    select format('alter table %s enable row level security', partition) where parent.relrowsecurity
    union all
    select format('alter table %s force row level security', partition) where parent.relforcerowsecurity
  loop
    execute statement;
  end loop;
end
$$;
comment on function unified.secure_event_metric_partition(regclass) is
  'Gives a table that is going to be attached what CREATE TABLE … LIKE leaves out: owner, rights and row level security '
  'of unified.event_metric_events.';

create or replace function unified.create_monthly_partition(at timestamptz) returns setof text
language plpgsql
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO, YMD'
set lock_timeout = '2s'
as $$
declare
  parent constant regclass := 'unified.event_metric_events';
  month tstzrange;
  covered tstzmultirange;
  in_the_way text;
  partition_name text;
  partition text;
begin
  if at is null or not isfinite(at) then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = 'create_monthly_partition needs a moment in time';
  end if;
  -- One at a time, the service included. What is decided below is read after the lock was given.
  perform pg_advisory_xact_lock(hashtextextended('partkeeper/' || parent::oid, 0));

  for month in
    select tstzrange(first, first + interval '1 month')
    from date_trunc('month', at) this_month,
         unnest(array[this_month, this_month + interval '1 month']) first
  loop
    select range_agg(p.covers) filter (where not p.is_detaching),
           string_agg(p.name, ', ' order by p.covers) filter (where p.covers && month)
    into covered, in_the_way
    from unified.event_metric_partitions() p;
    continue when covered @> month;

    partition_name := 'event_metric_events_' || to_char(lower(month), 'YYYY_MM');
    partition := format('unified.%I', partition_name);
    if in_the_way is not null then
      raise exception using
        errcode = 'invalid_object_definition',
        message = format('%s cannot be created: %s holds a part of its month', partition, in_the_way),
        hint = 'Finish a pending detach, or attach partitions for the rest of the month by hand.';
    end if;
    -- "if not exists" would be content with any table of that name, and the month would stay without a partition.
    if to_regclass(partition) is not null then
      raise exception using
        errcode = 'duplicate_table',
        message = format('%s exists but is not a partition of %s', partition, parent),
        hint = 'Rename it, or attach it if it holds the month''s rows.';
    end if;

    -- CREATE … PARTITION OF would lock out readers and writers of the parent; ATTACH lets both go on.
    execute format('create table %s (like %s including all excluding identity)', partition, parent);
    perform unified.secure_event_metric_partition(to_regclass(partition));
    execute format('alter table %s attach partition %s for values from (%L) to (%L)',
                   parent, partition, lower(month), upper(month));
    raise notice 'created %', partition;
    return next partition;
  end loop;
end
$$;
comment on function unified.create_monthly_partition(timestamptz) is
  'Creates the partitions for the month of the given moment and the month after it (UTC) where they are missing; returns '
  'the names of those it created.';

create or replace function unified.create_monthly_partition() returns setof text
language sql
set search_path = pg_catalog, pg_temp
as $$ select unified.create_monthly_partition(now()) $$;
comment on function unified.create_monthly_partition() is
  'Creates the partitions for this month and the next one (UTC) where they are missing; returns the names of those it '
  'created.';

create or replace function unified.cleanup_old_partitions(retention interval, at timestamptz default now())
returns setof text
language plpgsql
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO, YMD'
set lock_timeout = '200ms'
as $$
declare
  -- One call is one transaction, and from the first detach to its end nobody reads or writes the table.
  most_at_once constant integer := 12;
  parent constant regclass := 'unified.event_metric_events';
  cutoff constant timestamptz := at - retention;
  old record;
begin
  if cutoff is null or not isfinite(at) or cutoff >= at then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('a retention of %s before %s keeps nothing',
                       coalesce(retention::text, 'null'), coalesce(at::text, 'null')),
      hint = 'Give a retention longer than no time, such as interval ''90 days''.';
  end if;
  if at > now() then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('%s lies in the future: rows would be dropped before their time', at);
  end if;
  perform pg_advisory_xact_lock(hashtextextended('partkeeper/' || parent::oid, 0));
  -- Where nobody creates partitions something is wrong already, perhaps with the clock. And because the partition that
  -- holds the given moment ends after it, the last partition can never be among those that go.
  if not exists (select from unified.event_metric_partitions() p where p.covers @> at and not p.is_detaching) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = format('no partition holds %s, so nothing is dropped', at),
      hint = 'Create the missing partitions first: select unified.create_monthly_partition()';
  end if;

  for old in
    select p.partition, p.name, p.bound
    from unified.event_metric_partitions() p
    -- Expired is what ended: a partition that began before the cutoff may still hold rows that are to be kept.
    where upper(p.covers) <= cutoff and not lower_inf(p.covers)
      and p.kind = 'r' and not p.is_detaching
    order by p.covers
    limit most_at_once
  loop
    execute format('lock table only %s in access exclusive mode', parent);
    -- The lock may have been waited for. Now nothing can be attached, detached or given another bound any more.
    if not exists (
      select from unified.event_metric_partitions() p
      where (p.partition, p.name, p.bound) = (old.partition, old.name, old.bound) and not p.is_detaching)
    then
      raise exception using
        errcode = 'object_not_in_prerequisite_state',
        message = format('%s is not what it was a moment ago, so nothing is dropped', old.name);
    end if;
    execute format('alter table %s detach partition %s', parent, old.name);
    if to_regclass(old.name)::oid is distinct from old.partition then
      raise exception using
        errcode = 'object_not_in_prerequisite_state',
        message = format('%s was renamed meanwhile, so nothing is dropped', old.name);
    end if;
    -- Without CASCADE: whatever else depends on the table keeps it.
    execute format('drop table %s', old.name);
    raise notice 'dropped % (%)', old.name, old.bound;
    return next old.name;
  end loop;
end
$$;
comment on function unified.cleanup_old_partitions(interval, timestamptz) is
  'Drops the partitions that ended at or before the given moment less the retention, oldest first and at most 12; returns '
  'their names. Whole months go, so rows live for the retention and up to a month more. Creates nothing.';

create or replace function unified.cleanup_old_partitions() returns setof text
language sql
set search_path = pg_catalog, pg_temp
as $$ select unified.cleanup_old_partitions(interval '90 days', now()) $$;
comment on function unified.cleanup_old_partitions() is
  'Drops the partitions that ended 90 days ago or earlier, oldest first and at most 12; returns their names. Creates '
  'nothing.';

-- The first two months are made like all the others.
do $$ begin perform unified.create_monthly_partition(); end $$;
