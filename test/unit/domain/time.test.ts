import { describe, expect, test } from 'vitest';
import {
  calendarZone,
  earlier,
  formatInstant,
  fromKeyTime,
  instantFrom,
  instantFromEpochMs,
  isAfter,
  isBefore,
  isSame,
  isTimeZone,
  KEY_TYPES,
  type KeyType,
  later,
  toEpochSeconds,
  toKeyTime,
} from '../../../src/domain/time.ts';
import { at, plusMicroseconds } from '../../support/facts.ts';
import { chance } from '../../support/random.ts';

const NOON = at('2026-11-21T12:00:00Z');

describe('comparing', () => {
  test.each([
    [-1, { before: true, after: false, same: false }],
    [0, { before: false, after: false, same: true }],
    [1, { before: false, after: true, same: false }],
  ])('a moment with one that lies %i microseconds earlier', (microseconds, { before, after, same }) => {
    const moment = plusMicroseconds(NOON, microseconds);
    expect([isBefore(moment, NOON), isAfter(moment, NOON), isSame(moment, NOON)]).toEqual([before, after, same]);
  });

  test('the earlier and the later of two, in either order', () => {
    const next = plusMicroseconds(NOON, 1);
    expect([earlier(NOON, next), earlier(next, NOON)]).toEqual([NOON, NOON]);
    expect([later(NOON, next), later(next, NOON)]).toEqual([next, next]);
  });
});

describe('writing and reading', () => {
  test.each([
    ['2026-11-01T00:00:00Z', 1_793_491_200],
    ['2026-11-01T00:00:00.000001Z', 1_793_491_200.000001],
    ['2026-11-01T00:00:00.25Z', 1_793_491_200.25],
    ['1970-01-01T00:00:00Z', 0],
    ['1969-12-31T23:59:59.5Z', -0.5],
  ])('%s is %d seconds after 1970, and written as it was read', (text, seconds) => {
    expect(toEpochSeconds(instantFrom(text))).toBe(seconds);
    expect(formatInstant(instantFrom(text))).toBe(text);
  });

  test('milliseconds of JavaScript lose their fraction', () => {
    expect(formatInstant(instantFromEpochMs(1_793_491_200_000.9))).toBe('2026-11-01T00:00:00Z');
  });
});

describe('key time', () => {
  test.each<[string, KeyType, string, string]>([
    ['a moment stays a moment', 'timestamptz', 'Europe/Berlin', '2026-11-21T12:00:00Z'],
    ['the wall clock of Berlin in winter', 'timestamp', 'Europe/Berlin', '2026-11-21T13:00:00Z'],
    ['the wall clock of New York', 'timestamp', 'America/New_York', '2026-11-21T07:00:00Z'],
    ['the wall clock of Kolkata', 'timestamp', 'Asia/Kolkata', '2026-11-21T17:30:00Z'],
    ['a date is told by a wall clock, too', 'date', 'Asia/Kolkata', '2026-11-21T17:30:00Z'],
    ['the wall clock of UTC', 'timestamp', 'UTC', '2026-11-21T12:00:00Z'],
  ])('%s', (_, key, zone, expected) => {
    expect(formatInstant(toKeyTime(NOON, key, zone))).toBe(expected);
    expect(fromKeyTime(at(expected), key, zone)).toEqual(NOON);
  });

  test.each([
    ['just before the skipped hour', '2026-03-29T00:59:59.999999Z', '2026-03-29T01:59:59.999999Z'],
    ['just after the skipped hour', '2026-03-29T01:00:00Z', '2026-03-29T03:00:00Z'],
    ['the repeated hour, first time', '2026-10-25T00:30:00Z', '2026-10-25T02:30:00Z'],
    ['the repeated hour, second time', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00Z'],
  ])('in Berlin, %s', (_, moment, expected) => {
    expect(formatInstant(toKeyTime(at(moment), 'timestamp', 'Europe/Berlin'))).toBe(expected);
  });

  test.each([
    ['a reading that was skipped', '2026-03-29T02:30:00Z', '2026-03-29T01:30:00Z'],
    ['a reading that was repeated', '2026-10-25T02:30:00Z', '2026-10-25T01:30:00Z'],
    ['the last reading before a repetition', '2026-10-25T01:59:59.999999Z', '2026-10-24T23:59:59.999999Z'],
    ['the first reading after a repetition', '2026-10-25T03:00:00Z', '2026-10-25T02:00:00Z'],
  ])('in Berlin, %s means its later moment', (_, reading, expected) => {
    expect(formatInstant(fromKeyTime(at(reading), 'timestamp', 'Europe/Berlin'))).toBe(expected);
  });

  test('goes there and back, but for the second showing of what was shown twice', () => {
    const { instant, pick } = chance(77);
    for (let round = 0; round < 600; round += 1) {
      const zone = pick(['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata']);
      const key = pick(KEY_TYPES);
      const moment = instant(at('2020-01-01'), at('2032-01-01'));
      const reading = toKeyTime(moment, key, zone);
      const back = fromKeyTime(reading, key, zone);
      expect(isBefore(back, moment), `${moment.toString()} in ${zone}`).toBe(false);
      expect(toKeyTime(back, key, zone), `${moment.toString()} in ${zone}`).toEqual(reading);
    }
  });

  test('is cut by the calendar of the zone only where it consists of moments', () => {
    expect(KEY_TYPES.map(key => calendarZone(key, 'Europe/Berlin'))).toEqual(['Europe/Berlin', 'UTC', 'UTC']);
  });
});

test.each([
  ['UTC', true],
  ['Europe/Berlin', true],
  ['+05:30', false],
  ['2026-01-01T00:00Z', false],
  ['Europe/Bärlin', false],
  ['Mars/Olympus', false],
  ['', false],
])('is %j a time zone? %s', (zone, expected) => {
  expect(isTimeZone(zone)).toBe(expected);
});
