import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { allTargets, observe } from '../../../src/observe.ts';
import type { Emit, Event } from '../../../src/report/events.ts';
import { type Inventory, takeInventory } from '../../../src/schedule/inventory.ts';
import { aServer } from '../../support/facts.ts';
import { configOf, imagine } from './imagined-time.ts';

const CONFIG = configOf('tables: { app.events: { interval: day } }\n');

/** An inventory wired to itself, as the service does; `sleep` decides what happens between two looks. */
function anInventory(sleep: (signal: AbortSignal) => Promise<void>, isPatient = true) {
  const imagined = imagine(CONFIG, '2026-11-21T06:00:00Z', '2100-01-01T00:00:00Z');
  const stopping = new AbortController();
  const events: Event[] = [];
  const emit: Emit = event => {
    events.push(event);
    inventory.listen(event);
  };
  const sleeps: number[] = [];
  const inventory: Inventory = takeInventory({
    ...imagined.runner,
    emit,
    look: signal => {
      const { policies } = imagined.runner;
      return observe({ ...imagined.runner, emit }, allTargets(policies), signal);
    },
    isPatient,
    stopping: stopping.signal,
    sleep: (ms, signal) => {
      sleeps.push(ms);
      return sleep(signal);
    },
  });
  const readiness = () =>
    events.flatMap(event => (event.kind === 'ready-changed' ? [`${event.ready}: ${event.because}`] : []));
  return { inventory, imagined, emit, readiness, sleeps, stop: () => stopping.abort('the end'), events };
}

const LOST = {
  kind: 'observation-failed',
  error: new MaintenanceError('CONNECTION_LOST', 'gone'),
  durationMs: 1,
} as const;

const WATCHED = {
  kind: 'queue-watched',
  backlog: { ready: 0, deferred: 0, active: 0, readySince: undefined },
} as const;

describe('the inventory', () => {
  test('is not ready before the first facts, asks more and more seldom for them, and tells once that it is', async () => {
    const looks = anInventory(async () => {
      if (looks.sleeps.length === 10) looks.imagined.setReachable(true);
      if (looks.sleeps.length === 12) looks.stop();
    });
    expect(looks.inventory.problem()).toBe('the database has not been reached yet');
    looks.imagined.setReachable(false);
    await looks.inventory.run();
    await expect(looks.inventory.first).resolves.toMatchObject({ tables: [] });
    expect(looks.readiness()).toEqual(['true: the database answers']);
    expect(looks.inventory.problem()).toBeUndefined();
    expect(looks.sleeps.slice(0, 10)).toEqual(looks.sleeps.slice(0, 10).toSorted((a, b) => a - b));
    expect(looks.sleeps.slice(10)).toEqual([30_000, 30_000]);
  });

  test('believes a run that finds the database gone, and looks again at once', async () => {
    const looks = anInventory(async signal => {
      if (looks.sleeps.length === 1) {
        looks.emit(LOST);
        expect(signal.aborted).toBe(true);
        expect(looks.inventory.problem()).toBe('gone');
      } else looks.stop();
    });
    await looks.inventory.run();
    expect(looks.readiness()).toEqual(['true: the database answers', 'false: gone', 'true: the database answers']);
  });

  test('looks again at once when the queue answers while the database is taken to be gone, and not while it is there', async () => {
    const looks = anInventory(async signal => {
      if (looks.sleeps.length === 1) {
        looks.emit(WATCHED);
        expect(signal.aborted).toBe(false);
        looks.imagined.setReachable(false);
        looks.emit(LOST);
      } else if (looks.sleeps.length === 2) {
        expect(signal.aborted).toBe(false);
        looks.imagined.setReachable(true);
        looks.emit(WATCHED);
        expect(signal.aborted).toBe(true);
      } else looks.stop();
    });
    await looks.inventory.run();
    expect(looks.readiness()).toEqual(['true: the database answers', 'false: gone', 'true: the database answers']);
  });

  test('is not disturbed by a look that was cancelled', async () => {
    const looks = anInventory(async () => {
      looks.emit({ ...LOST, error: new MaintenanceError('CANCELLED', 'stopped on request') });
      looks.stop();
    });
    await looks.inventory.run();
    expect(looks.inventory.problem()).toBeUndefined();
  });

  test.each([
    [{ isInRecovery: true }, 'is a standby in recovery'],
    [{ isReadOnly: true }, 'is in read-only mode'],
  ])('is not ready on a server that cannot be changed: %o', async (state, problem) => {
    const looks = anInventory(async () => looks.stop());
    const { databaseNow } = aServer();
    await looks.inventory.run();
    const server = aServer({ ...state, processNow: databaseNow });
    looks.emit({
      kind: 'observed',
      facts: { server, hasBookkeeping: true, ledger: undefined, tables: [], views: [], missing: [] },
      durationMs: 1,
    });
    expect(looks.inventory.problem()).toContain(problem);
  });

  test("knows the database's clock by the last look at it", async () => {
    const looks = anInventory(async () => looks.stop());
    const processNow = looks.imagined.now();
    const server = aServer({ processNow, databaseNow: processNow.add({ seconds: 90 }) });
    looks.emit({
      kind: 'observed',
      facts: { server, hasBookkeeping: true, ledger: undefined, tables: [], views: [], missing: [] },
      durationMs: 1,
    });
    expect(looks.inventory.databaseNow().toString()).toBe('2026-11-21T06:01:30Z');
  });

  test('without patience gives up the first facts at the first failure', async () => {
    const looks = anInventory(async () => looks.stop(), false);
    looks.imagined.setReachable(false);
    await looks.inventory.run();
    await expect(looks.inventory.first).rejects.toThrow('could not connect');
  });

  test('gives up the first facts when it is told to stop', async () => {
    const looks = anInventory(async () => looks.stop());
    looks.imagined.setReachable(false);
    await looks.inventory.run();
    await expect(looks.inventory.first).rejects.toBe('the end');
    expect(looks.readiness()).toEqual([]);
  });
});
