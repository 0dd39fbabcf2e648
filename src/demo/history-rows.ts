/**
 * What happened? The statements that turn a plan into rows. Everything about a row follows from its number, by hashing, so
 * that two loads at the same moment are equal.
 */

/**
 * The rows of one month, for the table whose quoted name takes the place of `$TABLE`.
 *
 * `$1` to `$5` are the slots: start and length in milliseconds, number of the first row, rows, whether it is an incident.
 * The JSON is in standard form already: the trigger that would see to it is switched off for the load.
 */
export const INSERT_EVENTS = `
with kinds (share, category, type, source, typical_ms, typical_bytes, has_user) as (values
  (30, 'monitoring', 'request_completed',   'websocket',   45,  2400, true),
  (12, 'monitoring', 'heartbeat',           'websocket',    2,    64, false),
  (10, 'monitoring', 'query_completed',     'supabase',    18,  5200, true),
  ( 7, 'monitoring', 'completion_finished', 'provider',  1400, 16000, true),
  (16, 'cache',      'cache_hit',           'cache',        1,   900, true),
  ( 6, 'cache',      'cache_miss',          'cache',       22,   900, true),
  ( 3, 'cache',      'cache_evicted',       'cache',        4, 48000, false),
  ( 8, 'validation', 'schema_validated',    'supabase',     7,  1800, true),
  ( 4, 'validation', 'payload_rejected',    'websocket',    3,  1100, true),
  ( 2, 'error',      'provider_timeout',    'provider', 15000,     0, true),
  ( 1, 'error',      'connection_lost',     'websocket', 4000,     0, true),
  ( 1, 'dlq',        'message_parked',      'supabase',    12,  3100, false)
), lots as (
  select kinds.*, row_number() over (order by category, type, lot) - 1 as lot
  from kinds cross join lateral generate_series(1, share) as lot
), drawn as (
  select n, is_incident, dice,
         to_timestamp(start_ms / 1000.0) + ((dice & 9007199254740991) % (length_ms::bigint * 1000)) * interval '1 microsecond' as at,
         -- During an incident every fifth event is a timeout of the provider.
         case when is_incident and (dice >> 4) & 63 < 13 then 97 else (dice >> 10) & 1023 end % 100 as lot,
         ((dice >> 20) & 1023) / 1023.0::float8 as luck,
         (dice >> 30) & 1023 as verdict,
         (dice >> 40) & 4095 as who
  from unnest($1::float8[], $2::float8[], $3::bigint[], $4::int[], $5::boolean[])
    as slot (start_ms, length_ms, first_row, slot_rows, is_incident)
  cross join lateral generate_series(first_row, first_row + slot_rows - 1) as n
  cross join lateral (select hashint8extended(n, 20) & 9223372036854775807) as h (dice)
), judged as (
  select drawn.*, lots.*,
         (typical_ms * (0.5 + 4 * luck ^ 4))::int as took_ms,
         case
           when category = 'error' then case when verdict < 130 then 'critical' else 'error' end
           when verdict < case when is_incident then 200 else 7 end then 'error'
           when verdict < 60 or type = 'payload_rejected' then 'warning'
           else 'info'
         end as severity
  from drawn join lots using (lot)
)
insert into $TABLE (
  id, event_type, event_category, source_system, event_timestamp, created_at, updated_at,
  event_data, event_metrics, event_metadata, severity, status, priority, retry_count, resolved_at,
  duration_ms, data_size_bytes, response_time_ms, correlation_id, user_id, session_id)
select
  md5('event ' || n)::uuid, type, category, source, at, at + luck * interval '900 milliseconds', at + luck * interval '900 milliseconds',
  jsonb_build_object('version', '1.0', 'schema', 'standard', 'path', '/v1/' || type, 'attempt', 1 + verdict % 3),
  jsonb_build_object('version', '1.0', 'schema', 'standard', 'cpu_percent', (luck * 70 + who % 20)::int, 'queue_depth', verdict % 40),
  case who % 3
    when 0 then '{"version": "1.0", "schema": "standard", "host": "app-1", "region": "eu-central"}'::jsonb
    when 1 then '{"version": "1.0", "schema": "standard", "host": "app-2", "region": "eu-central"}'
    else '{"version": "1.0", "schema": "standard", "host": "app-3", "region": "us-east"}'
  end,
  severity,
  case when category = 'dlq' then 'retry' when severity in ('error', 'critical') then 'failed' else 'success' end,
  case severity when 'critical' then 10 when 'error' then 10 when 'warning' then 5 else 0 end,
  case when severity in ('error', 'critical') then (verdict % 4)::int else 0 end,
  case when severity in ('error', 'critical') and verdict % 5 > 0 then at + (1 + who % 90) * interval '1 minute' end,
  took_ms, (typical_bytes * (0.5 + luck))::int, case when category <> 'cache' then took_ms + (who % 30)::int end,
  case when has_user and verdict % 3 = 0 then 'req-' || to_hex(n / 4) end,
  case when has_user then 'user-' || lpad((who % 240)::text, 3, '0') end,
  case when has_user then 'session-' || lpad((who % 600)::text, 4, '0') end
from judged`;
