import { describe, expect, test } from 'vitest';
import {
  type CalendarDuration,
  formatDuration,
  type Parsed,
  parseCalendarDuration,
  parseTimeout,
  secondsBefore,
  subtract,
} from '../../../src/domain/duration.ts';
import { formatInstant } from '../../../src/domain/time.ts';
import { at } from '../../support/facts.ts';

const problemOf = (parsed: Parsed<unknown>): string | undefined => (parsed.ok ? undefined : parsed.problem);

describe('a length on the calendar', () => {
  test.each<[string, CalendarDuration]>([
    ['90 days', { amount: 90, unit: 'days' }],
    ['1 day', { amount: 1, unit: 'days' }],
    ['1 days', { amount: 1, unit: 'days' }],
    ['12 hours', { amount: 12, unit: 'hours' }],
    ['2 weeks', { amount: 2, unit: 'weeks' }],
    ['3 months', { amount: 3, unit: 'months' }],
    ['1 year', { amount: 1, unit: 'years' }],
    ['  7days ', { amount: 7, unit: 'days' }],
    ['7\tDAYS', { amount: 7, unit: 'days' }],
    ['007 Days', { amount: 7, unit: 'days' }],
    ['1000000 days', { amount: 1_000_000, unit: 'days' }],
    ['24000000 hours', { amount: 24_000_000, unit: 'hours' }],
    ['2732 years', { amount: 2732, unit: 'years' }],
  ])('%j is read', (text, value) => {
    expect(parseCalendarDuration(text)).toEqual({ ok: true, value });
  });

  const NO_DURATION = "is not a duration: write a whole number and a unit, such as '90 days', '12 hours' or '3 months'";
  const UNITS = 'use hours, days, weeks, months or years';
  const TOO_LONG = 'is longer than PostgreSQL can reckon with';
  test.each([
    ['90', "has no unit: write '90 days'"],
    [' 90 ', "has no unit: write '90 days'"],
    ['-90', "has no unit: write '90 days'"],
    ['1.5', "has no unit: write '1.5 days'"],
    ['', NO_DURATION],
    ['days', NO_DURATION],
    ['-90 days', NO_DURATION],
    ['+90 days', NO_DURATION],
    ['1.5 days', NO_DURATION],
    ['1e3 days', NO_DURATION],
    ['90 days ago', NO_DURATION],
    ['1 month 2 days', NO_DURATION],
    ['1 mon.', NO_DURATION],
    ['ninety days', NO_DURATION],
    ['٩٠ days', NO_DURATION],
    ['90 d', `has the unknown unit 'd': ${UNITS}`],
    ['90 Minutes', `has the unknown unit 'Minutes': ${UNITS}`],
    ['90 dayss', `has the unknown unit 'dayss': ${UNITS}`],
    ['1 constructor', `has the unknown unit 'constructor': ${UNITS}`],
    ['0 days', 'is zero, and zero never means "everything" here'],
    ['000 years', 'is zero, and zero never means "everything" here'],
    ['1000001 days', TOO_LONG],
    ['24000001 hours', TOO_LONG],
    ['142858 weeks', TOO_LONG],
    ['32259 months', TOO_LONG],
    ['2733 years', TOO_LONG],
    [`${'9'.repeat(400)} days`, TOO_LONG],
  ])('%j is refused', (text, problem) => {
    expect(problemOf(parseCalendarDuration(text))).toBe(problem);
  });

  test.each(['1000000 days', '24000000 hours', '142857 weeks', '32258 months', '2732 years'])(
    '%s, the longest that is read, can be taken off any moment of our time',
    text => {
      const parsed = parseCalendarDuration(text);
      if (!parsed.ok) throw new Error(parsed.problem);
      const back = subtract(at('2026-11-21'), parsed.value, 'Europe/Berlin').toZonedDateTimeISO('UTC').year;
      expect(back).toBeGreaterThan(-750);
      expect(back).toBeLessThan(0);
    },
  );

  test.each<[CalendarDuration, string]>([
    [{ amount: 90, unit: 'days' }, '90 days'],
    [{ amount: 1, unit: 'months' }, '1 month'],
    [{ amount: 1, unit: 'days' }, '1 day'],
    [{ amount: 2, unit: 'years' }, '2 years'],
  ])('%j is written so that it is read again', (duration, text) => {
    expect(formatDuration(duration)).toBe(text);
    expect(parseCalendarDuration(text)).toEqual({ ok: true, value: duration });
  });
});

describe('a length of time', () => {
  test.each([
    ['200ms', 200],
    ['1 ms', 1],
    ['30s', 30_000],
    ['30 sec', 30_000],
    ['30 secs', 30_000],
    ['1 second', 1000],
    ['2 seconds', 2000],
    ['15min', 900_000],
    ['15 mins', 900_000],
    ['1 MINUTE', 60_000],
    ['2 minutes', 120_000],
    ['1h', 3_600_000],
    ['1 hour', 3_600_000],
    ['2 hours', 7_200_000],
    ['2147483647 ms', 2_147_483_647],
  ])('%j is read', (text, value) => {
    expect(parseTimeout(text)).toEqual({ ok: true, value });
  });

  const NO_TIME = "is not a length of time: write a whole number and a unit, such as '200ms', '30s' or '15min'";
  const FOR_EVER = 'is zero, which PostgreSQL reads as "wait for ever"';
  const TOO_LONG = 'is longer than PostgreSQL accepts (24 days)';
  test.each([
    ['200', NO_TIME],
    ['', NO_TIME],
    ['s', NO_TIME],
    ['-1s', NO_TIME],
    ['1.5s', NO_TIME],
    ['2 days', NO_TIME],
    ['2 mss', NO_TIME],
    ['2 hs', NO_TIME],
    ['1 toString', NO_TIME],
    ['1 min 30 s', NO_TIME],
    ['0s', FOR_EVER],
    ['000 ms', FOR_EVER],
    ['2147483648 ms', TOO_LONG],
    ['597 hours', TOO_LONG],
    [`${'9'.repeat(400)} s`, TOO_LONG],
  ])('%j is refused', (text, problem) => {
    expect(problemOf(parseTimeout(text))).toBe(problem);
  });
});

describe('a duration before a moment', () => {
  test.each<[string, CalendarDuration, string, string]>([
    ['2026-11-21T06:00:00.000001Z', { amount: 90, unit: 'days' }, 'UTC', '2026-08-23T06:00:00.000001Z'],
    ['2026-03-31T00:00:00Z', { amount: 1, unit: 'months' }, 'UTC', '2026-02-28T00:00:00Z'],
    ['2024-03-31T00:00:00Z', { amount: 1, unit: 'months' }, 'UTC', '2024-02-29T00:00:00Z'],
    ['2100-03-31T00:00:00Z', { amount: 1, unit: 'months' }, 'UTC', '2100-02-28T00:00:00Z'],
    ['2024-02-29T00:00:00Z', { amount: 1, unit: 'years' }, 'UTC', '2023-02-28T00:00:00Z'],
    ['2026-01-15T00:00:00Z', { amount: 3, unit: 'months' }, 'UTC', '2025-10-15T00:00:00Z'],
    ['2026-11-21T00:00:00Z', { amount: 2, unit: 'weeks' }, 'UTC', '2026-11-07T00:00:00Z'],
    // Noon in Berlin stays noon in Berlin, though the day between has 23 hours, or 25.
    ['2026-03-29T10:00:00Z', { amount: 1, unit: 'days' }, 'Europe/Berlin', '2026-03-28T11:00:00Z'],
    ['2026-10-25T11:00:00Z', { amount: 1, unit: 'days' }, 'Europe/Berlin', '2026-10-24T10:00:00Z'],
    ['2026-03-29T10:00:00Z', { amount: 24, unit: 'hours' }, 'Europe/Berlin', '2026-03-28T10:00:00Z'],
    // Half past two did not happen on that night: half past three is what remains of it.
    ['2026-03-30T00:30:00Z', { amount: 1, unit: 'days' }, 'Europe/Berlin', '2026-03-29T01:30:00Z'],
    // Half past two happened twice: the first of the two.
    ['2026-10-26T01:30:00Z', { amount: 1, unit: 'days' }, 'Europe/Berlin', '2026-10-25T00:30:00Z'],
  ])('%s less %j in %s is %s', (moment, duration, zone, expected) => {
    expect(formatInstant(subtract(at(moment), duration, zone))).toBe(expected);
  });

  test.each<[CalendarDuration, string, number]>([
    [{ amount: 90, unit: 'days' }, 'UTC', 90 * 86_400],
    [{ amount: 90, unit: 'days' }, 'Europe/Berlin', 90 * 86_400 + 3600],
    [{ amount: 1, unit: 'months' }, 'UTC', 31 * 86_400],
    [{ amount: 1, unit: 'years' }, 'UTC', 365 * 86_400],
  ])('%j in %s has its number of seconds', (duration, zone, seconds) => {
    expect(secondsBefore(at('2026-11-21'), duration, zone)).toBe(seconds);
  });
});
