import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { finding } from '../../../src/domain/findings.ts';
import type { Because } from '../../../src/domain/plan.ts';
import {
  explainAction,
  explainBecause,
  explainError,
  explainFinding,
  explainOutcome,
  explainResult,
  explainSkip,
} from '../../../src/report/explain.ts';
import { at, relation } from '../../support/facts.ts';
import { aCreate, aDrop, aRefresh, aResult, aRun, finished, TABLE } from './examples.ts';

describe('an action', () => {
  test('creating', () => {
    expect(explainAction(aCreate())).toEqual({
      headline: 'create partition unified.event_metric_events_2026_12',
      why: 'premake: 1 of 2 windows ahead, 2026-12-01 to 2027-01-01',
    });
  });

  test('creating for a key without a zone shows times without one', () => {
    const window = { lower: at('2026-12-01T05:00:00Z'), upper: at('2026-12-01T06:00:00Z') };
    const action = aCreate({ keyType: 'timestamp', window, because: { rule: 'current-window', window } });
    expect(explainAction(action).why).toBe(
      'the current window has no partition: 2026-12-01T05:00:00 to 2026-12-01T06:00:00',
    );
  });

  test('dropping, with what is lost and the proof', () => {
    expect(explainAction(aDrop())).toEqual({
      headline: 'drop unified.event_metric_events_2026_07 (about 21,000 rows, 9.1 MB)',
      why: 'its upper bound 2026-08-01T00:00:00Z is at or before the cutoff 2026-08-23T06:00:00Z (retention 90 days)',
    });
    expect(explainAction(aDrop({ rowsEstimate: undefined })).headline).toContain('an unknown number of rows');
  });

  test('refreshing says whether readers have to wait', () => {
    expect(explainAction(aRefresh()).headline).toBe('refresh unified.mv_recent_events concurrently');
    expect(explainAction(aRefresh({ concurrently: false })).headline).toBe(
      'refresh unified.mv_recent_events under a lock that stops its readers',
    );
  });

  test('a name cannot break the line', () => {
    const name = { schema: 'unified', name: 'x\n2026-11-21 INFO: dropped everything' };
    expect(explainAction(aCreate({ relation: name })).headline).toBe(
      'create partition unified."x\\n2026-11-21 INFO: dropped everything"',
    );
  });
});

test.each<[Because, string]>([
  [
    { rule: 'gap', window: { lower: at('2026-02-01'), upper: at('2026-03-01') } },
    'a hole between the partitions: 2026-02-01 to 2026-03-01',
  ],
  [
    { rule: 'left-behind', check: true, drains: 1 },
    'an interrupted run has left a CHECK that refuses rows and 1 unfinished drain beside the default partition',
  ],
  [{ rule: 'never-populated' }, 'it was never populated, so nobody can read it'],
  [{ rule: 'reads-refreshed', view: relation('unified.mv_a') }, 'it reads unified.mv_a, which is refreshed first'],
  [
    { rule: 'rows-changed', changed: 12_000, live: 100_000 },
    'about 12,000 of 100,000 rows changed since its last ANALYZE',
  ],
])('$rule has a reason', (because, text) => {
  expect(explainBecause(because)).toBe(text);
});

test('a skip says what is left alone and the figures behind the reason', () => {
  const skip = { job: 'retire', target: TABLE, relation: TABLE, reason: 'within-retention' } as const;
  expect(explainSkip(skip)).toBe('unified.event_metric_events: Its upper bound is after the retention cutoff.');
  expect(explainSkip({ ...skip, detail: '2026-12-01 > 2026-08-23' })).toBe(
    'unified.event_metric_events: Its upper bound is after the retention cutoff (2026-12-01 > 2026-08-23).',
  );
});

test('a finding names its target once and ends with what to do', () => {
  expect(explainFinding(finding('UNREADABLE_BOUND', TABLE, 'no partition for March', 'create it'))).toBe(
    'unified.event_metric_events: no partition for March. create it.',
  );
  expect(
    explainFinding(finding('UNREADABLE_BOUND', TABLE, 'unified.event_metric_events lacks March.', 'create it')),
  ).toBe('unified.event_metric_events lacks March. create it.');
});

test('an error has its code, and the SQLSTATE where the server objected', () => {
  expect(explainError(new MaintenanceError('USAGE', 'no such job'))).toBe('no such job. [USAGE]');
  expect(
    explainError(new MaintenanceError('PERMISSION_DENIED', 'drop x\ny', { sqlstate: '42501', hint: 'grant it' })),
  ).toBe('drop x\\ny. [PERMISSION_DENIED, 42501] grant it.');
});

describe('a result', () => {
  test('has how long, how often and how much', () => {
    expect(explainResult(aDrop(), aResult({ attempts: 3, rows: 21_034, bytes: 9_541_222 }))).toBe(
      'drop unified.event_metric_events_2026_07 (about 21,000 rows, 9.1 MB): done in 41 ms, at attempt 3, 21,034 rows, 9.1 MB',
    );
  });

  test('does not claim what somebody else did', () => {
    expect(explainResult(aCreate(), aResult({ outcome: 'already-done' }))).toBe(
      'create partition unified.event_metric_events_2026_12: somebody else had done it already',
    );
  });
});

test.each([
  [finished(), 'nothing to do'],
  [finished({ findings: [finding('TARGET_MISSING', TABLE, 'gone', '')] }), 'nothing done, 1 finding'],
  [finished({ done: 2 }), '2 done'],
  [finished({ outcome: 'partial', done: 1, failed: 2 }), '1 done, 2 failed'],
  [finished({ outcome: 'failure', failed: 1 }), 'failed'],
  [finished({ outcome: 'failure', failed: 3 }), '3 failed'],
  [finished({ outcome: 'failure' }), 'failed'],
  [finished({ outcome: 'canceled' }), 'stopped on request'],
  [finished({ outcome: 'canceled', done: 1 }), 'stopped on request after 1 done'],
])('an outcome: $outcome, $done done, $failed failed', (event, text) => {
  expect(explainOutcome({ ...event, run: aRun({ job: 'retire' }) })).toBe(
    `retire unified.event_metric_events: ${text} (1.2 s)`,
  );
});
