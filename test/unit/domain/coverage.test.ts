import { describe, expect, test } from 'vitest';
import { type Covering, coverageRun, holes } from '../../../src/domain/coverage.ts';
import { formatInstant, type Instant } from '../../../src/domain/time.ts';
import { aDefaultPartition, anOpaquePartition, aPartition, at, plusMicroseconds } from '../../support/facts.ts';

const show = (end: Instant | 'unbounded'): string => (end === 'unbounded' ? end : formatInstant(end).slice(0, 10));

const runAt = (partitions: readonly Covering[], moment: Instant): string | undefined => {
  const run = coverageRun(partitions, moment);
  return run && `${show(run.from)} to ${show(run.to)}`;
};

const holesIn = (partitions: readonly Covering[], from: string, to: string): readonly string[] =>
  holes(partitions, at(from), at(to)).map(({ lower, upper }) => `${show(lower)} to ${show(upper)}`);

const JANUARY = aPartition('2026-01-01', '2026-02-01');
const FEBRUARY = aPartition('2026-02-01', '2026-03-01');
const APRIL = aPartition('2026-04-01', '2026-05-01');
const BEFORE = aPartition('MINVALUE', '2026-01-01');
const AFTER = aPartition('2026-05-01', 'MAXVALUE');

describe('the gap-free run', () => {
  test('joins neighbours, whatever order they come in, and stops at a hole', () => {
    expect(runAt([APRIL, FEBRUARY, JANUARY], at('2026-01-15'))).toBe('2026-01-01 to 2026-03-01');
    expect(runAt([APRIL, FEBRUARY, JANUARY], at('2026-04-15'))).toBe('2026-04-01 to 2026-05-01');
  });

  test.each([
    ['a microsecond before the lower bound', at('2026-01-01'), -1, undefined],
    ['at the lower bound', at('2026-01-01'), 0, '2026-01-01 to 2026-03-01'],
    ['a microsecond before the bound between two', at('2026-02-01'), -1, '2026-01-01 to 2026-03-01'],
    ['at the bound between two', at('2026-02-01'), 0, '2026-01-01 to 2026-03-01'],
    ['a microsecond before the upper bound', at('2026-03-01'), -1, '2026-01-01 to 2026-03-01'],
    ['at the upper bound', at('2026-03-01'), 0, undefined],
    ['a microsecond before the next run', at('2026-04-01'), -1, undefined],
    ['at the start of the next run', at('2026-04-01'), 0, '2026-04-01 to 2026-05-01'],
  ])('%s', (_, moment, microseconds, expected) => {
    expect(runAt([JANUARY, FEBRUARY, APRIL], plusMicroseconds(moment, microseconds))).toBe(expected);
  });

  test('a hole of one microsecond ends it', () => {
    const late = aPartition('2026-02-01T00:00:00.000001Z', '2026-03-01');
    expect(runAt([JANUARY, late], at('2026-01-15'))).toBe('2026-01-01 to 2026-02-01');
    expect(runAt([JANUARY, late], at('2026-02-01'))).toBeUndefined();
  });

  test('reaches to the unbounded ends', () => {
    expect(runAt([AFTER, APRIL], at('2026-04-15'))).toBe('2026-04-01 to unbounded');
    expect(runAt([BEFORE, JANUARY], at('2026-01-15'))).toBe('unbounded to 2026-02-01');
    expect(runAt([aPartition('MINVALUE', 'MAXVALUE')], at('1970-01-01'))).toBe('unbounded to unbounded');
  });

  test('default, detach-pending and unreadable partitions do not count', () => {
    const pending = aPartition('2026-03-01', '2026-04-01', { isDetachPending: true });
    const half = aPartition('2026-03-01', '2026-04-01', {
      bound: {
        kind: 'range',
        lower: { kind: 'at', at: at('2026-03-01') },
        upper: { kind: 'opaque', text: '?' },
      },
    });
    const partitions = [FEBRUARY, APRIL, pending, half, aDefaultPartition(), anOpaquePartition()];
    expect(runAt(partitions, at('2026-02-15'))).toBe('2026-02-01 to 2026-03-01');
    expect(runAt(partitions, at('2026-03-15'))).toBeUndefined();
  });

  test('there is none without partitions', () => {
    expect(runAt([], at('2026-01-01'))).toBeUndefined();
  });
});

describe('holes', () => {
  test('are what is left of the range, oldest first', () => {
    expect(holesIn([APRIL, JANUARY], '2025-12-01', '2026-06-01')).toEqual([
      '2025-12-01 to 2026-01-01',
      '2026-02-01 to 2026-04-01',
      '2026-05-01 to 2026-06-01',
    ]);
    expect(holesIn([], '2026-01-01', '2026-02-01')).toEqual(['2026-01-01 to 2026-02-01']);
  });

  test('are cut off at the range asked for', () => {
    expect(holesIn([JANUARY, APRIL], '2026-02-10', '2026-03-10')).toEqual(['2026-02-10 to 2026-03-10']);
    expect(holesIn([JANUARY, APRIL], '2026-01-10', '2026-01-20')).toEqual([]);
    expect(holesIn([JANUARY, APRIL], '2026-01-10', '2026-02-20')).toEqual(['2026-02-01 to 2026-02-20']);
    expect(holesIn([JANUARY, APRIL], '2026-03-10', '2026-04-20')).toEqual(['2026-03-10 to 2026-04-01']);
  });

  test('there are none in an empty or inverted range', () => {
    expect(holesIn([], '2026-01-01', '2026-01-01')).toEqual([]);
    expect(holesIn([], '2026-02-01', '2026-01-01')).toEqual([]);
  });

  test('of one microsecond are found', () => {
    const found = holes(
      [aPartition('2026-01-01', '2026-01-31T23:59:59.999999Z'), FEBRUARY],
      at('2026-01-01'),
      at('2026-03-01'),
    );
    expect(found.map(({ lower, upper }) => [formatInstant(lower), formatInstant(upper)])).toEqual([
      ['2026-01-31T23:59:59.999999Z', '2026-02-01T00:00:00Z'],
    ]);
  });

  test('end where an unbounded partition begins', () => {
    expect(holesIn([BEFORE, APRIL, AFTER], '2020-01-01', '2030-01-01')).toEqual(['2026-01-01 to 2026-04-01']);
    expect(holesIn([aPartition('MINVALUE', 'MAXVALUE')], '2020-01-01', '2030-01-01')).toEqual([]);
  });

  test('a detach-pending partition fills its place, default and unreadable ones fill none', () => {
    const pending = aPartition('2026-03-01', '2026-04-01', { isDetachPending: true });
    expect(
      holesIn([FEBRUARY, pending, APRIL, aDefaultPartition(), anOpaquePartition()], '2026-01-01', '2026-05-01'),
    ).toEqual(['2026-01-01 to 2026-02-01']);
  });
});

/** Every choice of days out of a fortnight, as far as a repeatable walk over the choices goes. */
const choices = Array.from({ length: 200 }, (_, index) => (index * 2654435761) % 2 ** 14);
const day = (number: number): string => `2026-01-${String(number + 1).padStart(2, '0')}`;
const daysOf = (choice: number): readonly number[] =>
  Array.from({ length: 14 }, (_, number) => number).filter(number => (choice & (1 << number)) !== 0);

describe('for any set of days', () => {
  test('a moment is in a run exactly when its day has a partition, and never also in a hole', () => {
    for (const choice of choices) {
      const days = daysOf(choice);
      const partitions = days.map(number => aPartition(day(number), day(number + 1))).toReversed();
      const free = holes(partitions, at(day(0)), at(day(14)));
      for (let number = 0; number < 14; number += 1) {
        const noon = at(day(number)).add({ hours: 12 });
        const isFree = free.some(
          ({ lower, upper }) =>
            lower.epochNanoseconds <= noon.epochNanoseconds && noon.epochNanoseconds < upper.epochNanoseconds,
        );
        expect(coverageRun(partitions, noon) !== undefined, `${days.join()} at ${day(number)}`).toBe(
          days.includes(number),
        );
        expect(isFree, `${days.join()} at ${day(number)}`).toBe(!days.includes(number));
      }
    }
  });

  test('filling the holes leaves none, and one run from end to end', () => {
    for (const choice of choices) {
      const partitions: Covering[] = daysOf(choice).map(number => aPartition(day(number), day(number + 1)));
      const fill: Covering[] = holes(partitions, at(day(0)), at(day(14))).map(({ lower, upper }) => ({
        bound: { kind: 'range', lower: { kind: 'at', at: lower }, upper: { kind: 'at', at: upper } },
        isDetachPending: false,
      }));
      const whole = [...fill, ...partitions];
      expect(holes(whole, at(day(0)), at(day(14)))).toEqual([]);
      expect(runAt(whole, at(day(7)))).toBe(`${day(0)} to ${day(14)}`);
    }
  });
});
