-- What do people ask all day? Three summaries, kept as materialized views.
--
-- Each has a unique index on plain columns, which REFRESH … CONCURRENTLY needs. The columns are those the view groups by,
-- and they are NOT NULL in the table: a null would never match its own row and be rewritten at every refresh.
-- No ORDER BY: the order of a materialized view's rows is not kept, readers must ask for it anyway.

set local lock_timeout = '5s';

create materialized view if not exists unified.mv_recent_events as
select
  event_type,
  event_category,
  source_system,
  severity,
  count(*) as event_count,
  avg(duration_ms) as avg_duration_ms,
  max(event_timestamp) as last_event
from unified.event_metric_events
where event_timestamp > now() - interval '24 hours'
group by event_type, event_category, source_system, severity
with data;
create unique index if not exists mv_recent_events_key
  on unified.mv_recent_events (event_type, event_category, source_system, severity);
comment on materialized view unified.mv_recent_events is
  'Events of the 24 hours before the last refresh, by type, category, source and severity.';

create materialized view if not exists unified.mv_error_summary as
select
  event_type,
  source_system,
  count(*) as total_errors,
  count(*) filter (where status = 'failed') as failed_count,
  count(*) filter (where status = 'success') as resolved_count,
  avg(retry_count) as avg_retries
from unified.event_metric_events
where event_timestamp > now() - interval '7 days'
  and severity in ('error', 'critical')
group by event_type, source_system
with data;
create unique index if not exists mv_error_summary_key
  on unified.mv_error_summary (event_type, source_system);
comment on materialized view unified.mv_error_summary is
  'Errors of the 7 days before the last refresh, by type and source.';

create materialized view if not exists unified.mv_performance_metrics as
select
  source_system,
  event_type,
  count(*) as event_count,
  avg(duration_ms) as avg_duration_ms,
  avg(response_time_ms) as avg_response_time_ms,
  max(duration_ms) as max_duration_ms,
  min(duration_ms) as min_duration_ms
from unified.event_metric_events
where event_timestamp > now() - interval '1 hour'
group by source_system, event_type
with data;
create unique index if not exists mv_performance_metrics_key
  on unified.mv_performance_metrics (source_system, event_type);
comment on materialized view unified.mv_performance_metrics is
  'How long work took in the hour before the last refresh, by source and type.';

create or replace function unified.refresh_materialized_views()
returns table (view_name text, outcome text, detail text)
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
declare
  view_oid regclass;
  is_populated boolean;
  has_key boolean;
begin
  foreach view_name in array array[
    'unified.mv_recent_events', 'unified.mv_error_summary', 'unified.mv_performance_metrics']
  loop
    -- A block with a handler is a subtransaction: what fails in one view leaves the others alone.
    begin
      view_oid := view_name;
      select c.relispopulated,
             exists (select from pg_index i
                     where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate
                       and i.indpred is null and i.indexprs is null)
      into strict is_populated, has_key
      from pg_class c where c.oid = view_oid and c.relkind = 'm';

      if not is_populated then
        -- Nobody can read an unpopulated view, so nobody is kept waiting.
        execute format('refresh materialized view %s', view_oid);
        outcome := 'populated';
      elsif has_key then
        execute format('refresh materialized view concurrently %s', view_oid);
        outcome := 'refreshed';
      else
        raise exception using
          errcode = 'object_not_in_prerequisite_state',
          message = 'it has no usable unique index, and a refresh without one would lock out its readers';
      end if;
      detail := null;
    exception when others then
      outcome := 'failed';
      detail := sqlerrm;
      raise warning '% was not refreshed: %', view_name, detail using errcode = sqlstate;
    end;
    return next;
  end loop;
end
$$;
comment on function unified.refresh_materialized_views() is
  'Refreshes the three views without locking out their readers; one row for each: "refreshed", "populated" (for the first '
  'time) or "failed" with the reason, which does not keep the others from being refreshed.';
