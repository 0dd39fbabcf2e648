import { expect, test } from 'vitest';
import { FIRST_AFTER_MS, watchLongWork } from '../../../src/report/long-work.ts';
import { aCreate, aRefresh, aResult, aRun, lockTimeout } from './examples.ts';

/** Timers that somebody else makes pass. */
function aWatch() {
  const ticks = new Set<() => void>();
  const told: string[] = [];
  const emit = watchLongWork({
    every(ms, tick) {
      expect(ms).toBe(FIRST_AFTER_MS);
      ticks.add(tick);
      return () => void ticks.delete(tick);
    },
    tell: (run, { kind }, elapsedMs) => told.push(`${run.runId} ${kind} ${elapsedMs / 1000}`),
  });
  return {
    emit,
    told,
    open: () => ticks.size,
    pass(times: number) {
      for (let time = 0; time < times; time += 1) for (const tick of ticks) tick();
    },
  };
}

const run = aRun();
const action = aRefresh();

test('what takes long is told after ten seconds, and then each time after as long again', () => {
  const { emit, told, pass } = aWatch();
  emit({ kind: 'action-started', run, action });
  pass(17);
  expect(told).toEqual([10, 20, 40, 80, 160].map(seconds => `run-1 refresh-view ${seconds}`));
});

test('what has ended is not, however it ended, and two at once are two', () => {
  const { emit, told, open, pass } = aWatch();
  const other = aCreate();
  for (const each of [action, other]) emit({ kind: 'action-started', run, action: each });
  emit({ kind: 'action-finished', run, action, result: aResult() });
  pass(1);
  expect(told).toEqual(['run-1 create-partition 10']);
  emit({ kind: 'action-failed', run, action: other, error: lockTimeout(), attempts: 1, durationMs: 1 });
  emit({ kind: 'action-started', run, action });
  emit({ kind: 'action-deferred', run, action, error: lockTimeout() });
  pass(9);
  expect([told.length, open()]).toEqual([1, 0]);
});
