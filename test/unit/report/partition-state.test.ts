import { describe, expect, test } from 'vitest';
import type { PartitionFacts } from '../../../src/domain/facts.ts';
import type { TablePolicy } from '../../../src/domain/policy.ts';
import { formatInstant, type Instant } from '../../../src/domain/time.ts';
import {
  countGaps,
  coverageEnd,
  leadTimeSeconds,
  oldestEnd,
  PARTITION_STATES,
  partitionState,
  tableClock,
} from '../../../src/report/partition-state.ts';
import {
  aDefaultPartition,
  anOpaquePartition,
  aPartition,
  aTablePolicy,
  at,
  monthly,
  NOW,
  plusMicroseconds,
} from '../../support/facts.ts';

const AUGUST = aPartition('2026-08-01', '2026-09-01');
const sameFor = (now: Instant) => ({ now, forRetiring: now });
const stateAt = (partition: PartitionFacts, now: Instant, policy: TablePolicy = aTablePolicy()): string =>
  partitionState(partition, tableClock(policy, 'timestamptz', sameFor(now)));

const DAY = 86_400;

describe('the state of a partition', () => {
  // 90 days before 2026-11-30 is 2026-09-01, the upper bound of AUGUST.
  test.each([
    ['a microsecond before it begins', at('2026-08-01'), -1, 'future'],
    ['when it begins', at('2026-08-01'), 0, 'current'],
    ['a microsecond before it ends', at('2026-09-01'), -1, 'current'],
    ['when it ends', at('2026-09-01'), 0, 'past'],
    ['a microsecond before all of it is past its retention', at('2026-11-30'), -1, 'past'],
    ['when all of it is past its retention', at('2026-11-30'), 0, 'expired'],
  ])('%s', (_, moment, microseconds, state) => {
    expect(stateAt(AUGUST, plusMicroseconds(moment, microseconds))).toBe(state);
  });

  test('expiring goes by the clock that retiring goes by', () => {
    const clock = tableClock(aTablePolicy(), 'timestamptz', { now: at('2026-11-30'), forRetiring: at('2026-11-29') });
    expect(partitionState(AUGUST, clock)).toBe('past');
  });

  test('nothing expires that is kept for ever', () => {
    expect(stateAt(AUGUST, at('2036-01-01'), aTablePolicy({ retention: 'forever' }))).toBe('past');
  });

  test.each([
    ['a default partition', aDefaultPartition(), 'default'],
    ['one being detached, whatever its age', { ...AUGUST, isDetachPending: true }, 'detach_pending'],
    ['a bound that is no range of time', anOpaquePartition(), 'unreadable'],
    [
      'a range with an end that cannot be read',
      aPartition('x', '', {
        bound: { kind: 'range', lower: { kind: 'at', at: at('2020-01-01') }, upper: { kind: 'opaque', text: '?' } },
      }),
      'unreadable',
    ],
    ['rows without a beginning', aPartition('MINVALUE', '2026-01-01'), 'expired'],
    ['rows without an end', aPartition('2026-01-01', 'MAXVALUE'), 'current'],
    ['rows without an end, in the future', aPartition('2027-01-01', 'MAXVALUE'), 'future'],
    [
      'an old foreign table, which retention does not apply to',
      aPartition('2020-01-01', '2020-02-01', { kind: 'foreign' }),
      'past',
    ],
  ])('%s', (_, partition, state) => {
    expect(stateAt(partition, NOW)).toBe(state);
  });

  test('every partition has exactly one state', () => {
    const partitions = [...monthly('2026-01', '2027-02'), aDefaultPartition(), anOpaquePartition()];
    const states = partitions.map(partition => stateAt(partition, NOW));
    const counts = PARTITION_STATES.map(state => states.filter(each => each === state).length);
    expect(Object.fromEntries(PARTITION_STATES.map((state, index) => [state, counts[index]]))).toEqual({
      expired: 7,
      past: 3,
      current: 1,
      future: 3,
      default: 1,
      detach_pending: 0,
      unreadable: 1,
    });
  });

  test("a key without a zone is compared with the clock on the wall of the policy's zone", () => {
    const policy = aTablePolicy({ timezone: 'America/New_York' });
    const midnight = aPartition('2026-11-21', '2026-11-22');
    const justAfterMidnightInUtc = at('2026-11-22T00:30:00Z');
    expect(partitionState(midnight, tableClock(policy, 'timestamp', sameFor(justAfterMidnightInUtc)))).toBe('current');
    expect(partitionState(midnight, tableClock(policy, 'timestamptz', sameFor(justAfterMidnightInUtc)))).toBe('past');
  });
});

const end = (
  partitions: readonly PartitionFacts[],
  policy = aTablePolicy(),
  key: 'timestamptz' | 'date' = 'timestamptz',
) => {
  const found = coverageEnd(partitions, policy, key, NOW);
  return found === undefined || found === 'unbounded' ? found : formatInstant(found);
};

describe('the end of the coverage', () => {
  test('is where the run that contains now ends', () => {
    expect(end(monthly('2026-11', '2027-01'))).toBe('2027-02-01T00:00:00Z');
    expect(end([...monthly('2026-11', '2026-12'), aPartition('2027-02-01', '2027-03-01')])).toBe(
      '2027-01-01T00:00:00Z',
    );
    expect(end([...monthly('2026-11', '2026-11'), aPartition('2026-12-01', 'MAXVALUE')])).toBe('unbounded');
    expect(end([...monthly('2026-09', '2026-10'), ...monthly('2026-12', '2027-01')])).toBeUndefined();
  });

  test('is a moment, also where the key is a date on the wall', () => {
    const policy = aTablePolicy({ timezone: 'America/New_York' });
    expect(end(monthly('2026-11', '2026-12'), policy, 'date')).toBe('2027-01-01T05:00:00Z');
  });
});

test('gaps are counted between the oldest and the newest bound', () => {
  expect(countGaps([])).toBe(0);
  expect(countGaps([aDefaultPartition(), aPartition('MINVALUE', 'MAXVALUE')])).toBe(0);
  expect(countGaps(monthly('2026-01', '2026-12'))).toBe(0);
  expect(
    countGaps([...monthly('2026-01', '2026-01'), ...monthly('2026-03', '2026-03'), ...monthly('2026-06', '2026-07')]),
  ).toBe(2);
  expect(countGaps([aPartition('MINVALUE', '2026-01-01'), aPartition('2026-02-01', 'MAXVALUE')])).toBe(1);
});

test('the oldest end is that of the partitions which retention applies to', () => {
  const clock = tableClock(aTablePolicy(), 'timestamptz', sameFor(NOW));
  const pending = aPartition('2026-01-01', '2026-02-01', { isDetachPending: true });
  const foreign = aPartition('2025-01-01', '2025-02-01', { kind: 'foreign' });
  const found = oldestEnd([pending, foreign, aDefaultPartition(), ...monthly('2026-09', '2026-12')], clock);
  expect(found && formatInstant(found)).toBe('2026-10-01T00:00:00Z');
  expect(oldestEnd([aPartition('2026-01-01', 'MAXVALUE')], clock)).toBeUndefined();
});

const lead = (over: Partial<TablePolicy>) => leadTimeSeconds(aTablePolicy(over), 'timestamptz', NOW);

test('the lead time is that of the windows beyond the current one', () => {
  expect(lead({ premake: 2 })).toBe((31 + 31) * DAY);
  expect(lead({ premake: 0 })).toBe(0);
  expect(lead({ interval: 'day', premake: 7 })).toBe(7 * DAY);
});
