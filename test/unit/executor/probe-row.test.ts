import { describe, expect, test } from 'vitest';
import { type ProbeColumn, probeRow, resolutionOf } from '../../../src/executor/probe-row.ts';

const KEY = '2026-11-30 23:59:59.999999+00';
const column = (over: Partial<ProbeColumn> = {}): ProbeColumn => ({
  name: 'c',
  isKey: false,
  mayBeNull: false,
  isReference: false,
  hasPlainDefault: false,
  category: 'N',
  type: 'int8',
  enumLabel: null,
  typmod: -1,
  ...over,
});
const key = column({ name: 'at', isKey: true, category: 'D', type: 'timestamptz' });

const row = (...columns: readonly ProbeColumn[]) => {
  const made = probeRow([key, ...columns], KEY);
  return (
    made && `${made.columns.map(({ text }) => text).join(', ')} = ${made.values.map(({ text }) => text).join(', ')}`
  );
};

describe('a row made up', () => {
  test.each<[string, Partial<ProbeColumn>, string]>([
    ['is null where it may', { mayBeNull: true, hasPlainDefault: true, isReference: true }, 'null'],
    ['takes a default that asks nobody', { hasPlainDefault: true }, 'default'],
    ['has a number for a sequence’s column', {}, "'1'"],
    ['has text', { category: 'S', type: 'text' }, "'x'"],
    ['has a moment', { category: 'D', type: 'timestamp' }, "'2000-01-01 00:00'"],
    ['has an empty array', { category: 'A', type: '_text' }, "'{}'"],
    ['has JSON', { category: 'U', type: 'jsonb' }, "'{}'"],
    ['has the first label of an enum', { category: 'E', type: null, enumLabel: "it's" }, "'it''s'"],
  ])('%s', (_, over, value) => {
    expect(row(column({ name: 'C"', ...over }))).toBe(`"at", "C""" = '${KEY}', ${value}`);
  });

  test.each<[string, Partial<ProbeColumn>]>([
    ['of somebody’s own type', { category: 'U', type: null }],
    ['of a type without a usual value', { category: 'G', type: 'point' }],
    ['that refers to a row', { isReference: true, hasPlainDefault: true }],
  ])('cannot be had with a column %s', (_, over) => {
    expect(row(column(over))).toBeUndefined();
  });
});

test.each([
  [-1, 1],
  [6, 1],
  [3, 1_000],
  [0, 1_000_000],
])('a key with typmod %i is told apart by %i microseconds', (typmod, microseconds) => {
  expect(resolutionOf([column(), { ...key, typmod }])).toBe(microseconds);
});
