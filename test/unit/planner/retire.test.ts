/** Which partitions have expired. What keeps a whole table from being touched, and the calendar, have files of their own. */
import { describe, expect, test } from 'vitest';
import { decodeBound } from '../../../src/catalog/decode-bound.ts';
import type { PartitionFacts } from '../../../src/domain/facts.ts';
import { momentsOf } from '../../../src/domain/moments.ts';
import type { PlanPart, SkipReason } from '../../../src/domain/plan.ts';
import type { TablePolicy } from '../../../src/domain/policy.ts';
import { formatInstant } from '../../../src/domain/time.ts';
import { planRetire } from '../../../src/planner/retire.ts';
import {
  aDefaultPartition,
  anOpaquePartition,
  aPartition,
  aServer,
  aSize,
  aTablePolicy,
  aTimeTable,
  at,
  monthly,
  plusMicroseconds,
} from '../../support/facts.ts';
import { carryOut } from '../../support/imagined-server.ts';
import { codes } from '../../support/plans.ts';

/** What a healthy table has; none of it expires. */
const AHEAD = monthly('2026-11', '2027-01');
/** 90 days before the server's clock. */
const CUTOFF = at('2026-08-23T06:00:00Z');
const server = aServer();

function retireTwice(partitions: readonly PartitionFacts[], policy: Partial<TablePolicy> = {}): PlanPart {
  const table = aTimeTable({ partitions });
  const first = planRetire(table, aTablePolicy(policy), momentsOf(server), server);
  const second = planRetire(carryOut(table, first.actions), aTablePolicy(policy), momentsOf(server), server);
  expect(second.actions, 'what a second plan would still retire').toEqual([]);
  return first;
}

const retired = ({ actions }: PlanPart): readonly string[] => actions.map(({ relation }) => relation.name);
const reasonFor = ({ skips }: PlanPart, { relation }: PartitionFacts): SkipReason | undefined =>
  skips.find(skip => skip.relation === relation)?.reason;

describe('the upper bound decides', () => {
  test.each([
    ['a microsecond before the cutoff', -1, true],
    ['at the cutoff', 0, true],
    ['a microsecond after the cutoff', 1, false],
  ])('%s', (_, microseconds, expired) => {
    const partition = aPartition('2026-08-01', formatInstant(plusMicroseconds(CUTOFF, microseconds)));
    const part = retireTwice([partition, ...AHEAD]);
    expect(retired(part)).toEqual(expired ? [partition.relation.name] : []);
    expect(reasonFor(part, partition)).toBe(expired ? undefined : 'within-retention');
  });

  test('a partition that begins before the cutoff and ends after it is kept', () => {
    const partition = aPartition('2020-01-01', '2026-08-23T06:00:00.000001Z');
    const part = retireTwice([partition, ...AHEAD]);
    expect(part.actions).toEqual([]);
    expect(reasonFor(part, partition)).toBe('within-retention');
  });

  test('a partition made by hand, as wide as years, expires as a whole', () => {
    const partition = aPartition('2019-05-05', '2026-08-20');
    expect(retired(retireTwice([partition, ...AHEAD]))).toEqual([partition.relation.name]);
  });

  test('its name decides nothing', () => {
    const named = (name: string) => ({ relation: { schema: 'unified', name } });
    const old = aPartition('2026-05-01', '2026-06-01', named('event_metric_events_2027_05'));
    const recent = aPartition('2026-10-01', '2026-11-01', named('event_metric_events_2020_01'));
    expect(retired(retireTwice([old, recent, ...AHEAD]))).toEqual(['event_metric_events_2027_05']);
  });

  test('the oldest goes first, whatever the order in the catalog', () => {
    const partitions = monthly('2025-12', '2026-07');
    const part = retireTwice([...AHEAD, ...partitions.toReversed()]);
    expect(retired(part)).toEqual(partitions.map(({ relation }) => relation.name));
  });
});

describe('a partition stays because', () => {
  const partially = (over: Partial<PartitionFacts>) => aPartition('2026-01-01', '2026-02-01', over);
  const decoded = (boundText: string) =>
    partially({
      boundText,
      bound: decodeBound(boundText, { kind: 'time', column: 'occurred_at', type: 'timestamptz' }),
    });

  test.each<[string, PartitionFacts, SkipReason, readonly string[]]>([
    ['its upper bound is inside retention', aPartition('2026-08-01', '2026-09-01'), 'within-retention', []],
    ['it is the default', aDefaultPartition(), 'default-partition', ['DEFAULT_PARTITION']],
    ['its bound is unreadable', anOpaquePartition(), 'unreadable-bound', ['UNREADABLE_BOUND']],
    [
      'its lower bound is unreadable',
      partially({
        bound: { kind: 'range', lower: { kind: 'opaque', text: '?' }, upper: { kind: 'at', at: at('2026-02-01') } },
      }),
      'unreadable-bound',
      ['UNREADABLE_BOUND'],
    ],
    [
      'its upper bound is unreadable',
      partially({
        bound: { kind: 'range', lower: { kind: 'at', at: at('2026-01-01') }, upper: { kind: 'opaque', text: '?' } },
      }),
      'unreadable-bound',
      ['UNREADABLE_BOUND'],
    ],
    [
      'it holds the rows of infinity',
      decoded("FOR VALUES FROM ('infinity') TO (MAXVALUE)"),
      'unreadable-bound',
      ['UNREADABLE_BOUND'],
    ],
    [
      'it holds the rows of minus infinity',
      decoded("FOR VALUES FROM (MINVALUE) TO ('-infinity')"),
      'unreadable-bound',
      ['UNREADABLE_BOUND'],
    ],
    [
      'it has no lower bound, however old its upper one',
      aPartition('MINVALUE', '2026-02-01'),
      'unbounded',
      ['UNBOUNDED_PARTITION'],
    ],
    ['it has no upper bound', aPartition('2027-02-01', 'MAXVALUE'), 'unbounded', ['UNBOUNDED_PARTITION']],
    ['it is a foreign table', partially({ kind: 'foreign' }), 'foreign-table', ['FOREIGN_PARTITION']],
    ['a detach of it was begun', partially({ isDetachPending: true }), 'detach-pending', ['DETACH_PENDING']],
  ])('%s', (_, partition, reason, found) => {
    const [expired] = monthly('2025-12', '2025-12');
    if (expired === undefined) throw new Error('there is no expired partition');
    const part = retireTwice([partition, expired, ...AHEAD]);
    // The others are judged by themselves: the expired one goes, whatever lies beside it.
    expect(retired(part)).toEqual(['event_metric_events_2025_12']);
    expect(reasonFor(part, partition)).toBe(reason);
    expect(codes(part)).toEqual(found);
  });

  test('everything is kept', () => {
    const partitions = [...monthly('2019-01', '2019-12'), aDefaultPartition(), ...AHEAD];
    const part = retireTwice(partitions, { retention: 'forever' });
    expect(part.actions).toEqual([]);
    expect(part.skips.map(({ reason }) => reason)).toEqual(partitions.map(() => 'keep-forever'));
    expect(part.skips[0]?.detail).toBeUndefined();
  });

  test('and the figures behind it are told', () => {
    const partition = aPartition('2026-08-01', '2026-09-01');
    const part = retireTwice([partition, ...AHEAD]);
    expect(part.skips[0]).toEqual({
      job: 'retire',
      target: { schema: 'unified', name: 'event_metric_events' },
      relation: partition.relation,
      reason: 'within-retention',
      detail: 'upper bound 2026-09-01T00:00:00Z, cutoff 2026-08-23T06:00:00Z',
    });
  });

  test('a partition with partitions of its own is retired like any other', () => {
    const partition = partially({ kind: 'partitioned' });
    expect(retired(retireTwice([partition, ...AHEAD]))).toEqual([partition.relation.name]);
  });
});

describe('what is to be done', () => {
  test.each([
    ['drop', 'drop-partition'],
    ['detach', 'detach-partition'],
  ] as const)('is %s: %s, with the evidence and the reason', (retire, kind) => {
    const partition = aPartition('2026-07-01', '2026-08-01', {
      size: aSize({ bytesEstimate: 81_920, rowsEstimate: 1234 }),
    });
    const [action] = retireTwice([partition, ...AHEAD], { retire }).actions;
    expect(action).toEqual({
      kind,
      target: { schema: 'unified', name: 'event_metric_events' },
      relation: partition.relation,
      parent: 10_000,
      partition: partition.oid,
      boundText: partition.boundText,
      window: { lower: at('2026-07-01'), upper: at('2026-08-01') },
      key: { column: 'occurred_at', type: 'timestamptz' },
      from: 'attached',
      // There is no ledger, and without one nothing may be left half done.
      way: 'blocking',
      rowsEstimate: 1234,
      bytesEstimate: 81_920,
      actAs: { owner: 'app_owner', how: 'set-role' },
      because: { rule: 'expired', upper: at('2026-08-01'), cutoff: CUTOFF, retention: '90 days' },
      ...(kind === 'detach-partition' && { dropAfter: undefined }),
    });
  });
});
