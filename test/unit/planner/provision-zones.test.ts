import { describe, expect, test } from 'vitest';
import type { Interval } from '../../../src/domain/interval.ts';
import type { KeyType } from '../../../src/domain/time.ts';
import { planProvision } from '../../../src/planner/provision.ts';
import { aServer, aTablePolicy, aTimeTable, at, plusMicroseconds } from '../../support/facts.ts';
import { created, provisionTwice, spans } from '../../support/plans.ts';

describe('between two windows', () => {
  test.each([
    [-1, '2026-11-01 to 2026-12-01', '2027-01-01 to 2027-02-01'],
    [0, '2026-12-01 to 2027-01-01', '2027-02-01 to 2027-03-01'],
    [1, '2026-12-01 to 2027-01-01', '2027-02-01 to 2027-03-01'],
  ])('%i microseconds after the turn of the month', (microseconds, first, last) => {
    const now = plusMicroseconds(at('2026-12-01'), microseconds);
    const all = spans(provisionTwice(aTimeTable(), aTablePolicy(), now));
    expect([all[0], all.at(-1)]).toEqual([first, last]);
  });

  test.each([
    ['2026-11-30T22:59:59.999999Z', 'event_metric_events_2026_11: 2026-10-31T23:00:00Z to 2026-11-30T23:00:00Z'],
    ['2026-11-30T23:00:00Z', 'event_metric_events_2026_12: 2026-11-30T23:00:00Z to 2026-12-31T23:00:00Z'],
  ])('the month turns by the clock of the zone: %s', (now, first) => {
    const policy = aTablePolicy({ timezone: 'Europe/Berlin', premake: 0 });
    expect(created(provisionTwice(aTimeTable(), policy, at(now)))).toEqual([first]);
  });
});

describe('where summer time begins and ends', () => {
  test.each<[string, Interval, KeyType, string, readonly string[]]>([
    [
      'moments have a day of 23 hours',
      'day',
      'timestamptz',
      '2026-03-28T12:00:00Z',
      [
        '2026-03-27T23:00:00Z to 2026-03-28T23:00:00Z',
        '2026-03-28T23:00:00Z to 2026-03-29T22:00:00Z',
        '2026-03-29T22:00:00Z to 2026-03-30T22:00:00Z',
      ],
    ],
    [
      'moments have a day of 25 hours',
      'day',
      'timestamptz',
      '2026-10-24T12:00:00Z',
      [
        '2026-10-23T22:00:00Z to 2026-10-24T22:00:00Z',
        '2026-10-24T22:00:00Z to 2026-10-25T23:00:00Z',
        '2026-10-25T23:00:00Z to 2026-10-26T23:00:00Z',
      ],
    ],
    [
      'moments skip no hour',
      'hour',
      'timestamptz',
      '2026-03-29T00:30:00Z',
      [
        '2026-03-29 to 2026-03-29T01:00:00Z',
        '2026-03-29T01:00:00Z to 2026-03-29T02:00:00Z',
        '2026-03-29T02:00:00Z to 2026-03-29T03:00:00Z',
      ],
    ],
    [
      'readings of a wall clock have days of midnights',
      'day',
      'timestamp',
      '2026-03-28T23:00:00Z',
      ['2026-03-29 to 2026-03-30', '2026-03-30 to 2026-03-31', '2026-03-31 to 2026-04-01'],
    ],
    // Nobody will write into it, and nobody needs to know.
    [
      'readings of a wall clock have the hour that is skipped',
      'hour',
      'timestamp',
      '2026-03-29T00:30:00Z',
      [
        '2026-03-29T01:00:00Z to 2026-03-29T02:00:00Z',
        '2026-03-29T02:00:00Z to 2026-03-29T03:00:00Z',
        '2026-03-29T03:00:00Z to 2026-03-29T04:00:00Z',
      ],
    ],
    [
      'readings of a wall clock repeat an hour in the same window',
      'hour',
      'timestamp',
      '2026-10-25T01:30:00Z',
      [
        '2026-10-25T02:00:00Z to 2026-10-25T03:00:00Z',
        '2026-10-25T03:00:00Z to 2026-10-25T04:00:00Z',
        '2026-10-25T04:00:00Z to 2026-10-25T05:00:00Z',
      ],
    ],
    [
      'months of moments begin at the midnights of the zone',
      'month',
      'timestamptz',
      '2026-10-15T12:00:00Z',
      [
        '2026-09-30T22:00:00Z to 2026-10-31T23:00:00Z',
        '2026-10-31T23:00:00Z to 2026-11-30T23:00:00Z',
        '2026-11-30T23:00:00Z to 2026-12-31T23:00:00Z',
      ],
    ],
  ])('in Berlin, %s', (_, interval, key, now, expected) => {
    const policy = aTablePolicy({ interval, timezone: 'Europe/Berlin' });
    expect(spans(provisionTwice(aTimeTable({}, key), policy, at(now)))).toEqual(expected);
  });

  test('the hour of 90 minutes on Lord Howe gets one partition', () => {
    const policy = aTablePolicy({ interval: 'hour', timezone: 'Australia/Lord_Howe', premake: 1 });
    expect(spans(provisionTwice(aTimeTable(), policy, at('2026-04-04T15:15:00Z')))).toEqual([
      '2026-04-04T14:00:00Z to 2026-04-04T15:30:00Z',
      '2026-04-04T15:30:00Z to 2026-04-04T16:30:00Z',
    ]);
  });
});

describe('keys that are no moments', () => {
  test.each<[KeyType, string, string, string]>([
    ['timestamp', 'Asia/Kolkata', '2026-11-30T18:29:59.999999Z', '2026-11-01 to 2026-12-01'],
    ['timestamp', 'Asia/Kolkata', '2026-11-30T18:30:00Z', '2026-12-01 to 2027-01-01'],
    ['date', 'Asia/Kolkata', '2026-11-30T18:29:59.999999Z', '2026-11-01 to 2026-12-01'],
    ['date', 'Asia/Kolkata', '2026-11-30T18:30:00Z', '2026-12-01 to 2027-01-01'],
    ['date', 'America/New_York', '2026-12-01T04:59:59.999999Z', '2026-11-01 to 2026-12-01'],
    ['date', 'UTC', '2026-12-01T04:59:59.999999Z', '2026-12-01 to 2027-01-01'],
  ])('a %s is compared with the wall clock of %s at %s', (key, timezone, now, expected) => {
    const policy = aTablePolicy({ timezone, premake: 0 });
    expect(spans(provisionTwice(aTimeTable({}, key), policy, at(now)))).toEqual([expected]);
  });

  test('a date has no hours: nothing is created, and that is said', () => {
    const part = planProvision(aTimeTable({}, 'date'), aTablePolicy({ interval: 'hour' }), at('2026-11-21'), aServer());
    expect(part.actions).toEqual([]);
    expect(part.skips.map(({ reason }) => reason)).toEqual(['unsupported-key']);
    expect(part.findings).toMatchObject([{ code: 'KEY_UNSUPPORTED', hint: 'Set interval: day, or a longer one.' }]);
  });
});
