/** The arithmetic of the stall bench, and what its report admits. No times are asserted: those are for a quiet machine. */
import { describe, expect, test } from 'vitest';
import { control } from '../../../bench/stall/contenders/control.ts';
import { handWritten } from '../../../bench/stall/contenders/hand-written.ts';
import { figuresOf, median, percentile } from '../../../bench/stall/latency.ts';
import type { Measurement } from '../../../bench/stall/measure.ts';
import { readOptions } from '../../../bench/stall/options.ts';
import { type Report, reportText } from '../../../bench/stall/report.ts';
import { SCENARIOS } from '../../../bench/stall/scenarios.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('figures', () => {
  test('the 99th percentile of a hundred is the second largest, of ten the largest', () => {
    expect(percentile(upTo(100), 0.99)).toBe(99);
    expect(percentile(upTo(10), 0.99)).toBe(10);
    expect(percentile([], 0.99)).toBeNaN();
  });

  test('the median of an even number is in the middle of two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  test('count what was due in the window, however late it came', () => {
    const samples = [
      { dueMs: 99, tookMs: 7 },
      { dueMs: 100, tookMs: 4_000 },
      { dueMs: 199, tookMs: 1 },
      { dueMs: 200, tookMs: 9 },
    ];
    expect(figuresOf(samples, 100, 200)).toEqual({ count: 2, p50Ms: 1, p99Ms: 4_000, longestMs: 4_000 });
  });
});

describe('the report', () => {
  test('takes each ratio to the control of the same run', () => {
    const text = reportText(
      reportOf([measured('none', 1, 10), measured('sql', 1, 20), measured('none', 2, 100), measured('sql', 2, 400)]),
    );
    expect(text).toContain('| 55 ms (10 ms–100 ms) | **×3.0 (2.0–4.0)**, 210 ms (20 ms–400 ms) |');
  });

  test('says when the work was not done, and why', () => {
    const undone = { ...measured('sql', 1, 12), isDone: false, note: 'the next partition is missing; a | b' };
    const text = reportText(reportOf([measured('none', 1, 12), undone]));
    expect(text).toContain('**×1.0**, 12 ms ❌');
    expect(text).toContain('the next partition is missing; a \\| b');
  });

  test('names who is absent', () => {
    const report = {
      ...reportOf([measured('none', 1, 12)]),
      absent: [{ title: 'pg_partman', because: 'not installed' }],
    };
    expect(reportText(report)).toContain('**pg_partman is not in the tables**: not installed');
  });
});

describe('options', () => {
  test('the control is always measured', () => {
    const names = readOptions(['--contender', 'partkeeper', '--scenario', 'both+1m+reader']);
    expect(names?.contenders.map(({ name }) => name)).toEqual(['none', 'partkeeper']);
    expect(names?.scenarios.map(({ name }) => name)).toEqual(['both+1m+reader']);
  });

  test.each([
    [['--scenario', 'roll'], '--scenario roll is not known'],
    [['--runs', '0'], '--runs 0'],
    [['--server', 'mine'], '--server mine'],
    [['--yield'], '--yield'],
  ])('%j is refused', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});

test('every work is measured with and without a reader, with and without a million rows in the default partition', () => {
  const names = SCENARIOS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const work of ['create', 'retire', 'both'])
    for (const rows of ['', '+1m']) for (const reader of ['', '+reader']) expect(names).toContain(work + rows + reader);
});

function measured(contender: string, run: number, longestMs: number): Measurement {
  const figures = { count: 1, p50Ms: 1, p99Ms: 1, longestMs };
  return {
    scenario: 'create',
    contender,
    run,
    isDone: true,
    note: undefined,
    passes: 1,
    workMs: 5,
    inserts: figures,
    reads: figures,
    before: figures,
    pausedMs: 0,
    insertErrors: [],
    readErrors: [],
  };
}

const reportOf = (measurements: readonly Measurement[]): Report => ({
  machine: 'a machine',
  server: 'a server',
  date: '2026-01-01',
  busyness: undefined,
  goesFirst: false,
  yields: false,
  runs: Math.max(...measurements.map(({ run }) => run)),
  scenarios: SCENARIOS.filter(({ name }) => name === 'create'),
  contenders: [control, handWritten],
  absent: [],
  measurements,
});
