/**
 * What happened? The statements that turn a plan into rows. Everything about a row follows from its number, by hashing, so
 * that two loads at the same moment are equal.
 */

import type { RelationName } from '../domain/relation.ts';
import { ddl, type Statement } from '../postgres/ddl.ts';

/**
 * The rows of one month. `$1` to `$5` are the slots: start and length in milliseconds, number of the first row, rows, whether
 * it is an incident. `$6` is now. The JSON is in standard form already: the table has no trigger yet that would see to it.
 */
export const insertEvents = (table: RelationName): Statement => ddl`
-- Out of a hundred events, which are of what kind. The last two are the provider's timeouts.
with kinds (first_lot, last_lot, category, type, source, typical_ms, typical_bytes, has_user) as (values
  ( 0, 29, 'monitoring', 'request_completed',   'websocket',    45,  2400, true),
  (30, 41, 'monitoring', 'heartbeat',           'websocket',     2,    64, false),
  (42, 51, 'monitoring', 'query_completed',     'supabase',     18,  5200, true),
  (52, 58, 'monitoring', 'completion_finished', 'provider',   1400, 16000, true),
  (59, 74, 'cache',      'cache_hit',           'cache',         1,   900, true),
  (75, 80, 'cache',      'cache_miss',          'cache',        22,   900, true),
  (81, 83, 'cache',      'cache_evicted',       'cache',         4, 48000, false),
  (84, 91, 'validation', 'schema_validated',    'supabase',      7,  1800, true),
  (92, 95, 'validation', 'payload_rejected',    'websocket',     3,  1100, true),
  (96, 96, 'error',      'connection_lost',     'websocket',  4000,     0, true),
  (97, 97, 'dlq',        'message_parked',      'supabase',     12,  3100, false),
  (98, 99, 'error',      'provider_timeout',    'provider',  15000,     0, true)
), lots as (
  select kinds.*, lot from kinds cross join lateral generate_series(first_lot, last_lot) as lot
), drawn as (
  select n, is_incident,
         to_timestamp(start_ms / 1000)
           + ((dice & 9007199254740991) % (length_ms * 1000)::bigint) * interval '1 microsecond' as at,
         -- During an incident every fourth event is a timeout.
         case when is_incident and dice & 3 = 0 then 99 else (dice >> 10) & 1023 end % 100 as lot,
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
), mended as (
  select *, severity in ('error', 'critical') as is_error,
         case when severity in ('error', 'critical') and verdict % 3 > 0
           then nullif(least(at + (1 + who % 90) * interval '1 minute', $6::timestamptz), $6::timestamptz)
         end as mended_at
  from judged
)
insert into ${table} (
  id, event_type, event_category, source_system, event_timestamp,
  created_at, updated_at,
  event_data, event_metrics, event_metadata,
  severity, status, priority, retry_count, resolved_at,
  duration_ms, data_size_bytes, response_time_ms,
  correlation_id, user_id, session_id)
select
  md5('event ' || n)::uuid, type, category, source, at,
  at + luck * interval '900 milliseconds', coalesce(mended_at, at + luck * interval '900 milliseconds'),
  jsonb_build_object('version', '1.0', 'schema', 'standard', 'path', '/v1/' || type, 'attempt', 1 + verdict % 3),
  jsonb_build_object('version', '1.0', 'schema', 'standard', 'cpu_percent', (luck * 70 + who % 20)::int,
                     'queue_depth', verdict % 40),
  case who % 3
    when 0 then '{"version": "1.0", "schema": "standard", "host": "app-1", "region": "eu-central"}'::jsonb
    when 1 then '{"version": "1.0", "schema": "standard", "host": "app-2", "region": "eu-central"}'
    else '{"version": "1.0", "schema": "standard", "host": "app-3", "region": "us-east"}'
  end,
  severity,
  case when is_error and mended_at is null then 'failed' when category = 'dlq' then 'retry' else 'success' end,
  case when is_error then 10 when severity = 'warning' then 5 else 0 end,
  case when is_error then (verdict % 4)::int else 0 end,
  mended_at,
  took_ms, (typical_bytes * (0.5 + luck))::int,
  case when category <> 'cache' then took_ms + (who % 30)::int end,
  case when has_user and verdict % 3 = 0 then 'req-' || to_hex(n / 4) end,
  case when has_user then 'user-' || lpad((who % 240)::text, 3, '0') end,
  case when has_user then 'session-' || lpad((who % 600)::text, 4, '0') end
from mended`;

/** `$1` is now. Most of the 600 were active lately; one is over a day after its last request. */
export const INSERT_SESSIONS = `
with drawn as (
  select n, dice, $1::timestamptz - ((dice >> 8) & 4095) ^ 3 / 4096.0 ^ 3 * interval '30 days' as seen
  from generate_series(0, 599) as n
  cross join lateral (select hashint8extended(n, 7) & 9223372036854775807) as h (dice)
)
insert into public.sessions (
  id, session_id, session_data, session_state, user_id, user_type, ip_address, user_agent,
  created_at, updated_at, last_activity_at, expires_at, request_count, total_duration_ms, metadata)
select
  md5('session ' || n)::uuid, 'session-' || lpad(n::text, 4, '0'),
  jsonb_build_object('theme', case dice & 1 when 0 then 'dark' else 'light' end, 'open_documents', dice % 7),
  case when seen < $1::timestamptz - interval '1 day' then 'expired'
       when seen < $1::timestamptz - interval '30 minutes' then 'inactive' else 'active' end,
  'user-' || lpad((n % 240)::text, 3, '0'),
  case when dice % 17 = 0 then 'agent' when dice % 23 = 0 then 'system' else 'human' end,
  '10.20.0.0'::inet + dice % 65536,
  case dice % 3 when 0 then 'Firefox' when 1 then 'Chrome' else 'Safari' end,
  seen - (dice % 600) * interval '1 minute', seen, seen, seen + interval '1 day',
  (1 + dice % 400)::int, ((1 + dice % 400) * 52)::int, '{}'
from drawn
on conflict (session_id) do nothing`;
