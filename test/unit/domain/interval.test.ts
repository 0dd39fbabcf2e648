import { describe, expect, test } from 'vitest';
import { type Interval, intervalOf, isWindow, nextWindow, windowAt } from '../../../src/domain/interval.ts';
import { at, plusMicroseconds } from '../../support/facts.ts';
import { span } from '../../support/plans.ts';

describe('in UTC', () => {
  test.each<[string, Interval, string, string]>([
    ['an hour', 'hour', '2026-11-21T06:30:00Z', '2026-11-21T06:00:00Z to 2026-11-21T07:00:00Z'],
    ['an hour before 1970', 'hour', '1969-12-31T23:59:59.999999Z', '1969-12-31T23:00:00Z to 1970-01-01'],
    ['the last hour of a year', 'hour', '2026-12-31T23:15:00Z', '2026-12-31T23:00:00Z to 2027-01-01'],
    ['a day', 'day', '2026-11-21T06:00:00Z', '2026-11-21 to 2026-11-22'],
    ['a leap day', 'day', '2024-02-29T12:00:00Z', '2024-02-29 to 2024-03-01'],
    [
      'the last day of February of a year that is no leap year',
      'day',
      '2100-02-28T12:00:00Z',
      '2100-02-28 to 2100-03-01',
    ],
    ['a week', 'week', '2026-11-21T06:00:00Z', '2026-11-16 to 2026-11-23'],
    ['a week, on its Monday', 'week', '2026-11-16', '2026-11-16 to 2026-11-23'],
    ['a week, on its Sunday', 'week', '2026-11-22T23:59:59Z', '2026-11-16 to 2026-11-23'],
    ['week 53 of 2026, seen from December', 'week', '2026-12-31', '2026-12-28 to 2027-01-04'],
    ['week 53 of 2026, seen from January', 'week', '2027-01-03T23:59:59.999999Z', '2026-12-28 to 2027-01-04'],
    ['week 1 of 2025, which begins in 2024', 'week', '2024-12-30', '2024-12-30 to 2025-01-06'],
    ['a week with a leap day', 'week', '2024-03-01', '2024-02-26 to 2024-03-04'],
    ['a month of 30 days', 'month', '2026-11-30T23:59:59Z', '2026-11-01 to 2026-12-01'],
    ['a month of 31 days, on its last one', 'month', '2026-01-31', '2026-01-01 to 2026-02-01'],
    ['the February of a leap year', 'month', '2024-02-29', '2024-02-01 to 2024-03-01'],
    ['the February of 2100', 'month', '2100-02-28', '2100-02-01 to 2100-03-01'],
    ['December', 'month', '2026-12-31', '2026-12-01 to 2027-01-01'],
    ['the first quarter', 'quarter', '2026-03-31', '2026-01-01 to 2026-04-01'],
    ['a quarter, on a day that its first month does not have', 'quarter', '2026-05-31', '2026-04-01 to 2026-07-01'],
    ['a quarter, on the last day of its second month', 'quarter', '2026-08-31', '2026-07-01 to 2026-10-01'],
    ['the last quarter', 'quarter', '2026-12-31', '2026-10-01 to 2027-01-01'],
    ['a year, on a day that its first month does not have', 'year', '2024-02-29', '2024-01-01 to 2025-01-01'],
    ['the year 2100', 'year', '2100-12-31', '2100-01-01 to 2101-01-01'],
    ['the year 1', 'year', '0001-06-01', '0001-01-01 to 0002-01-01'],
  ])('%s', (_, interval, moment, expected) => {
    expect(span(windowAt(at(moment), interval, 'UTC'))).toBe(expected);
  });

  test.each<[Interval, string]>([
    ['hour', '2026-11-21T07:00:00Z'],
    ['day', '2026-11-21'],
    ['week', '2026-11-16'],
    ['month', '2026-03-01'],
    ['quarter', '2026-07-01'],
    ['year', '2027-01-01'],
  ])(
    'a line of the %s grid belongs to the window after it, a microsecond earlier to the one before',
    (interval, line) => {
      expect(windowAt(at(line), interval, 'UTC').lower).toEqual(at(line));
      expect(windowAt(plusMicroseconds(at(line), 1), interval, 'UTC').lower).toEqual(at(line));
      expect(windowAt(plusMicroseconds(at(line), -1), interval, 'UTC').upper).toEqual(at(line));
    },
  );
});

describe('where the clocks change', () => {
  test.each<[string, Interval, string, string, string]>([
    [
      'the day of 23 hours',
      'day',
      'Europe/Berlin',
      '2026-03-29T12:00:00Z',
      '2026-03-28T23:00:00Z to 2026-03-29T22:00:00Z',
    ],
    [
      'the day of 25 hours',
      'day',
      'Europe/Berlin',
      '2026-10-25T12:00:00Z',
      '2026-10-24T22:00:00Z to 2026-10-25T23:00:00Z',
    ],
    [
      'the day of 23 hours',
      'day',
      'America/New_York',
      '2026-03-08T12:00:00Z',
      '2026-03-08T05:00:00Z to 2026-03-09T04:00:00Z',
    ],
    [
      'the day of 25 hours',
      'day',
      'America/New_York',
      '2026-11-01T12:00:00Z',
      '2026-11-01T04:00:00Z to 2026-11-02T05:00:00Z',
    ],
    [
      'the hour before the skipped one',
      'hour',
      'Europe/Berlin',
      '2026-03-29T00:59:59.999999Z',
      '2026-03-29 to 2026-03-29T01:00:00Z',
    ],
    [
      'the hour after the skipped one',
      'hour',
      'Europe/Berlin',
      '2026-03-29T01:00:00Z',
      '2026-03-29T01:00:00Z to 2026-03-29T02:00:00Z',
    ],
    [
      'the repeated hour, first time',
      'hour',
      'Europe/Berlin',
      '2026-10-25T00:30:00Z',
      '2026-10-25 to 2026-10-25T01:00:00Z',
    ],
    [
      'the repeated hour, second time',
      'hour',
      'Europe/Berlin',
      '2026-10-25T01:30:00Z',
      '2026-10-25T01:00:00Z to 2026-10-25T02:00:00Z',
    ],
    ['a week of 167 hours', 'week', 'Europe/Berlin', '2026-03-25', '2026-03-22T23:00:00Z to 2026-03-29T22:00:00Z'],
    ['a week of 169 hours', 'week', 'Europe/Berlin', '2026-10-25', '2026-10-18T22:00:00Z to 2026-10-25T23:00:00Z'],
    ['March', 'month', 'Europe/Berlin', '2026-03-31T21:59:59.999999Z', '2026-02-28T23:00:00Z to 2026-03-31T22:00:00Z'],
    ['October', 'month', 'Europe/Berlin', '2026-09-30T22:00:00Z', '2026-09-30T22:00:00Z to 2026-10-31T23:00:00Z'],
    ['November', 'month', 'America/New_York', '2026-11-21', '2026-11-01T04:00:00Z to 2026-12-01T05:00:00Z'],
    ['the first quarter', 'quarter', 'Europe/Berlin', '2026-02-01', '2025-12-31T23:00:00Z to 2026-03-31T22:00:00Z'],
    ['the year', 'year', 'Europe/Berlin', '2025-12-31T23:00:00Z', '2025-12-31T23:00:00Z to 2026-12-31T23:00:00Z'],
    [
      'the hour of 90 minutes, before',
      'hour',
      'Australia/Lord_Howe',
      '2026-04-04T14:15:00Z',
      '2026-04-04T14:00:00Z to 2026-04-04T15:30:00Z',
    ],
    [
      'the hour of 90 minutes, after',
      'hour',
      'Australia/Lord_Howe',
      '2026-04-04T15:29:59.999999Z',
      '2026-04-04T14:00:00Z to 2026-04-04T15:30:00Z',
    ],
    [
      'the hour after that of 90 minutes',
      'hour',
      'Australia/Lord_Howe',
      '2026-04-04T15:30:00Z',
      '2026-04-04T15:30:00Z to 2026-04-04T16:30:00Z',
    ],
    [
      'the hour of 30 minutes',
      'hour',
      'Australia/Lord_Howe',
      '2026-10-03T15:45:00Z',
      '2026-10-03T15:30:00Z to 2026-10-03T16:00:00Z',
    ],
    [
      'the day of 24 hours and a half',
      'day',
      'Australia/Lord_Howe',
      '2026-04-05',
      '2026-04-04T13:00:00Z to 2026-04-05T13:30:00Z',
    ],
    [
      'the evening that comes back after midnight',
      'day',
      'America/St_Johns',
      '2010-11-07T03:00:00Z',
      '2010-11-07T02:30:00Z to 2010-11-08T03:30:00Z',
    ],
    [
      'the day before the one that never was',
      'day',
      'Pacific/Apia',
      '2011-12-30T09:59:59.999999Z',
      '2011-12-29T10:00:00Z to 2011-12-30T10:00:00Z',
    ],
  ])('%s (%s in %s)', (_, interval, zone, moment, expected) => {
    expect(span(windowAt(at(moment), interval, zone))).toBe(expected);
  });
});

describe('in zones that are not whole hours from UTC', () => {
  test.each<[Interval, string, string, string]>([
    ['hour', 'Asia/Kolkata', '2026-11-21T06:15:00Z', '2026-11-21T05:30:00Z to 2026-11-21T06:30:00Z'],
    ['day', 'Asia/Kolkata', '2026-11-21T18:29:59.999999Z', '2026-11-20T18:30:00Z to 2026-11-21T18:30:00Z'],
    ['month', 'Asia/Kolkata', '2026-11-30T18:30:00Z', '2026-11-30T18:30:00Z to 2026-12-31T18:30:00Z'],
    ['hour', 'Asia/Kathmandu', '2026-11-21T06:20:00Z', '2026-11-21T06:15:00Z to 2026-11-21T07:15:00Z'],
    ['year', 'Asia/Colombo', '2026-06-01', '2025-12-31T18:30:00Z to 2026-12-31T18:30:00Z'],
  ])('a %s in %s', (interval, zone, moment, expected) => {
    expect(span(windowAt(at(moment), interval, zone))).toBe(expected);
  });
});

describe('which interval a range has', () => {
  test.each<[string, string, string, Interval | undefined]>([
    ['2026-11-21T06:00:00Z', '2026-11-21T07:00:00Z', 'UTC', 'hour'],
    ['2026-11-21', '2026-11-22', 'UTC', 'day'],
    ['2026-11-16', '2026-11-23', 'UTC', 'week'],
    ['2026-02-01', '2026-03-01', 'UTC', 'month'],
    ['2026-01-01', '2026-04-01', 'UTC', 'quarter'],
    ['2024-01-01', '2025-01-01', 'UTC', 'year'],
    ['2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z', 'Europe/Berlin', 'month'],
    ['2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z', 'UTC', undefined],
    ['2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 'Europe/Berlin', 'day'],
    ['2026-11-17', '2026-11-24', 'UTC', undefined],
    ['2026-02-01', '2026-05-01', 'UTC', undefined],
    ['2026-01-01', '2026-03-01', 'UTC', undefined],
    ['2026-01-01', '2028-01-01', 'UTC', undefined],
    ['2026-01-01', '2026-01-31T23:59:59.999999Z', 'UTC', undefined],
    ['2026-01-01T00:00:00.000001Z', '2026-02-01', 'UTC', undefined],
  ])('%s to %s in %s', (lower, upper, zone, expected) => {
    expect(intervalOf({ lower: at(lower), upper: at(upper) }, zone)).toBe(expected);
  });

  test('a range is a window only with both its ends on the grid, to the microsecond', () => {
    const november = { lower: at('2026-11-01'), upper: at('2026-12-01') };
    expect(isWindow(november, 'month', 'UTC')).toBe(true);
    expect(isWindow(november, 'month', 'Europe/Berlin')).toBe(false);
    for (const microseconds of [-1, 1]) {
      const movedLower = { ...november, lower: plusMicroseconds(november.lower, microseconds) };
      const movedUpper = { ...november, upper: plusMicroseconds(november.upper, microseconds) };
      expect(isWindow(movedLower, 'month', 'UTC')).toBe(false);
      expect(isWindow(movedUpper, 'month', 'UTC')).toBe(false);
    }
  });
});

test('the window after one that hand-made bounds moved ends on the grid', () => {
  const moved = { lower: at('2026-11-01'), upper: at('2026-11-10') };
  expect(span(nextWindow(moved, 'month', 'UTC'))).toBe('2026-11-10 to 2026-12-01');
});
