/** Facts → gauges: the state of server, tables and views as it was when last looked at. */

import { secondsBefore } from '../domain/duration.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Facts, MaterializedViewFacts, PartitionedTableFacts, ServerFacts } from '../domain/facts.ts';
import { type Moments, momentsOf } from '../domain/moments.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { formatRelationName } from '../domain/relation.ts';
import { calendarZone, fromKeyTime, type Instant, type KeyType, toEpochSeconds, toKeyTime } from '../domain/time.ts';
import type { Meters } from './metric-registry.ts';
import {
  countGaps,
  coverageEnd,
  leadTimeSeconds,
  oldestEnd,
  PARTITION_STATES,
  partitionState,
  secondsBetween,
  tableClock,
} from './partition-state.ts';

/** Who reads facts, as the label `collector`. */
export const COLLECTOR = { collector: 'inventory' } as const;

/** A target that the facts do not speak of keeps its values: a run may have read about its own target alone. */
export function recordFacts(meters: Meters, facts: Facts, policies: ReadonlyMap<string, TablePolicy>): void {
  const moments = momentsOf(facts.server);
  recordServer(meters, facts.server);
  for (const table of facts.tables) {
    const policy = policies.get(formatRelationName(table.relation));
    recordSizes(meters, table);
    if (policy && table.key.kind === 'time') recordTable(meters, table, policy, table.key.type, moments);
  }
  for (const view of facts.views) recordView(meters, view);
  for (const { relation } of facts.missing) recordMissing(meters, formatRelationName(relation), policies);
}

function recordServer(meters: Meters, server: ServerFacts): void {
  meters.set('partkeeper_database_writable', {}, Number(!server.isInRecovery && !server.isReadOnly));
  meters.set('partkeeper_database_clock_offset_seconds', {}, secondsBetween(server.processNow, server.databaseNow));
  meters.forget('partkeeper_database_info');
  meters.set('partkeeper_database_info', { server_version: server.version }, 1);
}

function recordSizes(meters: Meters, { relation, partitions }: Pick<PartitionedTableFacts, 'relation' | 'partitions'>) {
  const target = formatRelationName(relation);
  meters.set('partkeeper_partition_size_bytes', { target }, sum(partitions.map(({ size }) => size.bytesEstimate)));
  meters.set(
    'partkeeper_partition_rows_estimate',
    { target },
    sum(partitions.map(({ size }) => size.rowsEstimate ?? 0)),
  );
  const size = partitions.find(({ bound }) => bound.kind === 'default')?.size;
  meters.set('partkeeper_partition_default_size_bytes', { target }, size?.bytesEstimate ?? 0);
  meters.set('partkeeper_partition_default_rows_estimate', { target }, size?.rowsEstimate ?? 0);
}

function recordTable(
  meters: Meters,
  { relation, partitions }: PartitionedTableFacts,
  policy: TablePolicy,
  key: KeyType,
  moments: Moments,
): void {
  const { now } = moments;
  const target = formatRelationName(relation);
  const clock = tableClock(policy, key, moments);

  const states = partitions.map(partition => partitionState(partition, clock));
  for (const state of PARTITION_STATES)
    meters.set('partkeeper_partitions', { target, state }, states.filter(each => each === state).length);

  const expired = partitions.filter((_, index) => states[index] === 'expired');
  meters.set('partkeeper_retention_expired_bytes', { target }, sum(expired.map(({ size }) => size.bytesEstimate)));

  const end = coverageEnd(partitions, policy, key, now);
  const endSeconds = end === 'unbounded' ? Number.POSITIVE_INFINITY : orZero(end);
  meters.set('partkeeper_partition_coverage_end_timestamp_seconds', { target }, endSeconds);
  meters.set('partkeeper_partition_coverage_gaps', { target }, countGaps(partitions));
  meters.set('partkeeper_partition_coverage_policy_seconds', { target }, leadTimeSeconds(policy, key, now));

  const oldest = oldestEnd(partitions, clock);
  const { cutoff } = clock;
  const lag = cutoff === undefined || oldest === undefined ? 0 : Math.max(0, secondsBetween(oldest, cutoff));
  meters.set('partkeeper_retention_lag_seconds', { target }, lag);
  meters.set(
    'partkeeper_retention_oldest_partition_end_timestamp_seconds',
    { target },
    orZero(oldest && fromKeyTime(oldest, key, policy.timezone)),
  );
  meters.set('partkeeper_retention_policy_seconds', { target }, retentionSeconds(policy, key, now));
}

function recordView(meters: Meters, { relation, isPopulated, size }: MaterializedViewFacts): void {
  const target = formatRelationName(relation);
  meters.set('partkeeper_matview_populated', { target }, Number(isPopulated));
  meters.set('partkeeper_matview_size_bytes', { target }, size.bytesEstimate);
}

/** What is not there covers nothing: its coverage must not go on looking well. */
function recordMissing(meters: Meters, target: string, policies: ReadonlyMap<string, TablePolicy>): void {
  if (!policies.has(target)) {
    meters.set('partkeeper_matview_populated', { target }, 0);
    meters.set('partkeeper_matview_size_bytes', { target }, 0);
    return;
  }
  for (const state of PARTITION_STATES) meters.set('partkeeper_partitions', { target, state }, 0);
  meters.set('partkeeper_partition_coverage_end_timestamp_seconds', { target }, 0);
  meters.set('partkeeper_partition_coverage_gaps', { target }, 0);
  meters.set('partkeeper_partition_size_bytes', { target }, 0);
  meters.set('partkeeper_partition_rows_estimate', { target }, 0);
  meters.set('partkeeper_partition_default_size_bytes', { target }, 0);
  meters.set('partkeeper_partition_default_rows_estimate', { target }, 0);
  meters.set('partkeeper_partition_detach_pending_since_timestamp_seconds', { target }, 0);
  meters.set('partkeeper_retention_expired_bytes', { target }, 0);
  meters.set('partkeeper_retention_lag_seconds', { target }, 0);
  meters.set('partkeeper_retention_oldest_partition_end_timestamp_seconds', { target }, 0);
}

const retentionSeconds = (policy: TablePolicy, key: KeyType, now: Instant): number =>
  policy.retention === 'forever'
    ? 0
    : secondsBefore(toKeyTime(now, key, policy.timezone), policy.retention, calendarZone(key, policy.timezone));

const orZero = (at: Instant | undefined): number => (at === undefined ? 0 : toEpochSeconds(at));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Whether the server answered, judged by how reading facts failed; undefined where the failure says nothing about it. */
export const SERVER_ANSWERED: { readonly [K in ErrorCode]: boolean | undefined } = {
  CONNECTION_FAILED: false,
  CONNECTION_LOST: false,
  STATEMENT_TIMEOUT: false,
  RESOURCES_EXHAUSTED: false,
  READ_ONLY: true,
  TRANSACTION_POOLER: true,
  LOCK_UNAVAILABLE: true,
  DEADLOCK: true,
  BLOCKED: true,
  RETIRE_UNFINISHED: true,
  NEWER_ROWS: true,
  STALE_PLAN: true,
  LEDGER_UNAVAILABLE: true,
  PERMISSION_DENIED: true,
  BOUND_CONFLICT: true,
  DEFAULT_HAS_ROWS: true,
  DRAIN_REFUSED: true,
  NAME_TAKEN: true,
  STILL_REFERENCED: true,
  RELATION_MISSING: true,
  VIEW_NOT_CONCURRENT: true,
  SCHEMA_MISMATCH: true,
  CONFIG_INVALID: undefined,
  USAGE: undefined,
  CANCELLED: undefined,
  UNEXPECTED: undefined,
};
