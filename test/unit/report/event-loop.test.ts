import { afterEach, expect, test, vi } from 'vitest';
import { STALL_MS, watchEventLoop } from '../../../src/report/event-loop.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('each stall is told once, shorter delays are not', () => {
  vi.useFakeTimers();
  let now = 0;
  const stalls: number[] = [];
  const stop = watchEventLoop(delay => stalls.push(delay), { everyMs: 500, clock: { now: () => now } });
  const tickAfter = (milliseconds: number) => {
    now += milliseconds;
    vi.advanceTimersByTime(500);
  };
  tickAfter(500);
  tickAfter(500 + STALL_MS - 1);
  expect(stalls).toEqual([]);
  tickAfter(500 + STALL_MS);
  tickAfter(500);
  expect(stalls).toEqual([STALL_MS]);
  stop();
  tickAfter(10_000);
  expect(stalls).toHaveLength(1);
});

test('a loop that is really blocked is noticed', async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const stop = watchEventLoop(resolve, { everyMs: 10 });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS + 100);
  expect(await promise).toBeGreaterThanOrEqual(STALL_MS);
  stop();
});
