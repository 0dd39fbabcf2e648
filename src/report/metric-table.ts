/** The metrics, each with what it means and when it moves: the registry, the reference and the tests read this table. */

import { ERROR_CODE_NAMES } from '../domain/errors.ts';
import { AT_FACTS, type MetricSpec } from './metric-spec.ts';
import { PROCESS_METRICS } from './process-metrics.ts';
import { QUEUE_METRICS } from './queue-metrics.ts';
import { RETENTION_METRICS } from './retention-metrics.ts';

const RUNS = 'Runs';
const PARTITIONS = 'Partitions';
const LOCKS = 'Locks';
const VIEWS = 'Materialized views';
const FINDINGS = 'Findings';
const COLLECTION = 'Collection';

export const METRICS = {
  ...QUEUE_METRICS,
  ...PROCESS_METRICS,
  ...RETENTION_METRICS,
  partkeeper_runs_total: {
    section: RUNS,
    type: 'counter',
    labels: ['operation', 'trigger', 'outcome'],
    help: 'Finished runs. A run that found nothing to do is a success.',
    moves: 'at the end of each run',
  },
  partkeeper_run_errors_total: {
    section: RUNS,
    type: 'counter',
    labels: ['code'],
    values: { code: ERROR_CODE_NAMES },
    help: 'Runs with an error, by the code of the first; the runbook has an entry for each.',
    moves: 'at the end of each run with an error',
  },
  partkeeper_run_duration_seconds: {
    section: RUNS,
    type: 'histogram',
    labels: ['operation'],
    help: 'Wall time of finished runs.',
    moves: 'at the end of each run',
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600],
  },
  partkeeper_runs_in_progress: {
    section: RUNS,
    type: 'gauge',
    labels: ['operation'],
    help: 'Runs executing now.',
    moves: 'at the start and the end of each run',
  },
  partkeeper_run_last_attempt_timestamp_seconds: {
    section: RUNS,
    type: 'gauge',
    labels: ['target', 'operation'],
    help: 'Unix time at which the last run finished, whatever its outcome; 0 if there was none.',
    moves: 'at the end of each run',
  },
  partkeeper_run_last_success_timestamp_seconds: {
    section: RUNS,
    type: 'gauge',
    labels: ['target', 'operation'],
    help: 'Unix time of the last successful run; 0 if there was none.',
    moves: 'at the end of each successful run, also one with nothing to do',
  },
  partkeeper_run_last_duration_seconds: {
    section: RUNS,
    type: 'gauge',
    labels: ['target', 'operation'],
    help: 'Wall time of the last finished run.',
    moves: 'at the end of each run',
  },
  partkeeper_run_next_timestamp_seconds: {
    section: RUNS,
    type: 'gauge',
    labels: ['target', 'operation'],
    help: 'Unix time at which the next run is due; 0 if none is scheduled.',
    moves: 'whenever a run is scheduled',
  },
  partkeeper_run_consecutive_failures: {
    section: RUNS,
    type: 'gauge',
    labels: ['target', 'operation'],
    help: 'Runs that failed, wholly or in part, since the last success.',
    moves: 'at the end of each run that was not canceled',
  },
  partkeeper_partitions: {
    section: PARTITIONS,
    type: 'gauge',
    labels: ['target', 'state'],
    help: 'Partitions by state. States do not overlap.',
    moves: AT_FACTS,
  },
  partkeeper_partition_size_bytes: {
    section: PARTITIONS,
    type: 'gauge',
    labels: ['target'],
    help: "Total size of all partitions with indexes and TOAST, by the catalog's page counts.",
    moves: AT_FACTS,
  },
  partkeeper_partition_rows_estimate: {
    section: PARTITIONS,
    type: 'gauge',
    labels: ['target'],
    help: 'Planner estimate of the rows in all partitions; those never analyzed count as 0.',
    moves: AT_FACTS,
  },
  partkeeper_partition_coverage_end_timestamp_seconds: {
    section: PARTITIONS,
    type: 'gauge',
    labels: ['target'],
    help: 'Unix time at which the gap-free run of partitions containing now ends; 0 if none contains now. Headroom is this minus time().',
    moves: AT_FACTS,
  },
  partkeeper_partition_coverage_policy_seconds: {
    section: PARTITIONS,
    type: 'gauge',
    labels: ['target'],
    help: 'Lead time the configuration asks for: the windows to be made beyond the current one.',
    moves: AT_FACTS,
  },
  partkeeper_partition_coverage_gaps: {
    section: PARTITIONS,
    type: 'gauge',
    labels: ['target'],
    help: 'Holes between the oldest and the newest partition.',
    moves: AT_FACTS,
  },
  partkeeper_partition_default_size_bytes: {
    section: PARTITIONS,
    type: 'gauge',
    labels: ['target'],
    help: "Size of the default partition with indexes and TOAST, by the catalog's page counts; 0 if there is none.",
    moves: AT_FACTS,
  },
  partkeeper_partition_default_rows_estimate: {
    section: PARTITIONS,
    type: 'gauge',
    labels: ['target'],
    help: 'Planner estimate of the rows in the default partition; 0 if there is none, or if it was never analyzed.',
    moves: AT_FACTS,
  },
  partkeeper_partition_detach_pending_since_timestamp_seconds: {
    section: PARTITIONS,
    type: 'gauge',
    labels: ['target'],
    help: 'Unix time at which a detach that is pending was put on record, or, if it is not ours, was first seen by this process; 0 if none is.',
    moves: AT_FACTS,
  },
  partkeeper_partition_changes_total: {
    section: PARTITIONS,
    type: 'counter',
    labels: ['target', 'action'],
    help: 'Changes made to partitions by this process.',
    moves: 'at each committed change',
  },
  partkeeper_partition_dropped_bytes_total: {
    section: PARTITIONS,
    type: 'counter',
    labels: ['target'],
    help: 'Bytes released by drops.',
    moves: 'at each drop',
  },
  partkeeper_lock_wait_seconds: {
    section: LOCKS,
    type: 'histogram',
    labels: ['operation'],
    help: 'How long tries waited for locks, granted or not: LOCK and ALTER TABLE, with what they did; of a try given up for want of a lock, all of it.',
    moves: 'at each try of an action that takes such locks',
    buckets: [0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
  },
  partkeeper_lock_timeouts_total: {
    section: LOCKS,
    type: 'counter',
    labels: ['target', 'operation'],
    help: 'Attempts given up at lock_timeout.',
    moves: 'at each timeout',
  },
  partkeeper_deferrals_total: {
    section: LOCKS,
    type: 'counter',
    labels: ['target', 'operation'],
    help: "Actions put off to the next tick because somebody's transaction was in the way.",
    moves: 'at each deferral',
  },
  partkeeper_ddl_retries_total: {
    section: LOCKS,
    type: 'counter',
    labels: ['operation', 'reason'],
    help: 'Attempts repeated within a run.',
    moves: 'at each retry',
  },
  partkeeper_matview_data_timestamp_seconds: {
    section: VIEWS,
    type: 'gauge',
    labels: ['target'],
    help: 'Unix time that the data shown is as of: the start of the last refresh, or of a later run that found nothing changed; 0 if unknown.',
    moves: 'at each refresh, and each run that found nothing changed',
  },
  partkeeper_matview_populated: {
    section: VIEWS,
    type: 'gauge',
    labels: ['target'],
    help: '1 if the view is populated, else 0.',
    moves: AT_FACTS,
  },
  partkeeper_matview_size_bytes: {
    section: VIEWS,
    type: 'gauge',
    labels: ['target'],
    help: "Size of the view with indexes and TOAST, by the catalog's page counts.",
    moves: AT_FACTS,
  },
  partkeeper_findings: {
    section: FINDINGS,
    type: 'gauge',
    labels: ['target', 'code', 'severity'],
    help: 'Findings that stand now, by code; 0 once cleared.',
    moves: 'at the end of each run',
  },
  partkeeper_collector_success: {
    section: COLLECTION,
    type: 'gauge',
    labels: ['collector'],
    help: '1 if the last look in the background succeeded, else 0, also before the first (the values that come from it then stay as they were).',
    moves: 'at each look, also one that fails',
  },
  partkeeper_collector_last_success_timestamp_seconds: {
    section: COLLECTION,
    type: 'gauge',
    labels: ['collector'],
    help: 'Unix time of the last successful look, 0 before the first; scrapes never query the database.',
    moves: 'at each look that succeeds',
  },
  partkeeper_collector_duration_seconds: {
    section: COLLECTION,
    type: 'gauge',
    labels: ['collector'],
    help: 'How long the last look took.',
    moves: 'at each look, also one that fails',
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof METRICS;
