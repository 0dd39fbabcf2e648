import { describe, expect, test } from 'vitest';
import { INTERVALS, type Interval, isWindow, nextWindow, windowAt } from '../../../src/domain/interval.ts';
import { isAfter, isBefore } from '../../../src/domain/time.ts';
import { at, plusMicroseconds } from '../../support/facts.ts';
import { chance } from '../../support/random.ts';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'America/St_Johns',
  'Pacific/Apia',
  'Africa/Casablanca',
] as const;
const GRIDS = ZONES.flatMap(zone => INTERVALS.map((interval): [Interval, string] => [interval, zone]));

describe('whatever the moment', () => {
  test.each(GRIDS)(
    'its %s in %s contains it, and meets its neighbours without a gap or an overlap',
    (interval, zone) => {
      const { instant } = chance(20_261_121);
      for (let round = 0; round < 30; round += 1) {
        // From before the last change of a zone's rules to well after the next leap years.
        const moment = instant(at('2009-01-01'), at('2033-01-01'));
        const window = windowAt(moment, interval, zone);
        const { lower, upper } = window;
        const where = `${moment.toString()} in ${lower.toString()} to ${upper.toString()}`;
        expect(isAfter(lower, moment), where).toBe(false);
        expect(isAfter(upper, moment), where).toBe(true);
        expect(windowAt(lower, interval, zone), where).toEqual(window);
        expect(windowAt(plusMicroseconds(upper, -1), interval, zone), where).toEqual(window);
        expect(windowAt(plusMicroseconds(lower, -1), interval, zone).upper, where).toEqual(lower);
        expect(windowAt(upper, interval, zone).lower, where).toEqual(upper);
        expect(nextWindow(window, interval, zone), where).toEqual(windowAt(upper, interval, zone));
        expect(isWindow(window, interval, zone), where).toBe(true);
      }
    },
  );
});

/** How many windows it takes to walk from one line of the grid to another. */
function walk(interval: Interval, zone: string, from: string, to: string): number {
  let window = windowAt(at(from), interval, zone);
  let count = 1;
  for (; isBefore(window.upper, at(to)); count += 1) window = nextWindow(window, interval, zone);
  return count;
}

describe('a walk from window to window', () => {
  test.each<[Interval, string, string, string, number]>([
    ['hour', 'UTC', '2026-02-01', '2026-04-01', 59 * 24],
    ['hour', 'Europe/Berlin', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z', 31 * 24 - 1],
    ['hour', 'Europe/Berlin', '2026-09-30T22:00:00Z', '2026-10-31T23:00:00Z', 31 * 24 + 1],
    ['hour', 'Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 23],
    ['hour', 'Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 25],
    ['hour', 'Australia/Lord_Howe', '2026-04-04T13:00:00Z', '2026-04-05T13:30:00Z', 24],
    ['hour', 'Australia/Lord_Howe', '2026-10-03T13:30:00Z', '2026-10-04T13:00:00Z', 24],
    ['day', 'UTC', '2023-01-01', '2029-01-01', 2192],
    ['day', 'Europe/Berlin', '2022-12-31T23:00:00Z', '2028-12-31T23:00:00Z', 2192],
    ['day', 'America/New_York', '2023-01-01T05:00:00Z', '2029-01-01T05:00:00Z', 2192],
    ['day', 'Pacific/Apia', '2011-01-01T10:00:00Z', '2011-12-31T10:00:00Z', 364],
    ['week', 'UTC', '2019-12-30', '2021-01-04', 53],
    ['week', 'Europe/Berlin', '2025-12-28T23:00:00Z', '2027-01-03T23:00:00Z', 53],
    ['month', 'UTC', '2023-01-01', '2029-01-01', 72],
    ['month', 'Europe/Berlin', '2022-12-31T23:00:00Z', '2028-12-31T23:00:00Z', 72],
    ['quarter', 'America/New_York', '2023-01-01T05:00:00Z', '2029-01-01T05:00:00Z', 24],
    ['year', 'Asia/Kolkata', '2022-12-31T18:30:00Z', '2028-12-31T18:30:00Z', 6],
  ])('by the %s in %s from %s to %s takes %i', (interval, zone, from, to, expected) => {
    expect(walk(interval, zone, from, to)).toBe(expected);
  });
});
