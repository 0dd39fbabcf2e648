import { describe, expect, test } from 'vitest';
import type { CalendarDuration } from '../../../src/domain/duration.ts';
import { cutoffOf } from '../../../src/domain/retention.ts';
import { fromKeyTime, isAfter, type KeyType, toKeyTime } from '../../../src/domain/time.ts';
import { at } from '../../support/facts.ts';
import { day } from '../../support/plans.ts';
import { chance } from '../../support/random.ts';

describe('the cutoff', () => {
  test.each<[string, KeyType, string, string, CalendarDuration, string]>([
    [
      'is a moment for a timestamptz',
      'timestamptz',
      'Europe/Berlin',
      '2026-11-21T06:00:00Z',
      { amount: 90, unit: 'days' },
      '2026-08-23T05:00:00Z',
    ],
    [
      'is what the wall clock showed for a timestamp',
      'timestamp',
      'Europe/Berlin',
      '2026-11-21T06:00:00Z',
      { amount: 90, unit: 'days' },
      '2026-08-23T07:00:00Z',
    ],
    [
      'is what the wall clock showed for a date',
      'date',
      'Asia/Kolkata',
      '2026-11-21T18:30:00Z',
      { amount: 1, unit: 'days' },
      '2026-11-21',
    ],
    [
      'follows the calendar back over month ends',
      'timestamptz',
      'UTC',
      '2026-03-31T00:00:00Z',
      { amount: 1, unit: 'months' },
      '2026-02-28',
    ],
    // 03:30 in Berlin, one hour after 01:30: the wall clock has no half past two that night.
    [
      'keeps an hour of sixty minutes when the wall clock skips one',
      'timestamp',
      'Europe/Berlin',
      '2026-03-29T01:30:00Z',
      { amount: 1, unit: 'hours' },
      '2026-03-29T01:30:00Z',
    ],
    [
      'keeps an hour of sixty minutes when the wall clock repeats one',
      'timestamp',
      'Europe/Berlin',
      '2026-10-25T02:10:00Z',
      { amount: 1, unit: 'hours' },
      '2026-10-25T02:10:00Z',
    ],
    // At its first showing, 02:10 is not yet past for rows that will be written at the second.
    [
      'waits for the second showing of a reading',
      'timestamp',
      'Europe/Berlin',
      '2026-10-25T01:10:00Z',
      { amount: 1, unit: 'hours' },
      '2026-10-25T01:10:00Z',
    ],
    [
      'does not wait for a moment',
      'timestamptz',
      'Europe/Berlin',
      '2026-10-25T01:10:00Z',
      { amount: 1, unit: 'hours' },
      '2026-10-25T00:10:00Z',
    ],
  ])('%s', (_, key, zone, now, retention, expected) => {
    const cutoff = cutoffOf(at(now), retention, key, zone);
    expect(cutoff && day(cutoff)).toBe(expected);
  });

  test('is nowhere when everything is kept', () => {
    expect(cutoffOf(at('2026-11-21'), 'forever', 'timestamptz', 'UTC')).toBeUndefined();
  });

  test('never lies after the key of a row that may be inside its retention', () => {
    const { instant, pick, below } = chance(2_026);
    const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca'];
    for (let round = 0; round < 600; round += 1) {
      const zone = pick(zones);
      // Around the changes of 2026, where a wall clock is at its most treacherous.
      const change = at(
        pick([
          '2026-03-08T07:00:00Z',
          '2026-03-29T01:00:00Z',
          '2026-04-04T15:00:00Z',
          '2026-10-25T01:00:00Z',
          '2026-11-01T06:00:00Z',
        ]),
      );
      const now = instant(change.subtract({ hours: 3 }), change.add({ hours: 6 }));
      const hours = 1 + below(4);
      const cutoff = cutoffOf(now, { amount: hours, unit: 'hours' }, 'timestamp', zone);
      const written = instant(now.subtract({ hours }), now.add({ hours: 1 }));
      const reading = toKeyTime(written, 'timestamp', zone);
      const where = `${zone}: ${hours} hours before ${now.toString()}, written at ${written.toString()}`;
      expect(cutoff && isAfter(cutoff, reading), where).toBe(false);
      // And not needlessly early: rows of half a day ago are past it, whatever the clock did.
      const old = toKeyTime(now.subtract({ hours: hours + 2 }), 'timestamp', zone);
      expect(cutoff && isAfter(cutoff, old), where).toBe(true);
    }
  });

  test('is the moment itself wherever the wall clock shows it once', () => {
    const { instant } = chance(9);
    for (let round = 0; round < 200; round += 1) {
      const now = instant(at('2026-05-01'), at('2026-09-01'));
      const cutoff = cutoffOf(now, { amount: 20, unit: 'days' }, 'timestamp', 'Europe/Berlin');
      expect(cutoff && fromKeyTime(cutoff, 'timestamp', 'Europe/Berlin')).toEqual(now.subtract({ hours: 480 }));
    }
  });
});
