import { expect, test } from 'vitest';
import { rateLimit } from '../../../src/http/rate-limit.ts';

function aLimit(atOnce: number, perMinute: number) {
  let nowMs = 1_000;
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  const limit = rateLimit({ atOnce, perMinute }, () => nowMs);
  return { ...limit, pass };
}

test('so many at once, then as many as time allows, and never more than that at once', () => {
  const limit = aLimit(3, 60);
  expect([1, 2, 3, 4].map(() => limit.take())).toEqual([0, 0, 0, 1]);
  limit.pass(999);
  expect(limit.take()).toBe(1);
  limit.pass(1);
  expect([limit.take(), limit.take()]).toEqual([0, 1]);
  limit.pass(86_400_000);
  expect([1, 2, 3, 4].map(() => limit.take())).toEqual([0, 0, 0, 1]);
});

test('it says how long to wait, in whole seconds', () => {
  const limit = aLimit(1, 5);
  limit.take();
  expect(limit.take()).toBe(12);
  limit.pass(11_500);
  expect(limit.take()).toBe(1);
});

test('looking takes none', () => {
  const limit = aLimit(1, 60);
  expect([limit.look(), limit.look(), limit.take(), limit.look()]).toEqual([0, 0, 0, 1]);
});

test('one for each key, of which a thousand are kept', () => {
  const limit = aLimit(1, 1);
  expect([limit.take('a'), limit.take('b'), limit.take('a')]).toEqual([0, 0, 60]);
  for (let index = 0; index < 999; index += 1) limit.take(`${index}`);
  // `b` was asked for longest ago.
  expect([limit.look('a'), limit.look('b')]).toEqual([60, 0]);
});
