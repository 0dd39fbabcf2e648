/** Chance that can be repeated: one seed gives one series of numbers, so that what fails once fails again. */
import { type Instant, instantFromEpochMs } from '../../src/domain/time.ts';

export interface Chance {
  /** A whole number from 0 (included) to `limit` (excluded). */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  /** Any microsecond from `from` (included) to `to` (excluded). */
  instant(from: Instant, to: Instant): Instant;
}

/** mulberry32: short, and good enough to wander about a calendar. */
export function chance(seed: number): Chance {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    pick(from) {
      const picked = from[below(from.length)];
      if (picked === undefined) throw new RangeError('there is nothing to pick from');
      return picked;
    },
    instant(from, to) {
      const ms = below(to.epochMilliseconds - from.epochMilliseconds);
      return instantFromEpochMs(from.epochMilliseconds + ms).add({ microseconds: below(1000) });
    },
  };
}
