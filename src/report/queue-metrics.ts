/** The metrics of the queue and of the schedules that feed it. */
import { JOB_OUTCOMES } from './events.ts';
import type { MetricSpec } from './metric-spec.ts';

const QUEUE = 'Queue and schedules';
const AT_THE_QUEUE = 'every four seconds, while the queue is served';

/** Of jobs that are not over. */
export const BACKLOG_STATES = ['ready', 'deferred', 'active'] as const;

export const QUEUE_METRICS = {
  partkeeper_run_interval_seconds: {
    section: QUEUE,
    type: 'gauge',
    labels: ['target', 'operation'],
    help: 'The longest pause between two runs that the schedule makes; absent without a schedule. One alert rule fits all.',
    moves: 'once, when the schedule is taken up',
  },
  partkeeper_schedule_slots_missed_total: {
    section: QUEUE,
    type: 'counter',
    labels: ['operation'],
    help: 'Ticks of schedules that passed while no replica was there to offer them.',
    moves: 'when a replica finds that ticks were missed',
  },
  partkeeper_schedule_slots_skipped_total: {
    section: QUEUE,
    type: 'counter',
    labels: ['operation'],
    help: 'Ticks that were left out, because of a run still going, a pause, or the catch-up policy; counted once by the replica that put it on record.',
    moves: 'at each tick left out',
  },
  partkeeper_queue_jobs: {
    section: QUEUE,
    type: 'gauge',
    labels: ['state'],
    values: { state: BACKLOG_STATES },
    help: 'Jobs in the queue: ready to be taken, deferred to a later moment (jitter, or a second try), active.',
    moves: AT_THE_QUEUE,
  },
  partkeeper_queue_oldest_ready_timestamp_seconds: {
    section: QUEUE,
    type: 'gauge',
    labels: [],
    help: 'Unix time since which the first of the ready jobs could have been taken; 0 if none is ready.',
    moves: AT_THE_QUEUE,
  },
  partkeeper_queue_wait_seconds: {
    section: QUEUE,
    type: 'histogram',
    labels: [],
    help: 'How long jobs that were ready waited to be taken, by the clock of the database.',
    moves: 'at each job taken',
    buckets: [0.5, 1, 2, 5, 15, 60, 300, 900, 3600],
  },
  partkeeper_queue_jobs_handled_total: {
    section: QUEUE,
    type: 'counter',
    labels: ['outcome'],
    values: { outcome: JOB_OUTCOMES },
    help: 'Jobs taken, by what became of them. A retried one failed, and the queue offers it again; a failed one failed for good.',
    moves: 'at the end of each job',
  },
  partkeeper_queue_jobs_rejected_total: {
    section: QUEUE,
    type: 'counter',
    labels: ['rejection'],
    help: 'Jobs refused before any SQL ran.',
    moves: 'at each rejected job',
  },
  partkeeper_queue_troubles_total: {
    section: QUEUE,
    type: 'counter',
    labels: [],
    help: 'Times the queue could not be worked with; it is tried again.',
    moves: 'at each failed attempt',
  },
  partkeeper_ledger_troubles_total: {
    section: QUEUE,
    type: 'counter',
    labels: [],
    help: 'Times something could not be put on record. What destroys is refused then; the rest goes on.',
    moves: 'at each failed attempt',
  },
  partkeeper_paused: {
    section: QUEUE,
    type: 'gauge',
    labels: ['target', 'operation'],
    help: '1 while the schedule of an operation on a target is paused, else 0.',
    moves: 'whenever the pauses are read',
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;
