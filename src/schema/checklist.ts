/** Is the bundled schema complete? Every object it promises, looked up in the catalog. */
export type ChecklistKind = 'table' | 'index' | 'view' | 'function' | 'trigger' | 'policy';

export interface ChecklistItem {
  /** As a person would name it; triggers and policies with `on` and their table. */
  readonly object: string;
  readonly kind: ChecklistKind;
  /** There, and doing its work: an invalid index, a disabled trigger or a policy without row level security is not. */
  readonly present: boolean;
}

/** Runs a read on whatever connection there is. */
export type RunQuery = (sql: string, parameters: readonly unknown[]) => Promise<readonly ChecklistItem[]>;

/** The table around which the bundled schema is built, as configuration spells it. */
export const BUNDLED_TABLE = 'unified.event_metric_events';

/** What the objects are called. Those of a partitioned table's months are added by the query. */
const EXPECTED = {
  table: ['unified.event_metric_events', 'public.sessions'],
  index: [
    'unified.idx_event_metric_events_timestamp',
    'unified.idx_event_metric_events_type',
    'unified.idx_event_metric_events_category',
    'unified.idx_event_metric_events_source',
    'unified.idx_event_metric_events_category_timestamp',
    'unified.idx_event_metric_events_severity',
    'unified.idx_event_metric_events_correlation',
    'unified.idx_event_metric_events_fts',
    'public.idx_sessions_session_id',
    'public.idx_sessions_user_id',
    'public.idx_sessions_created_at',
    'public.idx_sessions_last_activity',
    'public.idx_sessions_expires_at',
  ],
  view: ['unified.mv_recent_events', 'unified.mv_error_summary', 'unified.mv_performance_metrics'],
  function: [
    'unified.create_monthly_partition()',
    'unified.validate_metadata(jsonb)',
    'unified.apply_metadata_validation()',
    'unified.cleanup_old_partitions()',
    'unified.refresh_materialized_views()',
  ],
  trigger: [
    'trigger_apply_metadata_validation on unified.event_metric_events',
    'trigger_update_sessions_timestamp on public.sessions',
  ],
  policy: [
    'Allow service role full access on unified.event_metric_events',
    'Allow authenticated users to read events on unified.event_metric_events',
    'Allow service role full access on public.sessions',
    'Allow authenticated users to read own sessions on public.sessions',
  ],
} as const satisfies Record<ChecklistKind, readonly string[]>;

// Names are put together here and compared as text: unlike to_regclass and its kin, a comparison needs no right on a schema.
// json and not jsonb, because that one would put the kinds in an order of its own.
const QUERY = `
with expected as (
  select kind, object, kinds.position as major, objects.position as minor
  from pg_catalog.json_each($1::json) with ordinality as kinds (kind, names, position)
  cross join lateral pg_catalog.json_array_elements_text(names) with ordinality as objects (object, position)
  union all
  select 'table', 'unified.event_metric_events_' || pg_catalog.to_char(month, 'YYYY_MM'), 1, 1
  from pg_catalog.date_trunc('month', pg_catalog.now() at time zone 'UTC') as this_month
  cross join lateral pg_catalog.unnest(array[this_month, this_month + interval '1 month']) as month
), relations as (
  select c.oid, c.relkind, c.relrowsecurity, n.nspname || '.' || c.relname as name
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('unified', 'public')
), found (kind, object) as (
  select 'table', r.name from relations r
  where (r.name, r.relkind) in (('unified.event_metric_events', 'p'), ('public.sessions', 'r'))
  union all
  select 'table', r.name from relations r
  join pg_catalog.pg_inherits i on i.inhrelid = r.oid and not i.inhdetachpending
  join relations parent on parent.oid = i.inhparent and parent.name = 'unified.event_metric_events'
  union all
  select 'index', r.name from relations r join pg_catalog.pg_index i on i.indexrelid = r.oid where i.indisvalid
  union all
  select 'view', r.name from relations r where r.relkind = 'm'
  union all
  select 'function', n.nspname || '.' || p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')'
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  union all
  select 'trigger', t.tgname || ' on ' || r.name
  from relations r join pg_catalog.pg_trigger t on t.tgrelid = r.oid where t.tgenabled <> 'D'
  union all
  select 'policy', p.polname || ' on ' || r.name
  from relations r join pg_catalog.pg_policy p on p.polrelid = r.oid where r.relrowsecurity
)
select e.kind, e.object, exists (select from found f where (f.kind, f.object) = (e.kind, e.object)) as present
from expected e
order by e.major, e.minor, e.object`;

/**
 * Looks for every object of the bundled schema, with the partitions of this month and the next one (UTC, by the database's
 * clock). One query, which only reads.
 */
export async function readChecklist(run: RunQuery): Promise<readonly ChecklistItem[]> {
  const rows = await run(QUERY, [JSON.stringify(EXPECTED)]);
  return rows.map(({ object, kind, present }) => ({ object, kind, present }));
}
