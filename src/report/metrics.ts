/** Events → metrics. Everything is set from events, so that a scrape never waits for the database. */

import type { ErrorCode } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { type Action, JOB_OF, type JobName } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { type Instant, toEpochSeconds } from '../domain/time.ts';
import type { Emit, Event, Outcome } from './events.ts';
import { expectedKeys, expectSeries, expectTargets, isNoneOf, type Targets } from './expected-series.ts';
import { COLLECTOR, recordFacts, SERVER_ANSWERED } from './fact-metrics.ts';
import { trackFindings } from './finding-tracker.ts';
import type { LabelValue } from './label-values.ts';
import { listenWith } from './listeners.ts';
import { createMeters, type Meters } from './metric-registry.ts';
import { countSafetyStops, type PendingDetaches, recordRetirements } from './retirement-figures.ts';
import { serviceFigures } from './service-figures.ts';

export interface MetricsOptions extends Targets {
  /**
   * How often a job is to run on a target, in seconds; asked once for each that is scheduled, when the service is at work, and
   * once more when another configuration is in force.
   */
  readonly intervalOf: (job: JobName, target: RelationName) => number | undefined;
  readonly version: string;
  /** The commit it was built from. */
  readonly revision?: string | undefined;
}

export interface Metrics extends Pick<Meters, 'registry' | 'contentType' | 'render'> {
  readonly emit: Emit;
  readonly countRequest: (request: { readonly handler: string; readonly code: number }) => void;
  readonly countStall: () => void;
  readonly countLine: (level: LabelValue<'level'>) => void;
  readonly beat: (loop: LabelValue<'loop'>, at: Instant) => void;
}

/** A subscriber that keeps a registry of its own; series of the configured targets exist from the start. */
export function recordEvents(options: MetricsOptions): Metrics {
  const meters = createMeters();
  const policiesOf = ({ tables }: Pick<Targets, 'tables'>) =>
    new Map(tables.map(policy => [formatRelationName(policy.relation), policy]));
  let policies = policiesOf(options);
  let known = expectedKeys(options);
  expectSeries(meters, options.version, options.revision);
  expectTargets(meters, options, () => false);

  const tracker = trackFindings();
  const startedAt = new Map<string, Instant>();
  const attemptedAt = new Map<string, number>();
  const withInterval = new Set<string>();
  const lastRunOf = new Map<string, string | undefined>();
  const viewDataAt = new Map<string, number>();
  const pendingDetaches: PendingDetaches = new Map();

  const setViewData = (view: RelationName, at: Instant): void => {
    const target = formatRelationName(view);
    const seconds = Math.max(toEpochSeconds(at), viewDataAt.get(target) ?? 0);
    viewDataAt.set(target, seconds);
    meters.set('partkeeper_matview_data_timestamp_seconds', { target }, seconds);
  };

  const finishRun = (finished: Extract<Event, { kind: 'run-finished' }>): void => {
    const { run, outcome, at, durationMs } = finished;
    const [operation, target] = [run.job, formatRelationName(run.target)];
    const seconds = durationMs / 1000;
    if (startedAt.has(run.runId)) meters.add('partkeeper_runs_in_progress', { operation }, -1);
    meters.add('partkeeper_runs_total', { operation, trigger: run.trigger, outcome });
    meters.observe('partkeeper_run_duration_seconds', { operation }, seconds);
    if (outcome !== 'skipped') {
      attemptedAt.set(`${operation} ${target}`, toEpochSeconds(at));
      meters.set('partkeeper_run_last_attempt_timestamp_seconds', { target, operation }, toEpochSeconds(at));
      meters.set('partkeeper_run_last_duration_seconds', { target, operation }, seconds);
    }
    countSafetyStops(meters, finished);
    if (finished.error) meters.add('partkeeper_run_errors_total', { code: finished.error.code });
    countOutcome[outcome](target, operation, at);
    for (const { relation, reason } of finished.skips)
      if (run.job === 'refresh' && reason === 'unchanged') setViewData(relation, startedAt.get(run.runId) ?? at);
    startedAt.delete(run.runId);
  };

  const countFailure = (target: string, operation: JobName): void =>
    meters.add('partkeeper_run_consecutive_failures', { target, operation });
  const countOutcome: { readonly [K in Outcome]: (target: string, operation: JobName, at: Instant) => void } = {
    success(target, operation, at) {
      meters.set('partkeeper_run_last_success_timestamp_seconds', { target, operation }, toEpochSeconds(at));
      meters.set('partkeeper_run_consecutive_failures', { target, operation }, 0);
    },
    partial: countFailure,
    failure: countFailure,
    canceled: () => {},
    skipped: () => {},
  };

  const countLockTimeout = (action: Action, code: ErrorCode): void => {
    if (code !== 'LOCK_UNAVAILABLE') return;
    const target = formatRelationName(action.target);
    meters.add('partkeeper_lock_timeouts_total', { target, operation: JOB_OF[action.kind] });
  };

  const countChange = (action: Action, bytes: number | undefined): void => {
    const change = CHANGES[action.kind];
    if (change === undefined) return;
    const target = formatRelationName(action.target);
    meters.add('partkeeper_partition_changes_total', { target, action: change });
    if (action.kind === 'drop-partition')
      meters.add('partkeeper_partition_dropped_bytes_total', { target }, bytes ?? action.bytesEstimate);
  };

  const setFindings = (cleared: readonly Finding[]): void => {
    const counts = new Map<string, number>();
    for (const finding of [...cleared, ...tracker.current()]) {
      const labels = { target: formatRelationName(finding.target), code: finding.code, severity: finding.severity };
      const key = JSON.stringify(labels);
      const count = (counts.get(key) ?? 0) + (cleared.includes(finding) ? 0 : 1);
      counts.set(key, count);
      meters.set('partkeeper_findings', labels, count);
    }
  };

  /** Series of what is no longer there go, those of what is new begin, and the others go on. */
  const followConfig = (loaded: Extract<Event, { kind: 'config-loaded' }>): void => {
    const before = known;
    policies = policiesOf(loaded);
    known = expectedKeys(loaded);
    const wanted = expectedKeys({ ...loaded, tables: [...loaded.tables, ...loaded.ledgerTables] });
    meters.forgetWhere(isNoneOf(wanted));
    for (const memory of [attemptedAt, lastRunOf, viewDataAt, withInterval])
      for (const key of memory.keys()) if (!wanted.has(key)) memory.delete(key);
    setFindings(tracker.keep(slot => wanted.has(slot)));
    expectTargets(meters, loaded, (target, operation) => before.has(operation ? `${operation} ${target}` : target));
    // The queue tells them again of every schedule that there is.
    withInterval.clear();
    for (const name of OF_SCHEDULES) meters.forget(name);
  };

  const emit = listenWith({
    'config-loaded': loaded => {
      meters.forget('partkeeper_config_info');
      meters.set('partkeeper_config_info', { hash: loaded.hash }, 1);
      meters.set('partkeeper_config_last_reload_success', {}, 1);
      meters.set('partkeeper_config_last_reload_success_timestamp_seconds', {}, toEpochSeconds(loaded.at));
      if (loaded.how === 'start') return;
      meters.add('partkeeper_config_reloads_total', { outcome: 'success' });
      followConfig(loaded);
    },
    'reload-failed': () => {
      meters.set('partkeeper_config_last_reload_success', {}, 0);
      meters.add('partkeeper_config_reloads_total', { outcome: 'failure' });
    },
    'run-started': ({ run, at }) => {
      startedAt.set(run.runId, at);
      meters.add('partkeeper_runs_in_progress', { operation: run.job });
    },
    'action-retried': ({ action, error }) => {
      countLockTimeout(action, error.code);
      meters.add('partkeeper_ddl_retries_total', { operation: JOB_OF[action.kind], reason: retryReason(error.code) });
    },
    'action-finished': ({ run, action, result }) => {
      if (result.outcome === 'already-done') return;
      countChange(action, result.bytes);
      // The run's start, not this moment: the view shows what was committed before its refresh began.
      const since = startedAt.get(run.runId);
      if (action.kind === 'refresh-view' && since) setViewData(action.relation, since);
    },
    'action-deferred': ({ action, error }) => {
      countLockTimeout(action, error.code);
      meters.add('partkeeper_deferrals_total', {
        target: formatRelationName(action.target),
        operation: JOB_OF[action.kind],
      });
    },
    'action-failed': ({ action, error }) => countLockTimeout(action, error.code),
    'run-finished': finished => {
      finishRun(finished);
      const { job, target, runId, attempt } = finished.run;
      lastRunOf.set(`${job} ${formatRelationName(target)}`, `${runId}.${attempt}`);
      setFindings(tracker.update(finished).cleared);
    },
    observed: ({ facts, durationMs }) => {
      meters.set('partkeeper_database_up', {}, 1);
      meters.set('partkeeper_collector_success', COLLECTOR, 1);
      meters.set(
        'partkeeper_collector_last_success_timestamp_seconds',
        COLLECTOR,
        toEpochSeconds(facts.server.processNow),
      );
      meters.set('partkeeper_collector_duration_seconds', COLLECTOR, durationMs / 1000);
      recordFacts(meters, facts, policies);
      recordRetirements(meters, facts, pendingDetaches);
      for (const { relation, lastRefresh } of facts.views) if (lastRefresh) setViewData(relation, lastRefresh.at);
    },
    'observation-failed': ({ error, durationMs }) => {
      if (error.code === 'CANCELLED') return;
      const answered = SERVER_ANSWERED[error.code];
      if (answered !== undefined) meters.set('partkeeper_database_up', {}, Number(answered));
      meters.set('partkeeper_collector_success', COLLECTOR, 0);
      meters.set('partkeeper_collector_duration_seconds', COLLECTOR, durationMs / 1000);
    },
    scheduled: ({ job, target, nextRun }) => {
      const labels = { target: formatRelationName(target), operation: job };
      const next = nextRun === undefined ? 0 : toEpochSeconds(nextRun);
      meters.set('partkeeper_run_next_timestamp_seconds', labels, next);
      const key = `${job} ${labels.target}`;
      if (withInterval.has(key)) return;
      withInterval.add(key);
      const interval = options.intervalOf(job, target);
      if (interval !== undefined) meters.set('partkeeper_run_interval_seconds', labels, interval);
    },
    'ticks-missed': ({ job, ticks }) => meters.add('partkeeper_schedule_slots_missed_total', { operation: job }, ticks),
    'tick-skipped': ({ job }) => meters.add('partkeeper_schedule_slots_skipped_total', { operation: job }),
    'job-rejected': ({ rejection }) => meters.add('partkeeper_queue_jobs_rejected_total', { rejection }),
    'queue-troubled': () => meters.add('partkeeper_queue_troubles_total', {}),
    'ledger-troubled': () => meters.add('partkeeper_ledger_troubles_total', {}),
    'run-interrupted': () => {},
    'pauses-read': ({ pauses }) => {
      for (const { job, target, isPaused } of pauses)
        meters.set('partkeeper_paused', { target: formatRelationName(target), operation: job }, Number(isPaused));
    },
    remembered: ({ job, target, history }) => {
      const labels = { target: formatRelationName(target), operation: job };
      const seconds = (at: Instant | undefined): number => (at === undefined ? 0 : toEpochSeconds(at));
      const attempted = seconds(history.lastAttempt);
      const key = `${job} ${labels.target}`;
      // What this process has seen itself may be newer than what it was able to put on record.
      if (attempted === 0 || attempted < (attemptedAt.get(key) ?? 0)) return;
      attemptedAt.set(key, attempted);
      if (lastRunOf.get(key) !== history.lastRun) setFindings(tracker.forget(job, target));
      lastRunOf.set(key, history.lastRun);
      meters.set('partkeeper_run_last_attempt_timestamp_seconds', labels, attempted);
      meters.set('partkeeper_run_last_success_timestamp_seconds', labels, seconds(history.lastSuccess));
      meters.set('partkeeper_run_last_duration_seconds', labels, (history.lastDurationMs ?? 0) / 1000);
      meters.set('partkeeper_run_consecutive_failures', labels, history.consecutiveFailures);
    },
    ...serviceFigures(meters),
    'ready-changed': ({ ready }) => meters.set('partkeeper_ready', {}, Number(ready)),
    stopping: () => {
      meters.set('partkeeper_shutdown_in_progress', {}, 1);
      meters.set('partkeeper_ready', {}, 0);
    },
    // Their answers are counted, as those of all requests.
    'trigger-asked': () => {},
    'trigger-failed': () => {},
    'trigger-refused': () => {},
    planned: ({ run }) => tracker.planned(run),
    'action-started': () => {},
    listening: () => {},
    stopped: () => {},
  });

  return {
    emit,
    registry: meters.registry,
    contentType: meters.contentType,
    render: meters.render,
    countRequest: ({ handler, code }) => meters.add('partkeeper_http_requests_total', { handler, code: String(code) }),
    countStall: () => meters.add('partkeeper_event_loop_stalls_total', {}),
    countLine: level => meters.add('partkeeper_log_messages_total', { level }),
    beat: (loop, at) => meters.set('partkeeper_loop_last_tick_timestamp_seconds', { loop }, toEpochSeconds(at)),
  };
}

const OF_SCHEDULES = [
  'partkeeper_run_interval_seconds',
  'partkeeper_run_next_timestamp_seconds',
  'partkeeper_paused',
] as const;

const CHANGES: { readonly [K in Action['kind']]: LabelValue<'action'> | undefined } = {
  'create-partition': 'create',
  'clear-leftovers': undefined,
  'drop-partition': 'drop',
  'detach-partition': 'detach',
  'finalize-detach': 'finalize',
  'restore-partition': 'restore',
  'refresh-view': undefined,
  'analyze-table': undefined,
};

const RETRY_REASONS: Partial<Record<ErrorCode, LabelValue<'reason'>>> = {
  LOCK_UNAVAILABLE: 'lock_timeout',
  DEADLOCK: 'deadlock',
};
const retryReason = (code: ErrorCode): LabelValue<'reason'> => RETRY_REASONS[code] ?? 'other';
