import { describe, expect, test } from 'vitest';
import { INTERVALS, type Interval, nextWindow, windowAt } from '../../../src/domain/interval.ts';
import { DEFAULT_NAME, partitionName, problemOfTemplate } from '../../../src/domain/naming.ts';
import { at } from '../../support/facts.ts';

describe('a template', () => {
  test.each(INTERVALS.map(interval => [interval, DEFAULT_NAME[interval]] as const))(
    'for the %s is %s unless another is given, and fits',
    (interval, template) => {
      expect(problemOfTemplate(template, interval)).toBeUndefined();
    },
  );

  test.each<[Interval, string]>([
    ['week', '{table}_{YYYY}_{MM}_{DD}'],
    ['quarter', '{table}_{YYYY}_{MM}'],
    ['month', '{table}_p{YYYY}{MM}'],
    ['month', 'events_{YYYY}_{MM}'],
    ['month', '{MM}.{YYYY}'],
    ['year', '{table}_{YYYY}_{MM}_{DD}_{HH}'],
    ['hour', '{HH}{DD}{MM}{YYYY}{table}'],
    // 45 bytes are left once the suffixes have theirs, and 10 of them are the least for a table.
    ['year', `${'x'.repeat(31)}{table}{YYYY}`],
    ['year', `${'x'.repeat(41)}{YYYY}`],
    ['year', '{table}_{table}_{table}_{YYYY}'],
  ])('for the %s may be %s', (interval, template) => {
    expect(problemOfTemplate(template, interval)).toBeUndefined();
  });

  const FIELDS = '{YYYY}, {MM}, {DD}, {HH}, {Q}, {GGGG}, {WW}';
  const alike = (interval: string, fields: string) =>
    `would give two partitions of one ${interval} interval the same name: it needs ${fields}`;
  const TOO_LONG = 'is too long: a name has 63 bytes, of which 18 are kept for suffixes';
  test.each<[string, Interval, string]>([
    ['{table}_{YYYY}_{mm}', 'month', `has the unknown placeholder {mm}: use {table}, ${FIELDS}`],
    ['{table}_{}', 'month', `has the unknown placeholder {}: use {table}, ${FIELDS}`],
    ['{table}_{constructor}', 'year', `has the unknown placeholder {constructor}: use {table}, ${FIELDS}`],
    ['{table}_{YYYY_{MM}', 'month', `has the unknown placeholder {YYYY_{MM}: use {table}, ${FIELDS}`],
    ['{table}_{YYYY}_{MM}{', 'month', 'has a brace that belongs to no placeholder'],
    ['{table}_{YYYY}}_{MM}', 'month', 'has a brace that belongs to no placeholder'],
    ['{table}', 'year', alike('year', '{YYYY}')],
    ['{table}_{MM}', 'month', alike('month', '{YYYY}, {MM}')],
    ['{table}_{YYYY}', 'month', alike('month', '{YYYY}, {MM}')],
    ['{table}_{YYYY}_{Q}', 'month', alike('month', '{YYYY}, {MM}')],
    ['{table}_{YYYY}', 'quarter', alike('quarter', '{YYYY}, {Q}')],
    ['{table}_{YYYY}_{MM}', 'day', alike('day', '{YYYY}, {MM}, {DD}')],
    ['{table}_{YYYY}_{MM}_{DD}', 'hour', alike('hour', '{YYYY}, {MM}, {DD}, {HH}')],
    // The weeks from 1 January and from 30 December 2024 would both be called 2024_01.
    ['{table}_{YYYY}_{WW}', 'week', alike('week', '{GGGG}, {WW}')],
    ['{table}_{YYYY}_{MM}', 'week', alike('week', '{GGGG}, {WW}')],
    [`${'x'.repeat(32)}{table}{YYYY}`, 'year', TOO_LONG],
    [`${'x'.repeat(42)}{YYYY}`, 'year', TOO_LONG],
    [`${'ä'.repeat(21)}{YYYY}`, 'year', TOO_LONG],
    ['{table}_{table}_{table}_{table}_{YYYY}', 'year', TOO_LONG],
  ])('%s for the %s is refused', (template, interval, problem) => {
    expect(problemOfTemplate(template, interval)).toBe(problem);
  });

  test.each(INTERVALS)('of the %s gives no two windows of six years one name', interval => {
    // The hour that Berlin's clocks show twice is the exception that `freeName` is for, hence UTC.
    const end = interval === 'hour' ? at('2026-02-01') : at('2032-01-01');
    const names: string[] = [];
    for (
      let window = windowAt(at('2026-01-01'), interval, 'UTC');
      window.lower.epochNanoseconds < end.epochNanoseconds;
    ) {
      names.push(partitionName(DEFAULT_NAME[interval], 'events', window.lower, 'UTC'));
      window = nextWindow(window, interval, 'UTC');
    }
    expect(names.length).toBeGreaterThanOrEqual(6);
    expect(new Set(names).size).toBe(names.length);
  });
});
