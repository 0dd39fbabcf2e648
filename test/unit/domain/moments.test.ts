import { describe, expect, test } from 'vitest';
import { momentsOf } from '../../../src/domain/moments.ts';
import { NOW, plusMicroseconds } from '../../support/facts.ts';

const SECOND = 1_000_000;

describe('the two clocks', () => {
  test.each([
    ['agree', 0],
    ['differ by a microsecond', 1],
    ['differ by 60 seconds, as far as is borne', 60 * SECOND],
    ['differ by 60 seconds the other way', -60 * SECOND],
  ])('%s: the later one creates, the earlier one retires', (_, ahead) => {
    const process = plusMicroseconds(NOW, ahead);
    const moments = momentsOf({ databaseNow: NOW, processNow: process });
    expect(moments).toEqual({
      now: NOW,
      forCreating: ahead > 0 ? process : NOW,
      forRetiring: ahead < 0 ? process : NOW,
      excessiveSkewMs: undefined,
    });
  });

  test.each([
    ['a microsecond over', 60 * SECOND + 1, 60_000.001],
    ['a microsecond over, the other way', -60 * SECOND - 1, 60_000.001],
    ['a millisecond over', 60 * SECOND + 1000, 60_001],
    ['a century', 36_525 * 86_400 * SECOND, 36_525 * 86_400_000],
  ])('%s: the skew is told, and only the database’s clock creates', (_, ahead, skewMs) => {
    const process = plusMicroseconds(NOW, ahead);
    const moments = momentsOf({ databaseNow: NOW, processNow: process });
    expect(moments).toEqual({
      now: NOW,
      forCreating: NOW,
      forRetiring: ahead < 0 ? process : NOW,
      excessiveSkewMs: skewMs,
    });
  });

  test('do not count when a person asks for a moment', () => {
    const asked = plusMicroseconds(NOW, 7);
    const clocks = { databaseNow: NOW, processNow: plusMicroseconds(NOW, 3600 * SECOND) };
    expect(momentsOf(clocks, asked)).toEqual({
      now: asked,
      forCreating: asked,
      forRetiring: asked,
      excessiveSkewMs: undefined,
    });
  });
});
