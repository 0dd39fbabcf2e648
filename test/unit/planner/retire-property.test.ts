/** Promise 1, for tables of every description: no row inside its retention is ever lost. */
import { describe, expect, test } from 'vitest';
import type { PartitionFacts } from '../../../src/domain/facts.ts';
import { momentsOf } from '../../../src/domain/moments.ts';
import { planRetire } from '../../../src/planner/retire.ts';
import { aServer, aTablePolicy, at } from '../../support/facts.ts';
import { carryOut } from '../../support/imagined-server.ts';
import { chance } from '../../support/random.ts';
import { aRandomTable } from '../../support/random-tables.ts';

const MICROSECONDS_A_DAY = 86_400_000_000n;
const microseconds = (moment: { readonly epochNanoseconds: bigint }): bigint => moment.epochNanoseconds / 1000n;
const upperOf = ({ bound }: PartitionFacts): bigint | undefined =>
  bound.kind === 'range' && bound.upper.kind === 'at' ? microseconds(bound.upper.at) : undefined;

/** Reckoned with nothing but numbers: in UTC a day has 86,400 seconds. */
const mayGo = (partition: PartitionFacts, now: bigint, days: number): boolean => {
  const upper = upperOf(partition);
  return (
    upper !== undefined &&
    upper <= now - BigInt(days) * MICROSECONDS_A_DAY &&
    partition.bound.kind === 'range' &&
    partition.bound.lower.kind === 'at' &&
    partition.kind !== 'foreign' &&
    !partition.isDetachPending
  );
};

describe.each([1, 2, 3, 4, 5])('random tables, series %i', seed => {
  const random = chance(seed);
  const cases = Array.from({ length: 120 }, () => {
    const interval = random.pick(['day', 'week', 'month'] as const);
    const days = 1 + random.below(200);
    const policy = aTablePolicy({ interval, premake: random.below(3), retention: { amount: days, unit: 'days' } });
    const now = random.instant(at('2024-01-01'), at('2027-01-01'));
    const reach = interval === 'day' ? 40 : 250;
    const table = aRandomTable(
      random,
      policy,
      now.subtract({ hours: 24 * reach }),
      now.add({ hours: 24 * 120 }),
      'timestamptz',
    );
    // Up to a minute apart, either way; now and then more.
    const processNow = now.add({ milliseconds: random.pick([0, 30_000, -30_000, 59_999, -60_000, 61_000]) });
    const server = aServer({ databaseNow: now, processNow });
    const earlierNow = microseconds(now) < microseconds(processNow) ? microseconds(now) : microseconds(processNow);
    const plan = () => planRetire(table, policy, momentsOf(server), server);
    return { table, policy, days, server, earlierNow, part: plan() };
  });

  test('nothing is retired that has, or may have, a row inside retention', () => {
    for (const { table, days, earlierNow, part } of cases) {
      const byOid = new Map(table.partitions.map(partition => [partition.oid, partition]));
      for (const action of part.actions) {
        const partition = 'partition' in action ? byOid.get(action.partition) : undefined;
        expect(partition && mayGo(partition, earlierNow, days), action.relation.name).toBe(true);
      }
    }
    // The series would prove nothing if nothing were ever retired.
    expect(cases.filter(({ part }) => part.actions.length > 0).length).toBeGreaterThan(10);
  });

  test('whatever may go goes, unless the whole table is held', () => {
    for (const { table, days, earlierNow, part } of cases) {
      const held = part.skips.some(({ reason }) => ['clock-skew', 'coverage-broken'].includes(reason));
      const expected = held ? 0 : table.partitions.filter(partition => mayGo(partition, earlierNow, days)).length;
      expect(part.actions.length).toBe(expected);
    }
    const isHeldBy = (reason: string) =>
      cases.filter(({ part }) => part.skips.some(skip => skip.reason === reason)).length;
    expect(isHeldBy('clock-skew')).toBeGreaterThan(0);
    expect(isHeldBy('coverage-broken')).toBeGreaterThan(0);
  });

  test('every partition is accounted for exactly once', () => {
    for (const { table, part } of cases) {
      const accounted = [...part.actions, ...part.skips].map(({ relation }) => relation.name);
      expect(accounted.toSorted()).toEqual(table.partitions.map(({ relation }) => relation.name).toSorted());
    }
  });

  test('the oldest goes first', () => {
    for (const { table, part } of cases) {
      const uppers = part.actions.map(action => {
        const partition = table.partitions.find(({ relation }) => relation === action.relation);
        return partition && upperOf(partition);
      });
      const sorted = uppers.toSorted((a = 0n, b = 0n) => (a < b ? -1 : 1));
      expect(uppers).toEqual(sorted);
    }
  });

  test('the second plan is empty', () => {
    for (const { table, policy, server, part } of cases) {
      const again = planRetire(carryOut(table, part.actions), policy, momentsOf(server), server);
      expect(again.actions).toEqual([]);
    }
  });
});
