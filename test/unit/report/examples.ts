/** Events and actions for tests of the subscribers: of the table and the view that `test/support/facts.ts` builds. */
import { MaintenanceError } from '../../../src/domain/errors.ts';
import type { CreatePartition, DropPartition, RefreshView } from '../../../src/domain/plan.ts';
import type { ActionResult, Event, RunIdentity } from '../../../src/report/events.ts';
import { aShape, at, NOW, relation } from '../../support/facts.ts';

export const TABLE = relation('unified.event_metric_events');
export const VIEW = relation('unified.mv_recent_events');

export const aRun = (over: Partial<RunIdentity> = {}): RunIdentity => ({
  runId: 'run-1',
  attempt: 1,
  job: 'provision',
  target: TABLE,
  trigger: 'schedule',
  ...over,
});

const actAs = { owner: 'app_owner', how: 'set-role' } as const;
const DECEMBER = { lower: at('2026-12-01'), upper: at('2027-01-01') };

export const aCreate = (over: Partial<CreatePartition> = {}): CreatePartition => ({
  kind: 'create-partition',
  target: TABLE,
  relation: relation('unified.event_metric_events_2026_12'),
  because: { rule: 'premake', window: DECEMBER, ahead: 1, premake: 2 },
  actAs,
  parent: 10_000,
  window: DECEMBER,
  keyType: 'timestamptz',
  shape: aShape(),
  probe: true,
  ...over,
});

export const aDrop = (over: Partial<DropPartition> = {}): DropPartition => ({
  kind: 'drop-partition',
  target: TABLE,
  relation: relation('unified.event_metric_events_2026_07'),
  because: {
    rule: 'expired',
    upper: at('2026-08-01'),
    cutoff: at('2026-08-23T06:00:00Z'),
    retention: '90 days',
  },
  actAs,
  parent: 10_000,
  partition: 10_007,
  boundText: "FOR VALUES FROM ('2026-07-01 00:00:00+00') TO ('2026-08-01 00:00:00+00')",
  window: { lower: at('2026-07-01'), upper: at('2026-08-01') },
  key: { column: 'occurred_at', type: 'timestamptz' },
  from: 'attached',
  way: 'concurrently',
  rowsEstimate: 21_034,
  bytesEstimate: 9_541_222,
  ...over,
});

export const aRefresh = (over: Partial<RefreshView> = {}): RefreshView => ({
  kind: 'refresh-view',
  target: VIEW,
  relation: VIEW,
  because: { rule: 'bases-changed', lastRefresh: at('2026-11-20') },
  actAs,
  view: 11_000,
  concurrently: true,
  fingerprint: 'f2',
  remember: true,
  ...over,
});

export const aResult = (over: Partial<ActionResult> = {}): ActionResult => ({
  outcome: 'done',
  statements: ['alter table unified.event_metric_events attach partition …'],
  attempts: 1,
  durationMs: 41,
  ...over,
});

type Finished = Extract<Event, { kind: 'run-finished' }>;

export const finished = (over: Partial<Finished> = {}): Finished => ({
  kind: 'run-finished',
  run: aRun(),
  outcome: 'success',
  at: NOW,
  durationMs: 1_234,
  done: 0,
  failed: 0,
  deferred: 0,
  skips: [],
  findings: [],
  ...over,
});

export const lockTimeout = (): MaintenanceError =>
  new MaintenanceError('LOCK_UNAVAILABLE', 'attach unified.event_metric_events_2026_12: a lock was not to be had', {
    sqlstate: '55P03',
    hint: 'look for a long transaction in pg_stat_activity',
  });
