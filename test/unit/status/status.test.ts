/** What the status says of views, jobs, findings and the plan, and how old it says it is. */
import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import type { MaterializedViewFacts } from '../../../src/domain/facts.ts';
import { finding } from '../../../src/domain/findings.ts';
import type { Instant } from '../../../src/domain/time.ts';
import type { Event } from '../../../src/report/events.ts';
import { type StatusDocument, statusJsonSchema, statusSchema, type ViewStatus } from '../../../src/status/document.ts';
import {
  aPartition,
  aTable,
  aTablePolicy,
  at,
  aView,
  aViewPolicy,
  monthly,
  NOW,
  relation,
  someFacts,
} from '../../support/facts.ts';
import { aSchedule, aStatus, statusOf } from '../../support/status.ts';
import { aCreate, aResult, aRun, finished, lockTimeout, TABLE } from '../report/examples.ts';

const EVERY_QUARTER = aSchedule('refresh', 'unified.mv_recent_events', '*/15 * * * *');
const healthy = someFacts({ tables: [aTable({ partitions: monthly('2026-09', '2027-01') })] });
const policies = { tables: [aTablePolicy()], views: [aViewPolicy()] };

test('before the first look it says that nothing is known, and why', () => {
  const trouble: Event = {
    kind: 'observation-failed',
    error: new MaintenanceError('CONNECTION_FAILED', 'could not connect to postgres://app:hunter2@db:5432/app'),
    durationMs: 5,
  };
  const status = statusOf({
    events: [trouble],
    present: { problem: 'the database has not been reached yet' },
    policies,
  });
  expect(statusSchema.parse(status)).toMatchObject({
    ready: false,
    notReadyBecause: 'the database has not been reached yet',
    database: null,
    readAt: null,
    ageSeconds: null,
    notReadBecause: 'could not connect to postgres://app:[redacted]@db:5432/app',
    plan: null,
    tables: [{ problem: 'It has not been looked at yet.' }],
    views: [{ freshness: 'unknown' }],
    recent: { source: 'this-process', actions: [] },
  });
});

test('what is known stays while the database is away, with its age and the reason', () => {
  const events: readonly Event[] = [{ kind: 'observation-failed', error: lockTimeout(), durationMs: 5 }];
  const status = statusOf({ facts: healthy, events, present: { now: NOW.add({ minutes: 10 }) } });
  expect(status).toMatchObject({ readAt: '2026-11-21T06:00:00Z', ageSeconds: 600 });
  expect(status.notReadBecause).toContain('a lock was not to be had');
  expect(status.tables[0]?.partitions).toHaveLength(5);
  expect(
    statusOf({ facts: healthy, events: [...events, { kind: 'observed', facts: healthy, durationMs: 1 }] }),
  ).toMatchObject({ notReadBecause: null });
});

test('a run that reads about its own target replaces what was known of that one alone', () => {
  const both = { tables: [aTablePolicy(), aTablePolicy({ relation: relation('app.other') })], views: [] };
  const known = someFacts({
    tables: [
      ...healthy.tables,
      aTable({ oid: 2, relation: relation('app.other'), partitions: monthly('2026-11', '2026-12') }),
    ],
  });
  const later = someFacts({
    server: { ...known.server, databaseNow: NOW.add({ minutes: 1 }) },
    tables: [aTable({ partitions: monthly('2026-10', '2027-01') })],
  });
  const status = statusOf({
    facts: known,
    events: [{ kind: 'observed', facts: later, durationMs: 1 }],
    policies: both,
    present: { now: NOW.add({ minutes: 1 }) },
  });
  expect(status.tables.map(({ partitions }) => partitions.length)).toEqual([4, 2]);
  // Nothing is older than the look at the other one.
  expect(status.ageSeconds).toBe(60);
});

describe('a view', () => {
  const refreshed = (lastRefresh: Instant): Partial<MaterializedViewFacts> => ({
    lastRefresh: { at: lastRefresh, fingerprint: 'f1' },
    fingerprint: 'f2',
  });
  const viewOf = (view: Partial<MaterializedViewFacts>, isScheduled = true): ViewStatus | undefined =>
    statusOf({
      facts: someFacts({ views: [aView(view)] }),
      policies: { tables: [], views: [aViewPolicy()] },
      schedules: isScheduled ? [EVERY_QUARTER] : [],
      present: { now: NOW.add({ minutes: 1 }) },
    }).views[0];

  test.each([
    ['refreshed after its last tick', refreshed(NOW.add({ seconds: 1 })), 'fresh'],
    ['refreshed before its last tick', refreshed(NOW.subtract({ seconds: 1 })), 'due'],
    ['refreshed before the tick before that', refreshed(NOW.subtract({ minutes: 16 })), 'overdue'],
    ['of which nothing has changed', { ...refreshed(NOW.subtract({ minutes: 99 })), fingerprint: 'f1' }, 'unchanged'],
    ['never refreshed', { lastRefresh: undefined }, 'overdue'],
    [
      'that cannot be refreshed concurrently',
      { ...refreshed(at('2026-11-01')), concurrentIndex: undefined },
      'blocked',
    ],
  ] as const)('%s: %#', (_, facts, freshness) => {
    expect(viewOf(facts)).toMatchObject({
      freshness,
      dueSince: '2026-11-21T06:00:00Z',
      next: '2026-11-21T06:15:00Z',
      schedule: { pattern: '*/15 * * * *', timezone: 'UTC' },
    });
  });

  test('without a schedule is neither due nor overdue', () => {
    expect(viewOf(refreshed(at('2026-11-01')), false)).toMatchObject({ freshness: 'unscheduled', next: null });
  });
});

describe('a job', () => {
  const provision = ({ jobs }: StatusDocument) => jobs.find(({ job }) => job === 'provision');
  const started: Event = { kind: 'run-started', run: aRun(), at: NOW };

  test('runs, has run, and is to run', () => {
    const schedules = [aSchedule('provision', 'unified.event_metric_events', '10 0 * * *')];
    expect(provision(statusOf({ facts: healthy, events: [started], schedules }))).toMatchObject({
      runningSince: '2026-11-21T06:00:00Z',
      lastOutcome: null,
      next: '2026-11-22T00:10:00Z',
    });
    expect(provision(statusOf({ facts: healthy, events: [started, finished()], schedules }))).toMatchObject({
      runningSince: null,
      lastOutcome: 'success',
      lastFinished: '2026-11-21T06:00:00Z',
      lastSuccess: '2026-11-21T06:00:00Z',
      lastDurationMs: 1_234,
      error: null,
    });
  });

  test('that fails counts its failures and says why, until it succeeds', () => {
    const failed = finished({ outcome: 'failure', failed: 1, error: lockTimeout() });
    const status = provision(statusOf({ events: [started, failed, started, failed] }));
    expect(status).toMatchObject({ lastOutcome: 'failure', consecutiveFailures: 2, lastSuccess: null });
    expect(status?.error).toMatchObject({
      code: 'LOCK_UNAVAILABLE',
      hint: 'look for a long transaction in pg_stat_activity',
    });
    expect(provision(statusOf({ events: [failed, finished()] }))).toMatchObject({
      consecutiveFailures: 0,
      error: null,
    });
  });

  test('that another replica has run since is told as the ledger has it', () => {
    const remembered: Event = {
      kind: 'remembered',
      job: 'provision',
      target: TABLE,
      history: {
        lastRun: 'another.1',
        lastOutcome: 'interrupted',
        lastAttempt: NOW.add({ minutes: 5 }),
        lastSuccess: at('2026-11-20'),
        lastDurationMs: 7,
        consecutiveFailures: 1,
      },
    };
    const gap = finding('UNREADABLE_BOUND', TABLE, 'what this process found', 'look');
    const before = finished({ findings: [gap], error: lockTimeout(), outcome: 'failure' });
    const status = statusOf({ facts: healthy, events: [before, remembered] });
    expect(provision(status)).toMatchObject({ lastOutcome: 'interrupted', lastDurationMs: 7, error: null });
    expect(status.findings).toEqual([]);
    // What is older than what this process has seen itself is no news.
    const old = { ...remembered, history: { ...remembered.history, lastAttempt: at('2026-11-01') } };
    expect(provision(statusOf({ events: [before, old] }))).toMatchObject({ lastOutcome: 'failure' });
  });

  test('that rests says by whom and why', () => {
    const pause = { by: 'mira', reason: 'password=hunter2', since: NOW };
    const status = statusOf({
      events: [{ kind: 'pauses-read', pauses: [{ job: 'provision', target: TABLE, isPaused: true, pause }] }],
    });
    expect(provision(status)?.paused).toEqual({
      by: 'mira',
      reason: 'password=[redacted]',
      since: '2026-11-21T06:00:00Z',
    });
    expect(provision(statusOf({}))?.paused).toBeNull();
  });

  test('that the policy does not ask for is no row', () => {
    const kept = { tables: [aTablePolicy({ retention: 'forever', analyze: undefined })], views: [] };
    expect(statusOf({ policies: kept }).jobs.map(({ job }) => job)).toEqual(['provision']);
  });
});

test('findings are those of the facts and those that only a run could make, the worst first', () => {
  const facts = someFacts({
    tables: [aTable({ partitions: [aPartition('2000-01-01', 'MAXVALUE'), ...monthly('1999-11', '1999-12')] })],
  });
  const blocked = finding('BLOCKED', TABLE, "pid 7 is in the way: alter role x password 'hunter2'", 'wait');
  const stale = finding('UNBOUNDED_PARTITION', TABLE, 'told by an earlier run in other words', 'look');
  const status = statusOf({ facts, events: [finished({ findings: [blocked, stale] })] });
  expect(status.findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(
    status.findings.map(({ severity, code }) => `${severity} ${code}`).toSorted((a, b) => order(a) - order(b)),
  );
  expect(status.findings.filter(({ code }) => code === 'UNBOUNDED_PARTITION')).toHaveLength(1);
  const found = status.findings.find(({ code }) => code === 'BLOCKED');
  expect(found?.message).toBe('pid 7 is in the way: alter role x password [redacted]');
});

test('what a run has found of a target that is no longer configured is not told', () => {
  const gone = finding('BLOCKED', relation('app.gone'), 'pid 7 is in the way', 'wait');
  expect(statusOf({ facts: healthy, events: [finished({ findings: [gone] })] }).findings).toEqual([]);
});

const order = (text: string): number => ['error', 'warning', 'info'].findIndex(severity => text.startsWith(severity));

test('the plan has its statements, and what is left alone is counted by reason', () => {
  const facts = someFacts({ tables: [aTable({ partitions: monthly('2026-09', '2026-12') })] });
  const { plan } = statusOf({ facts });
  expect(plan?.actions.map(({ kind }) => kind)).toEqual(['create-partition', 'analyze-table']);
  expect(plan?.actions[0]).toMatchObject({
    job: 'provision',
    kind: 'create-partition',
    headline: 'create partition unified.event_metric_events_2027_01',
  });
  expect(plan?.actions[0]?.sql.join('\n')).toContain('attach partition');
  // September to December, and January that is to be there by then.
  expect(plan?.leftAlone).toContainEqual({
    job: 'retire',
    target: 'unified.event_metric_events',
    reason: 'within-retention',
    explanation: 'Its upper bound is after the retention cutoff.',
    count: 5,
  });
});

test('actions of this process are told until the ledger has been read, newest first and not for ever', () => {
  const events = Array.from(
    { length: 60 },
    (_, index): Event => ({
      kind: 'action-finished',
      run: aRun(),
      action: aCreate(),
      result: aResult({ durationMs: index }),
    }),
  );
  const { recent } = statusOf({
    events: [
      ...events,
      { kind: 'action-failed', run: aRun(), action: aCreate(), error: lockTimeout(), attempts: 3, durationMs: 9 },
    ],
  });
  expect(recent.source).toBe('this-process');
  expect(recent.actions).toHaveLength(50);
  expect(recent.actions.slice(0, 2)).toMatchObject([
    { outcome: 'failed', error: expect.stringContaining('LOCK_UNAVAILABLE') },
    { outcome: 'done', durationMs: 59, error: null, relation: 'unified.event_metric_events_2026_12' },
  ]);
});

test('the schema that is published describes what is answered', () => {
  expect(statusJsonSchema()).toMatchObject({ type: 'object', additionalProperties: false });
  expect(statusSchema.parse(JSON.parse(JSON.stringify(aStatus())))).toEqual(aStatus());
});
