/** Events → metrics, where it is the service itself that they tell of: connections, collectors, the queue, waiting for locks. */
import { JOB_OF } from '../domain/plan.ts';
import { toEpochSeconds } from '../domain/time.ts';
import type { LEFT_TO_METRICS } from './listeners.ts';
import type { Meters } from './metric-registry.ts';
import { BACKLOG_STATES } from './queue-metrics.ts';

export const serviceFigures = (meters: Meters): typeof LEFT_TO_METRICS => ({
  'lock-waited': ({ action, waitMs }) =>
    meters.observe('partkeeper_lock_wait_seconds', { operation: JOB_OF[action.kind] }, waitMs / 1000),
  collected({ collector, isGood, at, durationMs }) {
    meters.set('partkeeper_collector_success', { collector }, Number(isGood));
    meters.set('partkeeper_collector_duration_seconds', { collector }, durationMs / 1000);
    if (isGood) meters.set('partkeeper_collector_last_success_timestamp_seconds', { collector }, toEpochSeconds(at));
  },
  'connect-failed': ({ reason }) => meters.add('partkeeper_database_connect_failures_total', { reason }),
  'queue-watched'({ backlog }) {
    for (const state of BACKLOG_STATES) meters.set('partkeeper_queue_jobs', { state }, backlog[state]);
    const { readySince } = backlog;
    meters.set('partkeeper_queue_oldest_ready_timestamp_seconds', {}, readySince ? toEpochSeconds(readySince) : 0);
  },
  'job-taken': ({ waitMs }) => meters.observe('partkeeper_queue_wait_seconds', {}, waitMs / 1000),
  'job-handled': ({ outcome }) => meters.add('partkeeper_queue_jobs_handled_total', { outcome }),
});
