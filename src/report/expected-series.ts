/** The series that exist before the first event, because the configuration says what there will be. */
import { CONNECT_FAILURES } from '../domain/database.ts';
import { ERROR_CODE_NAMES } from '../domain/errors.ts';
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import type { TablePolicy, ViewPolicy } from '../domain/policy.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { COLLECTORS, JOB_OUTCOMES, OUTCOMES, REJECTIONS, TRIGGERS } from './events.ts';
import { LABEL_VALUES, type LabelValue } from './label-values.ts';
import type { Meters, SeriesLabels } from './metric-registry.ts';
import { SAFETY_STOPS } from './retirement-figures.ts';

export interface Targets {
  readonly tables: readonly TablePolicy[];
  readonly views: readonly ViewPolicy[];
}

/**
 * What can be known before the first event. A counter that begins at its first increase hides that increase from rate();
 * the state of tables and views is unknown until facts are read, and an invented 0 would raise alarms.
 */
export function expectSeries(meters: Meters, version: string, revision: string | undefined): void {
  const build = { version, revision: revision ?? 'unknown', node_version: process.version };
  meters.set('partkeeper_build_info', build, 1);
  for (const collector of COLLECTORS) {
    meters.set('partkeeper_collector_success', { collector }, 0);
    meters.set('partkeeper_collector_last_success_timestamp_seconds', { collector }, 0);
  }
  for (const loop of LABEL_VALUES.loop) meters.set('partkeeper_loop_last_tick_timestamp_seconds', { loop }, 0);
  for (const level of LABEL_VALUES.level) meters.add('partkeeper_log_messages_total', { level }, 0);
  for (const reason of CONNECT_FAILURES) meters.add('partkeeper_database_connect_failures_total', { reason }, 0);
  for (const outcome of JOB_OUTCOMES) meters.add('partkeeper_queue_jobs_handled_total', { outcome }, 0);
  for (const code of ERROR_CODE_NAMES) meters.add('partkeeper_run_errors_total', { code }, 0);
  meters.expect('partkeeper_queue_wait_seconds', {});
  for (const outcome of ['success', 'failure'] as const) meters.add('partkeeper_config_reloads_total', { outcome }, 0);
  for (const rejection of REJECTIONS) meters.add('partkeeper_queue_jobs_rejected_total', { rejection }, 0);
  for (const operation of JOB_NAMES) {
    meters.add('partkeeper_schedule_slots_missed_total', { operation }, 0);
    meters.add('partkeeper_schedule_slots_skipped_total', { operation }, 0);
    for (const trigger of TRIGGERS)
      for (const outcome of OUTCOMES) meters.add('partkeeper_runs_total', { operation, trigger, outcome }, 0);
    for (const reason of LABEL_VALUES.reason) meters.add('partkeeper_ddl_retries_total', { operation, reason }, 0);
    meters.set('partkeeper_runs_in_progress', { operation }, 0);
    meters.expect('partkeeper_run_duration_seconds', { operation });
    meters.expect('partkeeper_lock_wait_seconds', { operation });
  }
}

/** Those of targets; what `isKnown` has its series, and its values, already. */
export function expectTargets(
  meters: Meters,
  { tables, views }: Targets,
  isKnown: (target: string, operation?: JobName) => boolean,
): void {
  for (const policy of tables) {
    const target = formatRelationName(policy.relation);
    expectRuns(meters, target, operationsOf(policy), isKnown);
    if (isKnown(target)) continue;
    describeTarget(meters, policy.relation, 'table');
    for (const action of LABEL_VALUES.action) meters.add('partkeeper_partition_changes_total', { target, action }, 0);
    meters.add('partkeeper_partition_dropped_bytes_total', { target }, 0);
    for (const reason of SAFETY_STOPS) meters.add('partkeeper_retention_safety_stops_total', { target, reason }, 0);
  }
  for (const { relation } of views) {
    const target = formatRelationName(relation);
    expectRuns(meters, target, ['refresh'], isKnown);
    if (isKnown(target)) continue;
    describeTarget(meters, relation, 'view');
    meters.set('partkeeper_matview_data_timestamp_seconds', { target }, 0);
  }
}

/** The pairs `operation target`, and the targets themselves, of which there are series. */
export const expectedKeys = ({ tables, views }: Targets): ReadonlySet<string> =>
  new Set([
    ...tables.flatMap(policy => keysOf(policy.relation, operationsOf(policy))),
    ...views.flatMap(({ relation }) => keysOf(relation, ['refresh'])),
  ]);

const keysOf = (relation: RelationName, operations: readonly JobName[]): readonly string[] => {
  const target = formatRelationName(relation);
  return [target, ...operations.map(operation => `${operation} ${target}`)];
};

/** Are these the labels of a target, or of an operation on it, that is not among those? */
export const isNoneOf =
  (keys: ReadonlySet<string>) =>
  ({ target, operation }: SeriesLabels): boolean =>
    target !== undefined && !keys.has(operation === undefined ? `${target}` : `${operation} ${target}`);

const describeTarget = (meters: Meters, { schema, name }: RelationName, kind: LabelValue<'kind'>): void =>
  meters.set(
    'partkeeper_target_info',
    { target: formatRelationName({ schema, name }), kind, schema, relation: name },
    1,
  );

// No series for what is never run: it would look overdue.
const operationsOf = ({ retention, analyze }: TablePolicy): readonly JobName[] => [
  'provision',
  ...(retention === 'forever' ? [] : (['retire'] as const)),
  ...(analyze === undefined ? [] : (['analyze'] as const)),
];

function expectRuns(
  meters: Meters,
  target: string,
  operations: readonly JobName[],
  isKnown: (target: string, operation: JobName) => boolean,
): void {
  for (const operation of operations) {
    if (isKnown(target, operation)) continue;
    meters.set('partkeeper_run_last_attempt_timestamp_seconds', { target, operation }, 0);
    meters.set('partkeeper_run_last_success_timestamp_seconds', { target, operation }, 0);
    meters.set('partkeeper_run_consecutive_failures', { target, operation }, 0);
    meters.add('partkeeper_lock_timeouts_total', { target, operation }, 0);
    meters.add('partkeeper_deferrals_total', { target, operation }, 0);
  }
}
