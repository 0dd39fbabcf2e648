import { expect, test } from 'vitest';
import {
  formatBytes,
  formatElapsed,
  formatRowsEstimate,
  formatWindow,
  plural,
  printable,
} from '../../../src/report/figures.ts';
import { at } from '../../support/facts.ts';

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [1023, '1023 bytes'],
  [1024, '1.0 kB'],
  [8192, '8.0 kB'],
  [9_541_222, '9.1 MB'],
  [10 * 1024 ** 2, '10 MB'],
  [1024 ** 2 - 1, '1.0 MB'],
  [1024 ** 3 * 1.5, '1.5 GB'],
  [1024 ** 6, '1024 PB'],
])('%i bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [undefined, 'an unknown number of rows'],
  [0, '0 rows'],
  [1, '1 row'],
  [99, '99 rows'],
  [21_034, 'about 21,000 rows'],
  [1_234_567, 'about 1,200,000 rows'],
])('an estimate of %s reads as %s', (rows, text) => {
  expect(formatRowsEstimate(rows)).toBe(text);
});

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [999.6, '1.0 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min 0 s'],
  [185_000, '3 min 5 s'],
  [3_599_600, '1 h 0 min'],
  [7_800_000, '2 h 10 min'],
])('%d ms read as %s', (milliseconds, text) => {
  expect(formatElapsed(milliseconds)).toBe(text);
});

test('counts have thousands separators and the right number', () => {
  expect(plural(1, 'finding')).toBe('1 finding');
  expect(plural(21_034, 'row')).toBe('21,034 rows');
});

test('a window between midnights is shown as dates', () => {
  expect(formatWindow({ lower: at('2026-12-01'), upper: at('2027-01-01') })).toBe('2026-12-01 to 2027-01-01');
});

test('any other window is shown with times, and without a zone where the key has none', () => {
  const window = { lower: at('2026-11-30T23:00:00Z'), upper: at('2026-12-31T23:00:00Z') };
  expect(formatWindow(window)).toBe('2026-11-30T23:00:00Z to 2026-12-31T23:00:00Z');
  expect(formatWindow(window, 'timestamp')).toBe('2026-11-30T23:00:00 to 2026-12-31T23:00:00');
});

test('control characters are spelled out, and everything else stays', () => {
  expect(printable('a\nb\r\tc\0')).toBe('a\\nb\\r\\tc\\u0000');
  expect(printable('\u001b[31mred\u009b0m')).toBe('\\u001b[31mred\\u009b0m');
  expect(printable('\u2028\u2029\u202egnp.exe\u2066')).toBe('\\u2028\\u2029\\u202egnp.exe\\u2066');
  expect(printable('Ereignisse_größe_事件_🗓')).toBe('Ereignisse_größe_事件_🗓');
});
