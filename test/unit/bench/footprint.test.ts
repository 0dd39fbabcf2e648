/** The arithmetic of the footprint bench. No times are asserted: those are for a quiet machine. */
import { expect, test } from 'vitest';
import { readOptions } from '../../../bench/footprint/options.ts';
import { slopeOf } from '../../../bench/footprint/slope.ts';

test('the slope is that of the least squares, and none where there is no line', () => {
  const points = [0, 1, 2, 3].map(x => ({ x, y: 90 + 2 * x + (x % 2 === 0 ? 1 : -1) }));
  expect(slopeOf(points)).toBeCloseTo(1.6);
  expect(slopeOf([{ x: 1, y: 5 }])).toBe(0);
  expect(slopeOf([])).toBe(0);
});

test('a soak too short to show a slope is refused, and so is what is no number', () => {
  expect(readOptions(['--soak', '30'])).toMatchObject({ soakMinutes: 30 });
  expect(readOptions(['--help'])).toBeUndefined();
  expect(() => readOptions(['--soak', '2'])).toThrow('--soak 2: write a whole number, at least 3');
  expect(() => readOptions(['--starts', 'many'])).toThrow('--starts many');
  expect(() => readOptions(['--fast'])).toThrow("Unknown option '--fast'");
});
