import { describe, expect, test } from 'vitest';
import { decodeBound } from '../../../src/catalog/decode-bound.ts';
import { decodeKeyTime, formatKey } from '../../../src/domain/key-text.ts';
import { KEY_TYPES, type KeyType } from '../../../src/domain/time.ts';
import { at } from '../../support/facts.ts';
import { chance } from '../../support/random.ts';

describe('a key is written as the catalog prints it', () => {
  test.each<[string, Readonly<Record<KeyType, string>>]>([
    [
      '2026-11-01T00:00:00Z',
      { timestamptz: '2026-11-01 00:00:00+00', timestamp: '2026-11-01 00:00:00', date: '2026-11-01' },
    ],
    [
      '2026-03-09T04:05:06.7Z',
      { timestamptz: '2026-03-09 04:05:06.7+00', timestamp: '2026-03-09 04:05:06.7', date: '2026-03-09' },
    ],
    [
      '2026-12-31T23:59:59.999999Z',
      { timestamptz: '2026-12-31 23:59:59.999999+00', timestamp: '2026-12-31 23:59:59.999999', date: '2026-12-31' },
    ],
    [
      '2026-01-01T00:00:00.000001Z',
      { timestamptz: '2026-01-01 00:00:00.000001+00', timestamp: '2026-01-01 00:00:00.000001', date: '2026-01-01' },
    ],
    [
      '2026-01-01T00:00:00.00012Z',
      { timestamptz: '2026-01-01 00:00:00.00012+00', timestamp: '2026-01-01 00:00:00.00012', date: '2026-01-01' },
    ],
    [
      '0987-06-05T00:00:00Z',
      { timestamptz: '0987-06-05 00:00:00+00', timestamp: '0987-06-05 00:00:00', date: '0987-06-05' },
    ],
    [
      '+012345-01-01T00:00:00Z',
      { timestamptz: '12345-01-01 00:00:00+00', timestamp: '12345-01-01 00:00:00', date: '12345-01-01' },
    ],
    [
      '0000-12-31T00:00:00Z',
      { timestamptz: '0001-12-31 00:00:00+00 BC', timestamp: '0001-12-31 00:00:00 BC', date: '0001-12-31 BC' },
    ],
    [
      '-000043-03-15T12:30:00.25Z',
      { timestamptz: '0044-03-15 12:30:00.25+00 BC', timestamp: '0044-03-15 12:30:00.25 BC', date: '0044-03-15 BC' },
    ],
  ])('%s', (moment, expected) => {
    for (const key of KEY_TYPES) expect(formatKey(at(moment), key)).toBe(expected[key]);
  });
});

// As far back as PostgreSQL goes, and as far ahead as we reckon.
const FIRST = at('-004712-01-01T00:00:00Z');
const LAST = at('+274999-01-01T00:00:00Z');

describe('written and read again is the same', () => {
  test.each(KEY_TYPES)('for any %s', key => {
    const { instant, pick } = chance(48);
    for (let round = 0; round < 1000; round += 1) {
      const any = instant(pick([FIRST, at('1900-01-01')]), pick([LAST, at('2100-01-01')]));
      const moment = key === 'date' ? any.toZonedDateTimeISO('UTC').startOfDay().toInstant() : any;
      const text = formatKey(moment, key);
      expect(decodeKeyTime(text, key), text).toEqual(moment);
    }
  });

  test('for both ends of a bound', () => {
    const { instant } = chance(84);
    for (let round = 0; round < 400; round += 1) {
      const [lower, upper] = [instant(FIRST, at('2026-01-01')), instant(at('2026-01-01'), LAST)];
      const text = `FOR VALUES FROM ('${formatKey(lower, 'timestamptz')}') TO ('${formatKey(upper, 'timestamptz')}')`;
      expect(decodeBound(text, { kind: 'time', column: 'at', type: 'timestamptz' }), text).toEqual({
        kind: 'range',
        lower: { kind: 'at', at: lower },
        upper: { kind: 'at', at: upper },
      });
    }
  });

  test('a date that is no midnight loses its time of day, as PostgreSQL’s cast would', () => {
    expect(decodeKeyTime(formatKey(at('2026-11-21T23:59:59.999999Z'), 'date'), 'date')).toEqual(at('2026-11-21'));
  });
});
