import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { collecting } from '../../../src/report/collecting.ts';
import type { Event } from '../../../src/report/events.ts';
import { at, NOW } from '../../support/facts.ts';
import { aCreate, aRun } from './examples.ts';
import { scrape, seconds, someMetrics } from './scrape.ts';

describe('before anything has happened', () => {
  test('every collector, loop, level, reason and outcome has its series, at 0', async () => {
    const series = await scrape(someMetrics());
    for (const collector of ['inventory', 'queue', 'pauses', 'runs', 'actions']) {
      expect(series.get(`partkeeper_collector_success{collector="${collector}"}`)).toBe(0);
      expect(series.get(`partkeeper_collector_last_success_timestamp_seconds{collector="${collector}"}`)).toBe(0);
    }
    expect(series.get('partkeeper_loop_last_tick_timestamp_seconds{loop="schedule"}')).toBe(0);
    expect(series.get('partkeeper_log_messages_total{level="error"}')).toBe(0);
    expect(series.get('partkeeper_database_connect_failures_total{reason="too_many"}')).toBe(0);
    expect(series.get('partkeeper_queue_jobs_handled_total{outcome="retried"}')).toBe(0);
    expect(series.get('partkeeper_queue_wait_seconds_count')).toBe(0);
    expect(series.get('partkeeper_lock_wait_seconds_count{operation="retire"}')).toBe(0);
  });
});

describe('the queue', () => {
  test('tells what waits, what is under way, and since when the first one could have been taken', async () => {
    const metrics = someMetrics();
    const backlog = { ready: 3, deferred: 2, active: 1, readySince: at('2026-11-21') };
    metrics.emit({ kind: 'queue-watched', backlog });
    const series = await scrape(metrics);
    expect(series.get('partkeeper_queue_jobs{state="ready"}')).toBe(3);
    expect(series.get('partkeeper_queue_jobs{state="deferred"}')).toBe(2);
    expect(series.get('partkeeper_queue_jobs{state="active"}')).toBe(1);
    expect(series.get('partkeeper_queue_oldest_ready_timestamp_seconds')).toBe(seconds('2026-11-21'));
    metrics.emit({ kind: 'queue-watched', backlog: { ready: 0, deferred: 0, active: 0, readySince: undefined } });
    expect((await scrape(metrics)).get('partkeeper_queue_oldest_ready_timestamp_seconds')).toBe(0);
  });

  test('tells how long jobs waited and what became of them', async () => {
    const metrics = someMetrics();
    metrics.emit({ kind: 'job-taken', waitMs: 1_500 });
    metrics.emit({ kind: 'job-handled', outcome: 'completed' });
    const series = await scrape(metrics);
    expect(series.get('partkeeper_queue_wait_seconds_bucket{le="1"}')).toBe(0);
    expect(series.get('partkeeper_queue_wait_seconds_bucket{le="2"}')).toBe(1);
    expect(series.get('partkeeper_queue_jobs_handled_total{outcome="completed"}')).toBe(1);
  });
});

test('each try that waited for a lock is observed', async () => {
  const metrics = someMetrics();
  for (const waitMs of [3, 240]) metrics.emit({ kind: 'lock-waited', run: aRun(), action: aCreate(), waitMs });
  const series = await scrape(metrics);
  expect(series.get('partkeeper_lock_wait_seconds_bucket{le="0.005",operation="provision"}')).toBe(1);
  expect(series.get('partkeeper_lock_wait_seconds_count{operation="provision"}')).toBe(2);
  expect(series.get('partkeeper_lock_wait_seconds_sum{operation="provision"}')).toBeCloseTo(0.243);
});

test('connections that failed, lines and signs of life are told', async () => {
  const metrics = someMetrics();
  metrics.emit({ kind: 'connect-failed', reason: 'refused' });
  metrics.countLine('warn');
  metrics.beat('inventory', NOW);
  const series = await scrape(metrics);
  expect(series.get('partkeeper_database_connect_failures_total{reason="refused"}')).toBe(1);
  expect(series.get('partkeeper_log_messages_total{level="warn"}')).toBe(1);
  expect(series.get('partkeeper_loop_last_tick_timestamp_seconds{loop="inventory"}')).toBe(
    NOW.epochMilliseconds / 1000,
  );
});

describe('a look in the background', () => {
  const aCollector = () => {
    const events: Event[] = [];
    const metrics = someMetrics();
    const ticks = [1_000, 1_250];
    const ports = {
      emit: (event: Event) => {
        events.push(event);
        metrics.emit(event);
      },
      clock: () => NOW,
      monotonicMs: () => ticks.shift() ?? 0,
    };
    const figures = async () => {
      const series = await scrape(metrics);
      return ['success', 'last_success_timestamp_seconds', 'duration_seconds'].map(what =>
        series.get(`partkeeper_collector_${what}{collector="pauses"}`),
      );
    };
    return { events, ports, figures };
  };
  const failing = (code: 'CONNECTION_LOST' | 'CANCELLED') => () => Promise.reject(new MaintenanceError(code, 'look'));

  test('gives what was found, and tells that it succeeded, when, and how long it took', async () => {
    const { ports, figures } = aCollector();
    expect(await collecting(ports, 'pauses', async () => 'found')).toBe('found');
    expect(await figures()).toEqual([1, NOW.epochMilliseconds / 1000, 0.25]);
  });

  test('that fails is told, and throws what it threw; when it last succeeded stays', async () => {
    const { ports, figures } = aCollector();
    await expect(collecting(ports, 'pauses', failing('CONNECTION_LOST'))).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
    });
    expect(await figures()).toEqual([0, 0, 0.25]);
  });

  test('that is cancelled because we stop says nothing', async () => {
    const { events, ports } = aCollector();
    await expect(collecting(ports, 'pauses', failing('CANCELLED'))).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(events).toEqual([]);
  });
});
