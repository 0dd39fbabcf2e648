/** What the status says of tables: every state of a partition, what is missing, what is planned, what is on its way out. */
import { describe, expect, test } from 'vitest';
import type { PartitionedTableFacts } from '../../../src/domain/facts.ts';
import type { TablePolicy } from '../../../src/domain/policy.ts';
import type { RetirementFacts } from '../../../src/domain/retirement.ts';
import { statusSchema, type TableStatus } from '../../../src/status/document.ts';
import {
  aDefaultPartition,
  anOpaquePartition,
  aPartition,
  aRange,
  aSize,
  aTable,
  aTablePolicy,
  at,
  monthly,
  relation,
  someFacts,
} from '../../support/facts.ts';
import { statusOf } from '../../support/status.ts';

function tableOf(
  over: Partial<PartitionedTableFacts>,
  policy: Partial<TablePolicy> = {},
  retirements: readonly RetirementFacts[] = [],
): TableStatus {
  const ledger = { pinned: undefined, accepted: new Map(), retirements: new Map([[10_000, retirements]]) };
  const status = statusOf({
    facts: someFacts({ tables: [aTable(over)], ledger }),
    policies: { tables: [aTablePolicy(policy)], views: [] },
  });
  const [table] = statusSchema.parse(JSON.parse(JSON.stringify(status))).tables;
  if (!table) throw new Error('no table');
  return table;
}

const states = ({ partitions }: TableStatus): readonly string[] =>
  partitions.map(({ name, state }) => `${name.replace('unified.event_metric_events_', '')} ${state}`);

test('partitions are told oldest first with their states, and those without a place in time last', () => {
  const table = tableOf({
    partitions: [
      aDefaultPartition(),
      ...monthly('2026-07', '2026-12'),
      anOpaquePartition(),
      aPartition('2026-06-01', '2026-07-01', { isDetachPending: true }),
      aPartition('MINVALUE', '2026-06-01'),
    ],
  });
  expect(states(table)).toEqual([
    'minvalue expired',
    '2026_06_01 detach_pending',
    '2026_07 expired',
    '2026_08 past',
    '2026_09 past',
    '2026_10 past',
    '2026_11 current',
    '2026_12 future',
    'default default',
    'opaque unreadable',
  ]);
  expect(table.partitions[0]).toMatchObject({ from: null, to: '2026-06-01T00:00:00Z' });
  expect(table).toMatchObject({ now: '2026-11-21T06:00:00Z', cutoff: '2026-08-23T06:00:00Z' });
});

test('bounds of a key without a zone have none, and lie on the wall clock of the policy', () => {
  const table = tableOf(
    { key: { kind: 'time', column: 'day', type: 'date' }, partitions: monthly('2026-11', '2026-12') },
    { timezone: 'Asia/Tokyo', retention: 'forever' },
  );
  expect(table.partitions[0]).toMatchObject({ from: '2026-11-01T00:00:00', to: '2026-12-01T00:00:00' });
  expect(table).toMatchObject({ now: '2026-11-21T15:00:00', cutoff: null, policy: { retention: 'forever' } });
  // A moment, for it is one: midnight in Tokyo.
  expect(table.coveredUntil).toBe('2026-12-31T15:00:00Z');
});

describe('what is missing', () => {
  test('between partitions is a gap, which the plan fills, beside those to come', () => {
    const table = tableOf({ partitions: [...monthly('2026-09', '2026-09'), ...monthly('2026-11', '2026-12')] });
    expect(table.gaps).toEqual([{ from: '2026-10-01T00:00:00Z', to: '2026-11-01T00:00:00Z' }]);
    expect(table.planned.map(({ from }) => from)).toEqual(['2027-01-01T00:00:00Z', '2026-10-01T00:00:00Z']);
    expect(table.coveredUntil).toBe('2027-01-01T00:00:00Z');
  });

  test('up to now, after partitions that are all past, is a gap as well', () => {
    const table = tableOf({ partitions: monthly('2026-09', '2026-10') });
    expect(table.gaps).toEqual([{ from: '2026-11-01T00:00:00Z', to: '2026-11-21T06:00:00Z' }]);
    expect(table.coveredUntil).toBeNull();
  });

  test('is nothing where a partition has no end', () => {
    const table = tableOf({ partitions: [aPartition('2026-09-01', 'MAXVALUE')] });
    expect(table).toMatchObject({ gaps: [], planned: [], coveredUntil: 'unbounded' });
  });
});

test('sizes and rows add up, without those that nobody has counted', () => {
  const partitions = [
    aPartition('2026-11-01', '2026-12-01', { size: aSize({ bytesEstimate: 5_000, rowsEstimate: 7 }) }),
    aPartition('2026-12-01', '2027-01-01', { size: aSize({ bytesEstimate: 1_000, rowsEstimate: undefined }) }),
  ];
  const table = tableOf({ partitions });
  expect(table).toMatchObject({ bytes: 6_000, rows: 7 });
  expect(table.partitions[1]).toMatchObject({ bytes: 1_000, rows: null });
});

test('a retirement is told with its end, and one whose table is gone without a size', () => {
  const retirement: RetirementFacts = {
    partition: 7,
    recorded: relation('unified.old_name'),
    boundText: '',
    bound: aRange('2026-05-01', '2026-06-01'),
    state: 'detached',
    intendedAt: at('2026-11-01'),
    askedAt: undefined,
    dropAfter: at('2026-12-01'),
    found: {
      relation: relation('unified.new_name'),
      parent: undefined,
      isPending: false,
      size: { rowsEstimate: 1, bytesEstimate: 9 },
    },
  };
  const { retirements } = tableOf({ partitions: monthly('2026-09', '2027-01') }, {}, [
    retirement,
    { ...retirement, partition: 8, found: undefined, dropAfter: undefined },
  ]);
  expect(retirements).toEqual([
    {
      name: 'unified.new_name',
      state: 'detached',
      from: '2026-05-01T00:00:00Z',
      to: '2026-06-01T00:00:00Z',
      intendedAt: '2026-11-01T00:00:00Z',
      dropAfter: '2026-12-01T00:00:00Z',
      bytes: 9,
    },
    expect.objectContaining({ name: 'unified.old_name', dropAfter: null, bytes: null }),
  ]);
});

test('a table that is not there, or has no key of time, says why', () => {
  const facts = someFacts({
    missing: [{ relation: relation('unified.event_metric_events'), reason: 'not-partitioned' }],
  });
  expect(statusOf({ facts }).tables[0]).toMatchObject({ problem: 'It is not a partitioned table.', partitions: [] });
  expect(tableOf({ key: { kind: 'unsupported', because: 'it is a list' } })).toMatchObject({
    problem: 'it is a list',
    key: null,
  });
});
