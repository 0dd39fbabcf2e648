import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import type { Event } from '../../../src/report/events.ts';
import { at, NOW, someFacts } from '../../support/facts.ts';
import { aCreate, aDrop, aRefresh, aResult, aRun, finished, lockTimeout, TABLE, VIEW } from './examples.ts';
import { aLog, levels } from './lines.ts';

describe('a run', () => {
  test('has one line, and so has each of its actions', () => {
    const { emit, lines } = aLog();
    const run = aRun({ trigger: 'manual' });
    const action = aCreate();
    emit({ kind: 'run-started', run, at: NOW });
    emit({ kind: 'planned', run, plan: { now: NOW, actions: [action], skips: [], findings: [] } });
    emit({ kind: 'action-started', run, action });
    emit({ kind: 'action-finished', run, action, result: aResult() });
    emit(finished({ run, done: 1 }));

    const [act, end, ...more] = lines();
    expect(more).toEqual([]);
    expect(act).toMatchObject({
      level: 'info',
      msg: 'action finished',
      job: 'provision',
      target: 'unified.event_metric_events',
      relation: 'unified.event_metric_events_2026_12',
      run: 'run-1',
      trigger: 'manual',
      because: { rule: 'premake', ahead: 1, premake: 2, window: { lower: '2026-12-01T00:00:00Z' } },
      statements: ['alter table unified.event_metric_events attach partition …'],
      durationMs: 41,
      text: 'create partition unified.event_metric_events_2026_12: done in 41 ms; premake: 1 of 2 windows ahead, 2026-12-01 to 2027-01-01',
    });
    expect(end).toMatchObject({
      level: 'info',
      msg: 'run finished',
      outcome: 'success',
      done: 1,
      text: 'provision unified.event_metric_events: 1 done (1.2 s)',
    });
  });

  test('every kind of event is a line at debug', () => {
    const { emit, lines } = aLog('debug');
    const run = aRun();
    const action = aRefresh({ because: { rule: 'reads-refreshed', view: TABLE } });
    const events: readonly Event[] = [
      { kind: 'run-started', run, at: NOW },
      { kind: 'planned', run, plan: { now: NOW, actions: [], skips: [], findings: [] } },
      { kind: 'action-started', run, action },
      { kind: 'scheduled', job: 'refresh', target: VIEW, nextRun: at('2026-11-22') },
      { kind: 'scheduled', job: 'refresh', target: VIEW, nextRun: undefined },
      { kind: 'ready-changed', ready: true, because: 'the database answers' },
      { kind: 'ready-changed', ready: false, because: 'the database is away' },
      { kind: 'listening', address: 'http://127.0.0.1:9187' },
      { kind: 'stopping', because: 'SIGTERM' },
      { kind: 'stopped' },
    ];
    for (const event of events) emit(event);
    const seen = lines();
    expect(levels(seen)).toEqual([
      'debug run started',
      'debug planned',
      'debug action started',
      'debug scheduled',
      'debug scheduled',
      'info readiness changed',
      'warn readiness changed',
      'info listening',
      'info stopping',
      'info stopped',
    ]);
    expect(seen.every(({ text }) => typeof text === 'string' && text.length > 0)).toBe(true);
    expect(seen[2]).toMatchObject({ because: { rule: 'reads-refreshed', view: 'unified.event_metric_events' } });
  });

  test('skips are for debug', () => {
    const skips = [{ job: 'retire', target: TABLE, relation: TABLE, reason: 'keep-forever' }] as const;
    const quiet = aLog();
    quiet.emit(finished({ skips }));
    expect(levels(quiet.lines())).toEqual(['info run finished']);
    const chatty = aLog('debug');
    chatty.emit(finished({ skips }));
    expect(levels(chatty.lines())).toEqual(['debug skipped', 'info run finished']);
  });
});

describe('trouble', () => {
  test('a retry is a warning with the time to the next attempt', () => {
    const { emit, lines } = aLog();
    emit({ kind: 'action-retried', run: aRun(), action: aCreate(), attempt: 2, delayMs: 1_500, error: lockTimeout() });
    expect(lines()).toMatchObject([
      { level: 'warn', msg: 'action retried', attempt: 2, code: 'LOCK_UNAVAILABLE', sqlstate: '55P03' },
    ]);
  });

  test('of the queue is told once, whoever meets it and however often; that it is over as well', () => {
    const { emit, lines } = aLog();
    const watched = {
      kind: 'queue-watched',
      backlog: { ready: 0, deferred: 0, active: 0, readySince: undefined },
    } as const;
    const ofWorker = new MaintenanceError('CONNECTION_FAILED', 'could not reach the queue: connect ECONNREFUSED');
    const ofLook = new MaintenanceError('CONNECTION_FAILED', 'could not connect to the database: connect ECONNREFUSED');
    emit(watched);
    for (const error of [ofWorker, ofLook, ofWorker, ofLook]) emit({ kind: 'queue-troubled', error });
    // The first look that succeeds may be between two that do not.
    emit(watched);
    emit({ kind: 'queue-troubled', error: ofWorker });
    emit(watched);
    emit(watched);
    emit(watched);
    emit({ kind: 'queue-troubled', error: ofWorker });
    expect(lines().map(({ level, msg, code, error }) => [level, msg, code, error])).toEqual([
      ['warn', 'queue troubled', 'CONNECTION_FAILED', ofWorker.message],
      ['warn', 'queue troubled', 'CONNECTION_FAILED', ofLook.message],
      ['info', 'queue recovered', undefined, undefined],
      ['warn', 'queue troubled', 'CONNECTION_FAILED', ofWorker.message],
    ]);
  });

  test('of the ledger is told once, until a run is on record again', () => {
    const { emit, lines } = aLog();
    const error = new MaintenanceError('PERMISSION_DENIED', 'could not begin a run: permission denied for table runs');
    for (let runs = 0; runs < 2; runs += 1) {
      emit({ kind: 'ledger-troubled', error });
      emit(finished({}));
    }
    emit(finished({}));
    emit(finished({}));
    const told = lines().filter(({ msg }) => msg.startsWith('ledger'));
    expect(levels(told)).toEqual(['warn ledger troubled', 'info ledger recovered']);
  });

  test('a failure is told once: by its action, not again by its run', () => {
    const { emit, lines } = aLog();
    const error = lockTimeout();
    emit({ kind: 'action-failed', run: aRun(), action: aDrop(), error, attempts: 3, durationMs: 600 });
    emit(finished({ outcome: 'failure', failed: 1, error }));
    const [failure, end] = lines();
    expect(failure).toMatchObject({
      level: 'error',
      msg: 'action failed',
      code: 'LOCK_UNAVAILABLE',
      sqlstate: '55P03',
      hint: 'look for a long transaction in pg_stat_activity',
      attempts: 3,
    });
    expect(failure?.text).toContain('failed after 3 attempts');
    expect(end).toMatchObject({ level: 'error', outcome: 'failure' });
    expect(end).not.toHaveProperty('code');
  });

  test('what several runs fail of alike is told by each of them', () => {
    const { emit, lines } = aLog();
    const error = new MaintenanceError('CONNECTION_FAILED', 'connect');
    for (const runId of ['run-1', 'run-2']) emit(finished({ run: aRun({ runId }), outcome: 'failure', error }));
    expect(lines()).toMatchObject([
      { run: 'run-1', code: 'CONNECTION_FAILED' },
      { run: 'run-2', code: 'CONNECTION_FAILED' },
    ]);
  });

  test.each([
    ['CANCELLED', 'info'],
    ['STALE_PLAN', 'warn'],
    ['CONNECTION_LOST', 'error'],
  ] as const)('an action that ends with %s is logged at %s', (code, level) => {
    const { emit, lines } = aLog();
    const error = new MaintenanceError(code, 'drop');
    emit({ kind: 'action-failed', run: aRun(), action: aDrop(), error, attempts: 1, durationMs: 1 });
    expect(lines()).toMatchObject([{ level, code }]);
  });

  test("a run's own failure is on its line, an unforeseen one with its stack", () => {
    const { emit, lines } = aLog();
    emit(finished({ outcome: 'failure', error: new MaintenanceError('PERMISSION_DENIED', 'read the catalog') }));
    emit(finished({ outcome: 'failure', error: new MaintenanceError('UNEXPECTED', 'undefined is not a function') }));
    const [denied, unforeseen] = lines();
    expect(denied).toMatchObject({ level: 'error', code: 'PERMISSION_DENIED', error: 'read the catalog' });
    expect(denied).not.toHaveProperty('err');
    expect(unforeseen).toMatchObject({ code: 'UNEXPECTED', err: { stack: expect.stringContaining('log.test.ts') } });
  });

  test.each([
    ['success', 'info'],
    ['partial', 'warn'],
    ['failure', 'error'],
    ['canceled', 'info'],
  ] as const)('a run that ends in %s is logged at %s', (outcome, level) => {
    const { emit, lines } = aLog();
    emit(finished({ outcome }));
    expect(lines()).toMatchObject([{ level }]);
  });

  test('facts that were not read because we stop are no news', () => {
    const { emit, lines } = aLog();
    emit({ kind: 'observation-failed', error: new MaintenanceError('CANCELLED', 'read facts'), durationMs: 5 });
    emit({ kind: 'observed', facts: someFacts(), durationMs: 5 });
    expect(lines()).toEqual([]);
  });

  test('a database that stays away is one error, and its return is told', () => {
    const { emit, lines } = aLog();
    const away = (code: 'CONNECTION_FAILED' | 'PERMISSION_DENIED') =>
      emit({ kind: 'observation-failed', error: new MaintenanceError(code, 'read facts'), durationMs: 5 });
    away('CONNECTION_FAILED');
    away('CONNECTION_FAILED');
    away('PERMISSION_DENIED');
    for (let round = 0; round < 2; round += 1) emit({ kind: 'observed', facts: someFacts(), durationMs: 5 });
    expect(levels(lines())).toEqual(['error observation failed', 'error observation failed', 'info observed']);
  });
});
