/** Retention is reckoned on the calendar of the table's zone. */
import { describe, expect, test } from 'vitest';
import type { CalendarDuration } from '../../../src/domain/duration.ts';
import type { Interval } from '../../../src/domain/interval.ts';
import { momentsOf } from '../../../src/domain/moments.ts';
import { formatInstant, type KeyType } from '../../../src/domain/time.ts';
import { planRetire } from '../../../src/planner/retire.ts';
import { aPartition, aServer, aTablePolicy, aTimeTable, at, plusMicroseconds } from '../../support/facts.ts';

/** The latest upper bound, to the microsecond, of a partition that is retired at `now`. */
function latestRetired(
  now: string,
  retention: CalendarDuration,
  expected: string,
  {
    timezone = 'UTC',
    key = 'timestamptz',
    interval = 'month',
  }: { timezone?: string; key?: KeyType; interval?: Interval },
): readonly boolean[] {
  const server = aServer({ databaseNow: at(now) });
  return [-1, 0, 1].map(microseconds => {
    const upper = formatInstant(plusMicroseconds(at(expected), microseconds));
    const table = aTimeTable({ partitions: [aPartition('2000-01-01', upper), aPartition(upper, 'MAXVALUE')] }, key);
    const policy = aTablePolicy({ timezone, retention, interval });
    return planRetire(table, policy, momentsOf(server), server).actions.length === 1;
  });
}
const UP_TO_IT = [true, true, false];

describe('in UTC', () => {
  test.each<[string, CalendarDuration, string]>([
    ['2026-11-21T06:00:00Z', { amount: 90, unit: 'days' }, '2026-08-23T06:00:00Z'],
    ['2026-03-31T00:00:00Z', { amount: 1, unit: 'months' }, '2026-02-28T00:00:00Z'],
    ['2024-03-31T00:00:00Z', { amount: 1, unit: 'months' }, '2024-02-29T00:00:00Z'],
    ['2026-03-30T12:00:00Z', { amount: 1, unit: 'months' }, '2026-02-28T12:00:00Z'],
    ['2026-03-01T00:00:00Z', { amount: 1, unit: 'months' }, '2026-02-01T00:00:00Z'],
    ['2026-12-31T00:00:00Z', { amount: 3, unit: 'months' }, '2026-09-30T00:00:00Z'],
    ['2024-02-29T00:00:00Z', { amount: 1, unit: 'years' }, '2023-02-28T00:00:00Z'],
    ['2026-11-21T06:00:00Z', { amount: 2, unit: 'weeks' }, '2026-11-07T06:00:00Z'],
    ['2026-11-21T06:00:00.000001Z', { amount: 36, unit: 'hours' }, '2026-11-19T18:00:00.000001Z'],
  ])('at %s less %j the cutoff is %s', (now, retention, cutoff) => {
    expect(latestRetired(now, retention, cutoff, {})).toEqual(UP_TO_IT);
  });
});

describe('where the clocks change', () => {
  const DAY: CalendarDuration = { amount: 1, unit: 'days' };
  const HOUR: CalendarDuration = { amount: 1, unit: 'hours' };

  test.each<[string, KeyType, string, CalendarDuration, string]>([
    ['a calendar day of 23 hours', 'timestamptz', '2026-03-29T10:00:00Z', DAY, '2026-03-28T11:00:00Z'],
    ['a calendar day of 25 hours', 'timestamptz', '2026-10-25T11:00:00Z', DAY, '2026-10-24T10:00:00Z'],
    [
      '24 hours are 24 hours',
      'timestamptz',
      '2026-03-29T10:00:00Z',
      { amount: 24, unit: 'hours' },
      '2026-03-28T10:00:00Z',
    ],
    [
      '90 days of a summer',
      'timestamptz',
      '2026-11-21T06:00:00Z',
      { amount: 90, unit: 'days' },
      '2026-08-23T05:00:00Z',
    ],
    [
      '90 days by the wall clock',
      'timestamp',
      '2026-11-21T06:00:00Z',
      { amount: 90, unit: 'days' },
      '2026-08-23T07:00:00Z',
    ],
    // 03:30 on the night without a half past two: what was written at 01:59 is 31 minutes old.
    ['an hour by the wall clock that skips one', 'timestamp', '2026-03-29T01:30:00Z', HOUR, '2026-03-29T01:30:00Z'],
    // 02:10 for the second time: a row that says 02:09 is 61 minutes old, or one.
    ['an hour by the wall clock that repeats one', 'timestamp', '2026-10-25T01:10:00Z', HOUR, '2026-10-25T01:10:00Z'],
    ['an hour by the wall clock once that is over', 'timestamp', '2026-10-25T02:10:00Z', HOUR, '2026-10-25T02:10:00Z'],
  ])('in Berlin, %s (%s)', (_, key, now, retention, cutoff) => {
    expect(latestRetired(now, retention, cutoff, { key, timezone: 'Europe/Berlin', interval: 'hour' })).toEqual(
      UP_TO_IT,
    );
  });
});

describe('keys that are no moments', () => {
  test.each<[KeyType, string, string, string]>([
    ['timestamp', 'Asia/Kolkata', '2026-11-21T18:29:59.999999Z', '2026-11-20T23:59:59.999999Z'],
    ['timestamp', 'Asia/Kolkata', '2026-11-21T18:30:00Z', '2026-11-21T00:00:00Z'],
    ['timestamp', 'America/New_York', '2026-11-21T04:59:59Z', '2026-11-19T23:59:59Z'],
    ['timestamp', 'UTC', '2026-11-21T06:00:00Z', '2026-11-20T06:00:00Z'],
  ])('a %s is compared with the wall clock of %s at %s', (key, timezone, now, cutoff) => {
    expect(latestRetired(now, { amount: 1, unit: 'days' }, cutoff, { key, timezone })).toEqual(UP_TO_IT);
  });

  test.each([
    ['2026-11-21T18:29:59.999999Z', '2026-11-20', true],
    ['2026-11-21T18:29:59.999999Z', '2026-11-21', false],
    ['2026-11-21T18:30:00Z', '2026-11-21', true],
    ['2026-11-21T18:30:00Z', '2026-11-22', false],
  ])('at %s a date of Kolkata that ends at %s', (now, upper, isRetired) => {
    const server = aServer({ databaseNow: at(now) });
    const table = aTimeTable({ partitions: [aPartition('2026-01-01', upper), aPartition(upper, 'MAXVALUE')] }, 'date');
    const policy = aTablePolicy({ timezone: 'Asia/Kolkata', retention: { amount: 1, unit: 'days' }, interval: 'day' });
    expect(planRetire(table, policy, momentsOf(server), server).actions.length).toBe(isRetired ? 1 : 0);
  });
});
