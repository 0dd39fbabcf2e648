/** Partitions that do not lie on the grid, or that are not ours to read: around them, every window is still filled. */
import { describe, expect, test } from 'vitest';
import { decodeBound } from '../../../src/catalog/decode-bound.ts';
import type { PartitionFacts } from '../../../src/domain/facts.ts';
import {
  aDefaultPartition,
  anOpaquePartition,
  aPartition,
  aTablePolicy,
  aTimeTable,
  monthly,
} from '../../support/facts.ts';
import { codes, created, provisionTwice, skips, spans } from '../../support/plans.ts';

const ALL = ['2026-11-01 to 2026-12-01', '2026-12-01 to 2027-01-01', '2027-01-01 to 2027-02-01'];
const plan = (...partitions: readonly PartitionFacts[]) => provisionTwice(aTimeTable({ partitions }), aTablePolicy());

describe('a partition made by hand', () => {
  test.each<[string, readonly [string, string], readonly string[], readonly string[]]>([
    [
      'that is wider than the interval covers all its windows',
      ['2026-10-01', '2027-01-01'],
      ['event_metric_events_2027_01: 2027-01-01 to 2027-02-01'],
      ['covered 2026-11-01 to 2026-12-01', 'covered 2026-12-01 to 2027-01-01'],
    ],
    [
      'that begins and ends within windows leaves the rest of both',
      ['2026-11-10', '2026-12-10'],
      [
        'event_metric_events_2026_11: 2026-11-01 to 2026-11-10',
        'event_metric_events_2026_12_from_1210: 2026-12-10 to 2027-01-01',
        'event_metric_events_2027_01: 2027-01-01 to 2027-02-01',
      ],
      [],
    ],
    [
      'that lies in the middle of a window leaves two parts of it',
      ['2026-11-10', '2026-11-20'],
      [
        'event_metric_events_2026_11: 2026-11-01 to 2026-11-10',
        'event_metric_events_2026_11_from_1120: 2026-11-20 to 2026-12-01',
        'event_metric_events_2026_12: 2026-12-01 to 2027-01-01',
        'event_metric_events_2027_01: 2027-01-01 to 2027-02-01',
      ],
      [],
    ],
    [
      'that ends at some time of day',
      ['2026-11-01', '2026-11-10T06:30:00Z'],
      [
        'event_metric_events_2026_11_from_1110t0630: 2026-11-10T06:30:00Z to 2026-12-01',
        'event_metric_events_2026_12: 2026-12-01 to 2027-01-01',
        'event_metric_events_2027_01: 2027-01-01 to 2027-02-01',
      ],
      [],
    ],
    [
      'that ends a microsecond early leaves a microsecond',
      ['2026-11-01', '2026-11-30T23:59:59.999999Z'],
      [
        'event_metric_events_2026_11_from_1130t2359: 2026-11-30T23:59:59.999999Z to 2026-12-01',
        'event_metric_events_2026_12: 2026-12-01 to 2027-01-01',
        'event_metric_events_2027_01: 2027-01-01 to 2027-02-01',
      ],
      [],
    ],
    [
      'that ends a microsecond late takes it from the next window',
      ['2026-11-01', '2026-12-01T00:00:00.000001Z'],
      [
        'event_metric_events_2026_12_from_1201t0000: 2026-12-01T00:00:00.000001Z to 2027-01-01',
        'event_metric_events_2027_01: 2027-01-01 to 2027-02-01',
      ],
      ['covered 2026-11-01 to 2026-12-01'],
    ],
    [
      'that lies beyond the horizon is no reason to fill the time up to it',
      ['2027-06-01', '2027-07-01'],
      [
        'event_metric_events_2026_11: 2026-11-01 to 2026-12-01',
        'event_metric_events_2026_12: 2026-12-01 to 2027-01-01',
        'event_metric_events_2027_01: 2027-01-01 to 2027-02-01',
      ],
      [],
    ],
  ])('%s', (_, [lower, upper], expected, skipped) => {
    const part = plan(aPartition(lower, upper));
    expect(created(part)).toEqual(expected);
    expect(skips(part)).toEqual(skipped);
    expect(codes(part)).toEqual([]);
  });

  test('two parts that begin in the same minute get two names', () => {
    const part = plan(
      aPartition('2026-11-01', '2026-11-10T06:30:10Z'),
      aPartition('2026-11-10T06:30:20Z', '2026-11-10T06:30:30Z'),
      ...monthly('2026-12', '2027-01'),
    );
    expect(created(part)).toEqual([
      'event_metric_events_2026_11_from_1110t0630: 2026-11-10T06:30:10Z to 2026-11-10T06:30:20Z',
      'event_metric_events_2026_11_from_1110t0630_2: 2026-11-10T06:30:30Z to 2026-12-01',
    ]);
    expect(codes(part)).toEqual([]);
  });

  test('of a wide history ends where the grid goes on', () => {
    const part = plan(aPartition('2019-05-05', '2026-10-07'), ...monthly('2026-11', '2027-01'));
    expect(created(part)).toEqual(['event_metric_events_2026_10_from_1007: 2026-10-07 to 2026-11-01']);
  });
});

describe('a partition of another kind', () => {
  test.each<[string, PartitionFacts, readonly string[], readonly string[]]>([
    ['a default partition takes no window', aDefaultPartition(), ALL, ['DEFAULT_PARTITION']],
    ['one of unreadable bounds takes no window', anOpaquePartition(), ALL, ['UNREADABLE_BOUND']],
    [
      'one of half a readable bound takes no window',
      aPartition('2026-11-01', '', {
        bound: { kind: 'range', lower: { kind: 'unbounded' }, upper: { kind: 'opaque', text: '?' } },
      }),
      ALL,
      ['UNREADABLE_BOUND'],
    ],
    [
      'a foreign table takes its window',
      aPartition('2026-11-01', '2026-12-01', { kind: 'foreign' }),
      ALL.slice(1),
      ['FOREIGN_PARTITION'],
    ],
    [
      'a partitioned table takes its window',
      aPartition('2026-11-01', '2026-12-01', { kind: 'partitioned' }),
      ALL.slice(1),
      [],
    ],
    [
      'one without a lower end takes all before',
      aPartition('MINVALUE', '2026-12-01'),
      ALL.slice(1),
      ['UNBOUNDED_PARTITION'],
    ],
    [
      'one without an upper end takes all after',
      aPartition('2026-12-01', 'MAXVALUE'),
      ALL.slice(0, 1),
      ['UNBOUNDED_PARTITION'],
    ],
    ['one without any end takes everything', aPartition('MINVALUE', 'MAXVALUE'), [], ['UNBOUNDED_PARTITION']],
  ])('%s', (_, partition, expected, found) => {
    const part = plan(partition);
    expect(spans(part)).toEqual(expected);
    expect(codes(part)).toEqual(found);
  });

  test.each(["FOR VALUES FROM ('infinity') TO (MAXVALUE)", "FOR VALUES FROM (MINVALUE) TO ('-infinity')"])(
    'one that holds nothing but an infinity covers no window: %s',
    boundText => {
      const bound = decodeBound(boundText, { kind: 'time', column: 'occurred_at', type: 'timestamptz' });
      expect(spans(plan(aPartition('infinite', '', { bound, boundText })))).toEqual(ALL);
    },
  );

  test('a history without a beginning has holes after its end only', () => {
    const part = plan(aPartition('MINVALUE', '2026-10-01'), ...monthly('2026-11', '2027-01'));
    expect(spans(part)).toEqual(['2026-10-01 to 2026-11-01']);
  });

  test('beside a default partition, holes are filled as without', () => {
    const part = plan(aDefaultPartition(), ...monthly('2026-08', '2026-09'), ...monthly('2026-11', '2027-01'));
    expect(spans(part)).toEqual(['2026-10-01 to 2026-11-01']);
  });
});

describe('a partition whose detach was begun', () => {
  const pending = (lower: string, upper: string) => aPartition(lower, upper, { isDetachPending: true });

  test('holds its window, so nothing can be put there, and says that inserts fail', () => {
    const part = plan(pending('2026-11-01', '2026-12-01'), ...monthly('2026-12', '2027-01'));
    expect(created(part)).toEqual([]);
    expect(skips(part)).toEqual([
      'detach-pending 2026-11-01 to 2026-12-01',
      'covered 2026-12-01 to 2027-01-01',
      'covered 2027-01-01 to 2027-02-01',
    ]);
    expect(codes(part)).toEqual(['DETACH_PENDING', 'COVERAGE_BROKEN']);
  });

  test('holds all windows when it has no end', () => {
    const part = plan(pending('2026-11-01', 'MAXVALUE'));
    expect(skips(part).map(line => line.split(' ')[0])).toEqual(['detach-pending', 'detach-pending', 'detach-pending']);
  });

  test('holds a part of its window: the rest is created', () => {
    const part = plan(pending('2026-11-01', '2026-11-10'), ...monthly('2026-12', '2027-01'));
    expect(spans(part)).toEqual(['2026-11-10 to 2026-12-01']);
    expect(codes(part)).toEqual(['DETACH_PENDING']);
  });

  test.each([
    ['touches a window from below', '2026-10-01', '2026-11-01'],
    ['touches a window from above', '2026-12-01', '2027-01-01'],
  ])('does not hold a window that it only %s', (_, lower, upper) => {
    const part = plan(pending(lower, upper), ...monthly('2026-11', '2026-11'));
    expect(skips(part)).toContain('covered 2026-11-01 to 2026-12-01');
  });

  test('in the past is no hole', () => {
    const part = plan(
      ...monthly('2026-09', '2026-09'),
      pending('2026-10-01', '2026-11-01'),
      ...monthly('2026-11', '2027-01'),
    );
    expect(created(part)).toEqual([]);
    expect(codes(part)).toEqual(['DETACH_PENDING']);
  });
});

describe('coverage', () => {
  test.each([
    ['no default', [], 'unified.event_metric_events: no partition covers this moment; inserts beyond it fail'],
    [
      'a default',
      [aDefaultPartition()],
      'unified.event_metric_events: no partition covers this moment; such rows go to the default partition',
    ],
  ])('that stays broken is told with its consequence, given %s', (_, more, message) => {
    const part = plan(aPartition('2026-11-01', '2026-12-01', { isDetachPending: true }), ...more);
    expect(part.findings.filter(({ code }) => code === 'COVERAGE_BROKEN').map(finding => finding.message)).toEqual([
      message,
    ]);
  });

  test('that the plan itself mends is not told', () => {
    expect(codes(plan())).toEqual([]);
  });
});
