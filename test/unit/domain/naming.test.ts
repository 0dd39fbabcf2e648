import { describe, expect, test } from 'vitest';
import { INTERVALS, type Interval, windowAt } from '../../../src/domain/interval.ts';
import {
  DEFAULT_NAME,
  fragmentSuffix,
  partitionName,
  takenNamePattern,
  withSuffix,
} from '../../../src/domain/naming.ts';
import { byteLength } from '../../../src/domain/relation.ts';
import { at } from '../../support/facts.ts';
import { chance } from '../../support/random.ts';

describe('the name of a partition', () => {
  test.each<[Interval, string, string]>([
    ['hour', '2026-11-21T06:00:00Z', 'events_2026_11_21_06'],
    ['day', '2026-01-02', 'events_2026_01_02'],
    ['week', '2026-12-28', 'events_2026_w53'],
    ['week', '2024-12-30', 'events_2025_w01'],
    ['week', '2027-01-04', 'events_2027_w01'],
    ['month', '2026-03-01', 'events_2026_03'],
    ['quarter', '2026-01-01', 'events_2026_q1'],
    ['quarter', '2026-10-01', 'events_2026_q4'],
    ['year', '2026-01-01', 'events_2026'],
    ['year', '0987-01-01', 'events_0987'],
  ])('of the %s from %s', (interval, lower, expected) => {
    expect(partitionName(DEFAULT_NAME[interval], 'events', at(lower), 'UTC')).toBe(expected);
  });

  test('is read from the calendar of the zone', () => {
    expect(partitionName(DEFAULT_NAME.month, 'events', at('2026-10-31T23:00:00Z'), 'Europe/Berlin')).toBe(
      'events_2026_11',
    );
  });

  test('has the fields where the template wants them', () => {
    const template = 'p{YYYY}{MM}{DD}_of_{table}';
    expect(partitionName(template, 'events', at('2026-11-21'), 'UTC')).toBe('p20261121_of_events');
  });

  test.each(['{MM}', '$&', '$1', 'a{table}b', '\\'])('takes a table called %j by its letters', table => {
    expect(partitionName(DEFAULT_NAME.month, table, at('2026-11-01'), 'UTC')).toBe(`${table}_2026_11`);
  });

  test.each([
    ['_from_0110', '2026-01-10', 'UTC'],
    ['_from_0110t0005', '2026-01-10T00:05:00Z', 'UTC'],
    ['_from_0110t0000', '2026-01-10T00:00:30Z', 'UTC'],
    ['_from_0110t0000', '2026-01-10T00:00:00.5Z', 'UTC'],
    ['_from_0110t0000', '2026-01-10T00:00:00.000001Z', 'UTC'],
    ['_from_0110', '2026-01-09T23:00:00Z', 'Europe/Berlin'],
  ])('gets %s for a part that begins at %s in %s', (expected, lower, zone) => {
    expect(fragmentSuffix(at(lower), zone)).toBe(expected);
  });
});

const HOUR_SUFFIX = '_2026_11_21_06';
const nameOf = (table: string, template: string = DEFAULT_NAME.hour): string =>
  partitionName(template, table, at('2026-11-21T06:00:00Z'), 'UTC');

describe('a name that would be too long', () => {
  test('keeps a table of 31 bytes whole by the hour, and shortens one of 32', () => {
    expect(nameOf('x'.repeat(31))).toBe(`${'x'.repeat(31)}${HOUR_SUFFIX}`);
    expect(nameOf('x'.repeat(32))).toMatch(/^x{22}_[0-9a-f]{8}_2026_11_21_06$/);
  });

  test('keeps long tables apart that differ in their last letter only', () => {
    const names = Array.from('abcdefghij', last => nameOf(`${'x'.repeat(62)}${last}`));
    expect(new Set(names).size).toBe(10);
    expect(new Set(names.map(name => name.slice(0, 22))).size).toBe(1);
  });

  test('is the same each time', () => {
    expect(nameOf('x'.repeat(63))).toBe(nameOf('x'.repeat(63)));
  });

  test.each([
    ['two bytes', 'ä'],
    ['three bytes', '表'],
    ['four bytes', '🦊'],
  ])('is never cut within a letter of %s', (_, letter) => {
    // Letters before it, so that the end falls on each of its bytes.
    for (const before of ['', 'x', 'xx', 'xxx']) {
      const name = nameOf(before + letter.repeat(Math.floor(60 / byteLength(letter))));
      expect(name).toMatch(new RegExp(`^x*(${letter})+_[0-9a-f]{8}_2026_11_21_06$`, 'u'));
    }
  });

  test('of any table, in any language and by any template, has 63 bytes with its longest suffix', () => {
    const { below, pick } = chance(63);
    const templates = [
      ...Object.values(DEFAULT_NAME),
      '{table}_{table}_{YYYY}',
      'archiv_größe_{YYYY}{MM}{DD}{HH}_{table}',
    ];
    for (let round = 0; round < 800; round += 1) {
      const letter = pick(['a', 'ä', '表', '🦊', '\\', '{']);
      const table = letter.repeat(1 + below(Math.floor(63 / byteLength(letter))));
      const name = nameOf(table, pick(templates)) + fragmentSuffix(at('2026-11-21T06:30:00Z'), 'UTC');
      expect(byteLength(`${name}_99`), name).toBeLessThanOrEqual(63);
    }
  });
});

describe('the pattern of names that may be taken', () => {
  // PostgreSQL's dialect and JavaScript's agree on all that the pattern uses.
  const matches = (pattern: string, name: string): boolean => new RegExp(pattern, 'u').test(name);

  test.each([
    ['{table}_{YYYY}_{MM}', 'events', '^events_[0-9]{4,}_[0-9]{2}(_from_[0-9t]+)?(_[0-9]+)?$'],
    ['{table}.{GGGG}w{WW}', 'a+b', '^a\\+b\\.[0-9]{4,}w[0-9]{2}(_from_[0-9t]+)?(_[0-9]+)?$'],
    ['{YYYY}q{Q}', 'events', '^[0-9]{4,}q[1-4](_from_[0-9t]+)?(_[0-9]+)?$'],
  ])('of %s for %s', (template, table, expected) => {
    expect(takenNamePattern(template, table)).toBe(expected);
  });

  test.each([
    ['events_2026_11', true],
    ['events_2026_11_2', true],
    ['events_2026_11_from_1110', true],
    ['events_2026_11_from_1110t0630_12', true],
    ['events_12026_11', true],
    ['events_2026_1', false],
    ['events_2026_111', false],
    ['my_events_2026_11', false],
    ['events_2026_11_old', false],
    ['eventss_2026_11', false],
    ['events_2026_11\n', false],
  ])('does it match %j? %s', (name, expected) => {
    expect(matches(takenNamePattern(DEFAULT_NAME.month, 'events'), name)).toBe(expected);
  });

  test('matches every name that can be given, and its ways out', () => {
    const { below, pick, instant } = chance(11);
    const letters = [
      'a',
      'Z',
      '1',
      '.',
      '$',
      '^',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '|',
      '?',
      '*',
      '+',
      '\\',
      '"',
      'ä',
      '表',
      '🦊',
      ' ',
    ];
    const before = ['', 'p_', 'p.', 'a|b', '(x', '[', '^', '\\d', 'ä+'];
    for (let round = 0; round < 400; round += 1) {
      const interval = pick(INTERVALS);
      const table = Array.from({ length: 1 + below(20) }, () => pick(letters)).join('');
      const template = `${pick(before)}${DEFAULT_NAME[interval]}`;
      const zone = pick(['UTC', 'Europe/Berlin', 'Asia/Kolkata']);
      const moment = instant(at('0001-01-01'), at('2999-01-01'));
      const name = partitionName(template, table, windowAt(moment, interval, zone).lower, zone);
      const pattern = new RegExp(takenNamePattern(template, table), 'u');
      for (const suffix of ['', '_2', '_17', fragmentSuffix(moment, zone), `${fragmentSuffix(moment, zone)}_3`])
        expect(pattern.test(name + suffix), `${pattern.source} on ${name}${suffix}`).toBe(true);
    }
  });

  test('does not match the names of a table called alike', () => {
    const pattern = takenNamePattern(DEFAULT_NAME.month, 'a.b');
    expect(matches(pattern, nameOf('a.b', DEFAULT_NAME.month))).toBe(true);
    expect(matches(pattern, nameOf('axb', DEFAULT_NAME.month))).toBe(false);
  });
});

test.each([
  ['rest', '_7', 'rest_7'],
  ['x'.repeat(63), '_7', `${'x'.repeat(61)}_7`],
  ['ü'.repeat(31), '_12', `${'ü'.repeat(30)}_12`],
])('%s with a suffix fits into an identifier', (name, suffix, expected) => {
  expect(withSuffix(name, suffix)).toBe(expected);
});
