import { describe, expect, test } from 'vitest';
import { decodeBound } from '../../../src/catalog/decode-bound.ts';
import type { Bound, PartitionBound } from '../../../src/domain/bound.ts';
import type { PartitionKey } from '../../../src/domain/facts.ts';
import { formatInstant, type KeyType } from '../../../src/domain/time.ts';

const keyOf = (type: KeyType): PartitionKey => ({ kind: 'time', column: 'occurred_at', type });
const UNSUPPORTED: PartitionKey = { kind: 'unsupported', because: 'its key is an expression' };

const end = (bound: Bound): string => {
  if (bound.kind === 'at') return formatInstant(bound.at);
  return bound.kind === 'unbounded' ? 'unbounded' : `unreadable ${bound.text}`;
};
const show = (bound: PartitionBound): string => {
  if (bound.kind === 'range') return `${end(bound.lower)} to ${end(bound.upper)}`;
  return bound.kind === 'default' ? 'default' : `opaque: ${bound.because}`;
};
const decoded = (text: string | null, type: KeyType = 'timestamptz'): string => show(decodeBound(text, keyOf(type)));

describe('a range of time', () => {
  test.each<[KeyType, string, string]>([
    [
      'timestamptz',
      "FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00')",
      '2026-11-01T00:00:00Z to 2026-12-01T00:00:00Z',
    ],
    [
      'timestamptz',
      "FOR VALUES FROM ('2026-11-01 00:00:00.000001+00') TO ('2026-11-30 23:59:59.999999+00')",
      '2026-11-01T00:00:00.000001Z to 2026-11-30T23:59:59.999999Z',
    ],
    [
      'timestamptz',
      "FOR VALUES FROM ('2026-11-01 00:00:00.5+00') TO ('2026-11-01 00:00:00.123+00')",
      '2026-11-01T00:00:00.5Z to 2026-11-01T00:00:00.123Z',
    ],
    [
      'timestamp',
      "FOR VALUES FROM ('2026-03-29 02:30:00') TO ('2026-03-29 02:30:00.000001')",
      '2026-03-29T02:30:00Z to 2026-03-29T02:30:00.000001Z',
    ],
    ['date', "FOR VALUES FROM ('2024-02-29') TO ('2024-03-01')", '2024-02-29T00:00:00Z to 2024-03-01T00:00:00Z'],
    ['date', "FOR VALUES FROM (MINVALUE) TO ('2024-03-01')", 'unbounded to 2024-03-01T00:00:00Z'],
    ['date', "FOR VALUES FROM ('2024-03-01') TO (MAXVALUE)", '2024-03-01T00:00:00Z to unbounded'],
    ['date', 'FOR VALUES FROM (MINVALUE) TO (MAXVALUE)', 'unbounded to unbounded'],
    ['date', "FOR VALUES FROM ('-infinity') TO ('infinity')", 'unbounded to unbounded'],
    ['timestamptz', "FOR VALUES FROM ('-infinity') TO (MAXVALUE)", 'unbounded to unbounded'],
    [
      'timestamptz',
      "FOR VALUES FROM ('0044-03-15 00:00:00+00 BC') TO ('0001-01-01 00:00:00+00')",
      '-000043-03-15T00:00:00Z to 0001-01-01T00:00:00Z',
    ],
    [
      'timestamp',
      "FOR VALUES FROM ('0001-12-31 23:59:59.999999 BC') TO ('0001-01-01 00:00:00')",
      '0000-12-31T23:59:59.999999Z to 0001-01-01T00:00:00Z',
    ],
    [
      'date',
      "FOR VALUES FROM ('4713-01-01 BC') TO ('0001-01-01 BC')",
      '-004712-01-01T00:00:00Z to 0000-01-01T00:00:00Z',
    ],
    ['date', "FOR VALUES FROM ('9999-12-31') TO ('10000-01-01')", '9999-12-31T00:00:00Z to +010000-01-01T00:00:00Z'],
    [
      'timestamptz',
      "FOR VALUES FROM ('12345-01-01 00:00:00+00') TO ('275000-12-31 23:59:59.999999+00')",
      '+012345-01-01T00:00:00Z to +275000-12-31T23:59:59.999999Z',
    ],
    ['date', "  FOR VALUES\n FROM('2026-01-01')TO('2027-01-01')  ", '2026-01-01T00:00:00Z to 2027-01-01T00:00:00Z'],
  ])('of %s: %s', (type, text, expected) => {
    expect(decoded(text, type)).toBe(expected);
  });
});

describe('the sides of infinity', () => {
  // Such a partition takes rows dated 'infinity' and no others: it covers no moment at all.
  test.each([
    ["FOR VALUES FROM ('infinity') TO (MAXVALUE)", 'unreadable infinity to unbounded'],
    ["FOR VALUES FROM (MINVALUE) TO ('-infinity')", 'unbounded to unreadable -infinity'],
    ['FOR VALUES FROM (MAXVALUE) TO (MAXVALUE)', 'unreadable MAXVALUE to unbounded'],
    ['FOR VALUES FROM (MINVALUE) TO (MINVALUE)', 'unbounded to unreadable MINVALUE'],
    ["FOR VALUES FROM ('MINVALUE') TO ('MAXVALUE')", 'unreadable MINVALUE to unreadable MAXVALUE'],
    ['FOR VALUES FROM (infinity) TO (infinity)', 'unreadable infinity to unreadable infinity'],
  ])('%s', (text, expected) => {
    expect(decoded(text)).toBe(expected);
  });
});

describe('an end that proves nothing', () => {
  test.each<[KeyType, string]>([
    ['timestamptz', '275001-01-01 00:00:00+00'],
    ['timestamptz', '294276-12-31 23:59:59.999999+00'],
    ['date', '5874897-12-31'],
    ['date', '275001-01-01'],
    ['date', '2026-02-29'],
    ['date', '2026-13-01'],
    ['date', '2026-00-01'],
    ['date', '2026-01-00'],
    ['date', '26-01-01'],
    ['date', '01/02/2026'],
    ['date', '2026-1-1'],
    ['date', '2026-01-01 00:00:00'],
    ['date', '-2026-01-01'],
    ['date', '2026-01-01BC'],
    ['date', '2026-01-01 AD'],
    ['date', ''],
    ['date', ' 2026-01-01'],
    ['timestamp', '2026-01-01 24:00:00'],
    ['timestamp', '2026-01-01 23:60:00'],
    ['timestamp', '2026-01-01 23:59:60'],
    ['timestamp', '2026-01-01T00:00:00'],
    ['timestamp', '2026-01-01 00:00:00+00'],
    ['timestamp', '2026-01-01 00:00:00.1234567'],
    ['timestamp', '2026-01-01 00:00:00.'],
    ['timestamp', '2026-01-01'],
    ['timestamptz', '2026-01-01 00:00:00'],
    ['timestamptz', '2026-01-01 00:00:00+01'],
    ['timestamptz', '2026-01-01 00:00:00-00'],
    ['timestamptz', '2026-01-01 00:00:00+00:30'],
    ['timestamptz', '2026-01-01 00:00:00+0030'],
    ['timestamptz', 'Infinity'],
    ['timestamptz', 'now'],
  ])('of %s: %j', (type, text) => {
    expect(decoded(`FOR VALUES FROM ('${text}') TO (MAXVALUE)`, type)).toBe(`unreadable ${text} to unbounded`);
    expect(decoded(`FOR VALUES FROM (MINVALUE) TO ('${text}')`, type)).toBe(`unbounded to unreadable ${text}`);
  });

  test('leaves the other end readable', () => {
    expect(decoded("FOR VALUES FROM ('2026-01-01') TO ('5874897-12-31')", 'date')).toBe(
      '2026-01-01T00:00:00Z to unreadable 5874897-12-31',
    );
  });

  test.each(['20260101', '1', '-5', '1.5', 'NULL'])('not quoted: %s', word => {
    expect(decoded(`FOR VALUES FROM (${word}) TO ('2026-01-01')`, 'date')).toBe(
      `unreadable ${word} to 2026-01-01T00:00:00Z`,
    );
  });
});

describe('the default partition', () => {
  test.each(['DEFAULT', ' DEFAULT '])('is told by %j, whatever the key', text => {
    expect(decoded(text)).toBe('default');
    expect(show(decodeBound(text, UNSUPPORTED))).toBe('default');
  });

  test.each(['default', 'DEFAULTS', 'DEFAULT DEFAULT', "DEFAULT ('x')"])('is not told by %j', text => {
    expect(decoded(text)).toBe('opaque: it is not a range of one column');
  });
});

describe('what is no range of one column', () => {
  test.each([
    ['a list', "FOR VALUES IN ('a', 'b')"],
    ['a list of a text that looks like a range', "FOR VALUES IN ('2026-01-01'') TO (''2027-01-01')"],
    ['a list whose text holds a whole range', "FOR VALUES IN ('FOR VALUES FROM (''2020-01-01'') TO (''2020-02-01'')')"],
    ['a list of a text with a quote and a parenthesis', "FOR VALUES IN (') TO (')"],
    ['a list with NULL', 'FOR VALUES IN (1, NULL)'],
    ['a hash', 'FOR VALUES WITH (modulus 4, remainder 0)'],
    ['two columns', "FOR VALUES FROM ('2026-01-01', '1') TO ('2026-02-01', '2')"],
    ['two columns, open at one', "FOR VALUES FROM ('2026-01-01', MINVALUE) TO ('2026-02-01', MINVALUE)"],
    ['one column against two', "FOR VALUES FROM ('2026-01-01') TO ('2026-02-01', '2')"],
    ['no column', 'FOR VALUES FROM () TO ()'],
    ['half a range', "FOR VALUES FROM ('2026-01-01')"],
    ['a range and more', "FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') TO ('2026-03-01')"],
    ['other words', "FOR VALUES OVER ('2026-01-01') TO ('2026-02-01')"],
    ['words in lower case', "for values from ('2026-01-01') to ('2026-02-01')"],
    ['quoted words', "'FOR' VALUES FROM ('2026-01-01') TO ('2026-02-01')"],
    ['commas for parentheses', "FOR VALUES FROM ,'2026-01-01', TO ,'2026-02-01',"],
    ['nothing', ''],
    ['blanks', '  \n '],
  ])('%s', (_, text) => {
    expect(decoded(text, 'date')).toBe('opaque: it is not a range of one column');
  });

  test.each([
    ['a cast', "FOR VALUES IN ('a'::text)"],
    ['a string without an end', "FOR VALUES FROM ('2026-01-01) TO (MAXVALUE)"],
    ['a string of another kind', 'FOR VALUES FROM ($$2026-01-01$$) TO (MAXVALUE)'],
    ['a statement', "FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"],
    ['a letter that is none', 'FOR VALUES FROM (MINVALUE) TÖ (MAXVALUE)'],
  ])('%s cannot be read at all', (_, text) => {
    expect(decoded(text, 'date')).toBe('opaque: the bound cannot be read');
  });

  test('no bound at all, as of a partition that is being detached by another session', () => {
    expect(decoded(null)).toBe('opaque: the catalog shows no bound');
  });

  test('anything, when the key is not one column of time', () => {
    const range = "FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')";
    expect(show(decodeBound(range, UNSUPPORTED))).toBe('opaque: its key is an expression');
    expect(show(decodeBound("FOR VALUES FROM ('10') TO ('20')", UNSUPPORTED))).toBe('opaque: its key is an expression');
  });

  test('a long list is read to its end', () => {
    const list = Array.from({ length: 20_000 }, (_, index) => `'it''s ${index}'`).join(', ');
    expect(decoded(`FOR VALUES IN (${list})`)).toBe('opaque: it is not a range of one column');
    expect(decoded(`FOR VALUES IN (${list};)`)).toBe('opaque: the bound cannot be read');
  });
});
