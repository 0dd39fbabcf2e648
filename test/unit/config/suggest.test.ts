import { expect, test } from 'vitest';
import { didYouMean, editDistance, nearest } from '../../../src/config/suggest.ts';

test.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['retention', 'retention', 0],
  ['retension', 'retention', 1],
  ['dorp', 'drop', 1],
  ['premak', 'premake', 1],
  ['kitten', 'sitting', 3],
])('from %j to %j it takes %d edits', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
  expect(editDistance(b, a)).toBe(edits);
});

test.each([
  ['monthly', 'month'],
  ['DAY', 'day'],
  ['yaer', 'year'],
  ['fortnight', undefined],
  ['', undefined],
])('%j is taken for %s', (wrong, meant) => {
  expect(nearest(wrong, ['hour', 'day', 'week', 'month', 'quarter', 'year'])).toBe(meant);
});

test('a question, or nothing', () => {
  expect(didYouMean('dorp', ['drop'])).toBe("did you mean 'drop'?");
  expect(didYouMean('archive', ['drop'])).toBeUndefined();
});
