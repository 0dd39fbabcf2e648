/** What keeps a whole table from being touched, however old its partitions are. */
import { describe, expect, test } from 'vitest';
import type { PartitionFacts } from '../../../src/domain/facts.ts';
import { momentsOf } from '../../../src/domain/moments.ts';
import type { PlanPart } from '../../../src/domain/plan.ts';
import { planRetire } from '../../../src/planner/retire.ts';
import {
  aDefaultPartition,
  aPartition,
  aServer,
  aTablePolicy,
  aTimeTable,
  at,
  monthly,
  NOW,
  plusMicroseconds,
} from '../../support/facts.ts';
import { codes } from '../../support/plans.ts';

const OLD = monthly('2026-06', '2026-07');
const AHEAD = monthly('2026-11', '2027-01');

const reasons = ({ actions, skips }: PlanPart): readonly string[] => [
  ...actions.map(({ relation }) => `${relation.name.slice(-7)} retired`),
  ...skips.map(({ relation, reason }) => `${relation.name.slice(-7)} ${reason}`),
];
const held = (reason: string): readonly string[] => [
  '2026_11 within-retention',
  '2026_12 within-retention',
  '2027_01 within-retention',
  `2026_06 ${reason}`,
  `2026_07 ${reason}`,
];
const RETIRED = ['2026_06 retired', '2026_07 retired', ...held('').slice(0, 3)];

describe('clocks that disagree', () => {
  const SECOND = 1_000_000;
  const skewed = (microseconds: number): PlanPart => {
    const server = aServer({ processNow: plusMicroseconds(NOW, microseconds) });
    return planRetire(aTimeTable({ partitions: [...OLD, ...AHEAD] }), aTablePolicy(), momentsOf(server), server);
  };

  test.each([0, 60 * SECOND, -60 * SECOND])('by %i microseconds hinder nothing', microseconds => {
    expect(reasons(skewed(microseconds))).toEqual(RETIRED);
    expect(codes(skewed(microseconds))).toEqual([]);
  });

  test.each([
    [60 * SECOND + 1, 61],
    [60_001_000, 61],
    [-60_001_000, 61],
    [90 * SECOND, 90],
    [86_400 * 365 * SECOND, 31_536_000],
  ])('by %i microseconds let nothing be retired, and creating is not spoken of', (microseconds, seconds) => {
    const part = skewed(microseconds);
    expect(reasons(part)).toEqual(held('clock-skew'));
    expect(part.findings).toMatchObject([
      {
        code: 'CLOCK_SKEW',
        severity: 'error',
        message: `the clocks of this process and of the database are ${seconds} s apart, more than 60 s`,
      },
    ]);
  });

  test.each([
    ['the database’s', { databaseNow: at('2026-11-21T06:00:30Z'), processNow: NOW }],
    ['the process’s', { databaseNow: NOW, processNow: at('2026-11-21T06:00:30Z') }],
  ])('a little: what only %s clock, which is ahead, calls expired is kept', (_, clocks) => {
    const cutoffOfTheEarlier = at('2026-08-23T06:00:00Z');
    const server = aServer(clocks);
    const plan = (microseconds: number) => {
      const partition = aPartition('2026-08-01', plusMicroseconds(cutoffOfTheEarlier, microseconds).toString());
      return planRetire(aTimeTable({ partitions: [partition, ...AHEAD] }), aTablePolicy(), momentsOf(server), server)
        .actions;
    };
    expect([plan(0).length, plan(1).length]).toEqual([1, 0]);
  });

  test('are no matter when a moment is asked for', () => {
    const server = aServer({ processNow: at('2036-11-21') });
    const table = aTimeTable({ partitions: [...OLD, ...AHEAD] });
    expect(reasons(planRetire(table, aTablePolicy(), momentsOf(server, NOW), server))).toEqual(RETIRED);
  });
});

describe('coverage that is broken', () => {
  const plan = (...partitions: readonly PartitionFacts[]) =>
    planRetire(aTimeTable({ partitions: [...OLD, ...partitions] }), aTablePolicy(), momentsOf(aServer()), aServer());
  const [NOVEMBER, DECEMBER, JANUARY] = AHEAD;
  if (!NOVEMBER || !DECEMBER || !JANUARY) throw new Error('there are three months');

  test.each([
    ['no partition for now', [DECEMBER, JANUARY]],
    ['a window ahead missing', [NOVEMBER, DECEMBER]],
    ['a hole ahead', [NOVEMBER, JANUARY]],
    ['only a default partition for now', [aDefaultPartition(), DECEMBER, JANUARY]],
    ['a detach pending for now', [{ ...NOVEMBER, isDetachPending: true }, DECEMBER, JANUARY]],
    ['an end a microsecond too early', [NOVEMBER, DECEMBER, aPartition('2027-01-01', '2027-01-31T23:59:59.999999Z')]],
    ['a hole of a microsecond', [NOVEMBER, aPartition('2026-12-01T00:00:00.000001Z', '2027-02-01')]],
  ])('by %s keeps everything', (_, partitions) => {
    const part = plan(...partitions);
    expect(part.actions).toEqual([]);
    expect(part.skips.filter(({ reason }) => reason === 'coverage-broken').map(({ relation }) => relation)).toEqual(
      OLD.map(({ relation }) => relation),
    );
    expect(codes(part)).toContain('COVERAGE_BROKEN');
  });

  test.each([
    ['as far as the policy wants', [NOVEMBER, DECEMBER, JANUARY]],
    ['further than the policy wants', [...AHEAD, ...monthly('2027-02', '2027-05')]],
    ['for ever', [aPartition('2026-11-01', 'MAXVALUE')]],
    ['by a foreign table', [NOVEMBER, DECEMBER, { ...JANUARY, kind: 'foreign' as const }]],
    ['with a hole in the past', [...monthly('2026-09', '2026-09'), NOVEMBER, DECEMBER, JANUARY]],
  ])('is not: %s', (_, partitions) => {
    expect(plan(...partitions).actions.length).toBe(2);
  });

  test('is judged by the later clock: rows may be written a moment from now', () => {
    const server = aServer({ databaseNow: at('2026-11-30T23:59:50Z'), processNow: at('2026-12-01T00:00:10Z') });
    const table = aTimeTable({ partitions: [...OLD, ...AHEAD] });
    expect(planRetire(table, aTablePolicy(), momentsOf(server), server).actions).toEqual([]);
    const wider = aTimeTable({ partitions: [...OLD, ...AHEAD, ...monthly('2027-02', '2027-02')] });
    expect(planRetire(wider, aTablePolicy(), momentsOf(server), server).actions.length).toBe(2);
  });

  test('is not spoken of when nothing has expired', () => {
    const part = planRetire(aTimeTable({ partitions: [NOVEMBER] }), aTablePolicy(), momentsOf(aServer()), aServer());
    expect(reasons(part)).toEqual(['2026_11 within-retention']);
    expect(codes(part)).toEqual([]);
  });

  test('in a table without partitions is told in its name', () => {
    const planEmpty = (retention: 'forever' | undefined) =>
      planRetire(aTimeTable(), aTablePolicy(retention && { retention }), momentsOf(aServer()), aServer());
    expect(reasons(planEmpty(undefined))).toEqual(['_events coverage-broken']);
    expect(codes(planEmpty(undefined))).toEqual(['COVERAGE_BROKEN']);
    expect(reasons(planEmpty('forever'))).toEqual(['_events keep-forever']);
  });
});

test('the last partition stays, even by a policy that no configuration can express', () => {
  const server = aServer();
  const table = aTimeTable({ partitions: [aDefaultPartition(), ...AHEAD] });
  const retention = { amount: -10, unit: 'years' } as const;
  const part = planRetire(table, aTablePolicy({ retention }), momentsOf(server), server);
  expect(reasons(part)).toEqual([
    '2026_11 retired',
    '2026_12 retired',
    'default default-partition',
    '2027_01 last-partition',
  ]);
});
