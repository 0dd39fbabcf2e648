import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { type Finding, finding } from '../../../src/domain/findings.ts';
import { NOW } from '../../support/facts.ts';
import { aRun, finished, lockTimeout, TABLE } from './examples.ts';
import { aLog, levels } from './lines.ts';

const round = (findings: readonly Finding[], job: 'provision' | 'retire' = 'provision') =>
  finished({ run: aRun({ job }), findings });
const found = (log: ReturnType<typeof aLog>) => log.lines().filter(({ msg }) => msg !== 'run finished');

describe('findings', () => {
  const gap = finding('UNREADABLE_BOUND', TABLE, 'no partition for March', 'create it');
  test('have the level of their severity', () => {
    const log = aLog();
    log.emit(
      round([
        gap,
        finding('READ_ONLY', TABLE, 'standby', 'point at the primary'),
        finding('DEFAULT_PARTITION', TABLE, 'has one', 'none'),
      ]),
    );
    const seen = found(log);
    expect(seen.map(({ level, code }) => `${level} ${String(code)}`)).toEqual([
      'warn UNREADABLE_BOUND',
      'error READ_ONLY',
      'info DEFAULT_PARTITION',
    ]);
    expect(seen[0]).toMatchObject({ target: 'unified.event_metric_events', severity: 'warning', hint: 'create it' });
  });

  test('are told once, however many rounds they last, and whichever job finds them', () => {
    const log = aLog();
    log.emit(round([gap]));
    expect(found(log)).toHaveLength(1);
    log.emit(round([gap]));
    log.emit(round([gap], 'retire'));
    log.emit(round([gap], 'retire'));
    expect(found(log)).toEqual([]);
  });

  test('that last are there for debugging', () => {
    const log = aLog('debug');
    log.emit(round([gap]));
    log.emit(round([gap]));
    expect(levels(found(log))).toEqual(['warn finding', 'debug finding remains']);
  });

  test('that change are told again, as changed and not as gone', () => {
    const log = aLog();
    log.emit(round([gap]));
    found(log);
    log.emit(round([{ ...gap, message: 'no partition for March and April' }]));
    expect(levels(found(log))).toEqual(['warn finding']);
  });

  test('that are gone are told once', () => {
    const log = aLog();
    log.emit(round([gap]));
    found(log);
    log.emit(round([]));
    log.emit(round([]));
    const seen = found(log);
    expect(levels(seen)).toEqual(['info finding cleared']);
    expect(seen[0]).toMatchObject({ code: 'UNREADABLE_BOUND', target: 'unified.event_metric_events' });
    log.emit(round([gap]));
    expect(levels(found(log))).toEqual(['warn finding']);
  });

  test('are not gone while another job still finds them', () => {
    const log = aLog();
    log.emit(round([gap]));
    log.emit(round([gap], 'retire'));
    found(log);
    log.emit(round([]));
    expect(found(log)).toEqual([]);
    log.emit(round([], 'retire'));
    expect(levels(found(log))).toEqual(['info finding cleared']);
  });

  test('are gone when a run looked and did not find them, whatever else it failed at', () => {
    const log = aLog();
    log.emit(round([gap]));
    found(log);
    log.emit({ kind: 'planned', run: aRun(), plan: { now: NOW, actions: [], skips: [], findings: [] } });
    log.emit(finished({ outcome: 'partial', error: lockTimeout() }));
    expect(levels(found(log))).toEqual(['info finding cleared']);
  });

  test('are not gone because a run broke down before it could look', () => {
    const log = aLog();
    log.emit(round([gap]));
    found(log);
    log.emit(finished({ outcome: 'failure', error: new MaintenanceError('CONNECTION_LOST', 'read facts') }));
    expect(found(log)).toEqual([]);
    log.emit(round([gap]));
    expect(found(log)).toEqual([]);
  });
});
