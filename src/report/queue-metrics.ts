/** The metrics of the queue and of the schedules that feed it. */
import type { MetricSpec } from './metric-spec.ts';

const QUEUE = 'Queue and schedules';

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
