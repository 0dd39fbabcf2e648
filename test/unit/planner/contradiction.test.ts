import { describe, expect, test } from 'vitest';
import type { PartitionFacts } from '../../../src/domain/facts.ts';
import type { Interval } from '../../../src/domain/interval.ts';
import type { TablePolicy } from '../../../src/domain/policy.ts';
import { findContradiction } from '../../../src/planner/contradiction.ts';
import { planProvision } from '../../../src/planner/provision.ts';
import {
  aDefaultPartition,
  aPartition,
  aServer,
  aTablePolicy,
  aTimeTable,
  at,
  monthly,
  NOW,
} from '../../support/facts.ts';
import { carryOut } from '../../support/imagined-server.ts';
import { codes, provisionTwice, rules, skips, spans } from '../../support/plans.ts';

/** One partition a day, the first for `first`, the last one ending at `end`. */
function daily(first: string, end: string): readonly PartitionFacts[] {
  const partitions: PartitionFacts[] = [];
  for (let lower = at(first); lower.epochNanoseconds < at(end).epochNanoseconds; lower = lower.add({ hours: 24 }))
    partitions.push(aPartition(lower.toString(), lower.add({ hours: 24 }).toString()));
  return partitions;
}

const contradiction = (partitions: readonly PartitionFacts[], policy: Partial<TablePolicy> = {}) =>
  findContradiction(aTimeTable({ partitions }), aTablePolicy(policy));

describe('partitions contradict the configured interval', () => {
  test.each<[string, readonly PartitionFacts[], Partial<TablePolicy>, Interval | undefined]>([
    ['days where months are wanted', daily('2026-11-01', '2026-12-01'), {}, 'day'],
    ['months where days are wanted', monthly('2026-08', '2026-12'), { interval: 'day' }, 'month'],
    ['months where quarters are wanted', monthly('2026-08', '2026-12'), { interval: 'quarter' }, 'month'],
    ['two are enough', daily('2026-11-01', '2026-11-03'), {}, 'day'],
    [
      'months of UTC where Berlin’s are wanted',
      monthly('2026-08', '2026-12'),
      { timezone: 'Europe/Berlin' },
      undefined,
    ],
    [
      'days and weeks where months are wanted',
      [...daily('2026-11-01', '2026-11-09'), aPartition('2026-11-09', '2026-11-16')],
      {},
      undefined,
    ],
    [
      'ranges of no interval at all',
      [aPartition('2026-01-01', '2026-01-11'), aPartition('2026-01-11', '2026-01-21')],
      {},
      undefined,
    ],
    [
      'months off by a microsecond',
      [
        aPartition('2026-01-01T00:00:00.000001Z', '2026-02-01'),
        aPartition('2026-02-01', '2026-03-01T00:00:00.000001Z'),
      ],
      {},
      undefined,
    ],
  ])('%s', (_, partitions, policy, actual) => {
    expect(contradiction(partitions, policy)).toEqual({ actual, partitions: partitions.length });
  });

  test.each<[string, readonly PartitionFacts[], Partial<TablePolicy>]>([
    ['there are none', [], {}],
    ['there is one, such as a history made of a plain table', [aPartition('2019-05-05', '2026-11-01')], {}],
    [
      'one of them has the configured width',
      [...daily('2026-10-01', '2026-11-01'), ...monthly('2026-11', '2026-11')],
      {},
    ],
    [
      'the others have no two readable bounds',
      [aPartition('MINVALUE', '2026-11-01'), ...daily('2026-11-01', '2026-11-02'), aDefaultPartition()],
      {},
    ],
    [
      'a quarter is also three months, but is wanted as a quarter',
      [aPartition('2026-01-01', '2026-04-01'), aPartition('2026-04-01', '2026-07-01')],
      { interval: 'quarter' },
    ],
  ])('unless %s', (_, partitions, policy) => {
    expect(contradiction(partitions, policy)).toBeUndefined();
  });

  test('readings of a wall clock follow the same grid in every zone', () => {
    const table = aTimeTable({ partitions: monthly('2026-08', '2026-12') }, 'timestamp');
    expect(findContradiction(table, aTablePolicy({ timezone: 'Europe/Berlin' }))).toBeUndefined();
  });
});

describe('on contradicting partitions nothing is built', () => {
  const table = aTimeTable({ partitions: daily('2026-11-01', '2026-11-24') });

  test('as long as they cover the next day', () => {
    const part = provisionTwice(table, aTablePolicy());
    expect(part.actions).toEqual([]);
    expect(skips(part)).toEqual([
      'interval-contradicted 2026-11-24 to 2026-12-01',
      'interval-contradicted 2026-12-01 to 2027-01-01',
      'interval-contradicted 2027-01-01 to 2027-02-01',
    ]);
    expect(codes(part)).toEqual(['INTERVAL_CONTRADICTED', 'COVERAGE_BROKEN']);
  });

  test('and both ways out are named', () => {
    const [finding] = planProvision(table, aTablePolicy(), NOW, aServer()).findings;
    expect(finding).toMatchObject({
      message:
        'unified.event_metric_events: interval is month, but its 23 partitions each cover one day; no further partitions are made',
      hint: 'Set interval: day, or create the first partition of the new interval by hand if you mean to change it.',
    });
  });

  test('and where they have no interval, what to look at is named', () => {
    const partitions = monthly('2026-08', '2027-03');
    const [finding] = planProvision(
      aTimeTable({ partitions }),
      aTablePolicy({ timezone: 'Europe/Berlin' }),
      NOW,
      aServer(),
    ).findings;
    expect(finding).toMatchObject({
      code: 'INTERVAL_CONTRADICTED',
      message:
        'unified.event_metric_events: interval is month, but its 8 partitions do not follow the grid of any month in Europe/Berlin; no further partitions are made',
      hint: 'Check interval and timezone, or create the first partition of this interval by hand if you mean to change it.',
    });
  });

  test('not in holes of the past either: a month put there would be taken for consent', () => {
    const partitions = [
      ...daily('2026-08-30', '2026-09-01'),
      ...daily('2026-10-01', '2026-12-01'),
      ...daily('2026-12-01', '2027-02-01'),
    ];
    const part = provisionTwice(aTimeTable({ partitions }), aTablePolicy());
    expect(part.actions).toEqual([]);
    expect(skips(part)).toContain('interval-contradicted 2026-09-01 to 2026-10-01');
  });

  test('nor in the part of the current window that is over', () => {
    const part = provisionTwice(aTimeTable({ partitions: daily('2026-11-10', '2027-02-01') }), aTablePolicy());
    expect(part.actions).toEqual([]);
    expect(skips(part)).toContain('interval-contradicted 2026-11-01 to 2026-11-10');
  });

  test('while without a contradiction both would be filled', () => {
    const partitions = [
      ...daily('2026-08-30', '2026-09-01'),
      ...daily('2026-10-01', '2026-10-31'),
      ...monthly('2026-11', '2027-01'),
    ];
    expect(spans(provisionTwice(aTimeTable({ partitions }), aTablePolicy()))).toEqual([
      '2026-09-01 to 2026-10-01',
      '2026-10-31 to 2026-11-01',
    ]);
  });
});

describe('but inserts must not fail', () => {
  test('what they need within a day is created', () => {
    const part = provisionTwice(aTimeTable({ partitions: daily('2026-11-01', '2026-11-21') }), aTablePolicy());
    expect(spans(part)).toEqual(['2026-11-21 to 2026-12-01']);
    expect(rules(part)).toEqual(['current-window']);
    expect(skips(part)).toContain('interval-contradicted 2026-12-01 to 2027-01-01');
    expect(codes(part)).toEqual(['INTERVAL_CONTRADICTED', 'COVERAGE_BROKEN']);
    expect(part.findings[0]?.message).toContain(
      '; no further partitions are made beyond those that inserts need within a day',
    );
  });

  test.each([
    ['a microsecond before a day from now', '2026-11-22T05:59:59.999999Z', true],
    ['a day from now', '2026-11-22T06:00:00Z', false],
    ['a microsecond after', '2026-11-22T06:00:00.000001Z', false],
  ])('the partitions end %s', (_, end, isCreated) => {
    const partitions = [...daily('2026-11-01', '2026-11-22'), aPartition('2026-11-22', end)];
    expect(spans(provisionTwice(aTimeTable({ partitions }), aTablePolicy()))).toEqual(
      isCreated ? [`${end} to 2026-12-01`] : [],
    );
  });

  test('a hole that ends now is over, one that ends a microsecond later is not', () => {
    const around = (end: string) =>
      aTimeTable({
        partitions: [
          ...daily('2026-11-01', '2026-11-21'),
          aPartition(end, '2026-11-22'),
          ...daily('2026-11-22', '2027-02-01'),
        ],
      });
    expect(spans(provisionTwice(around('2026-11-21T06:00:00Z'), aTablePolicy()))).toEqual([]);
    expect(spans(provisionTwice(around('2026-11-21T06:00:00.000001Z'), aTablePolicy()))).toEqual([
      '2026-11-21 to 2026-11-21T06:00:00.000001Z',
    ]);
  });

  test('a whole window created in need ends the contradiction: the next plan goes on in the configured interval', () => {
    const table = aTimeTable({ partitions: daily('2026-10-01', '2026-11-01') });
    const first = planProvision(table, aTablePolicy(), NOW, aServer());
    expect(spans(first)).toEqual(['2026-11-01 to 2026-12-01']);
    const second = provisionTwice(carryOut(table, first.actions), aTablePolicy());
    expect(spans(second)).toEqual(['2026-12-01 to 2027-01-01', '2027-01-01 to 2027-02-01']);
    expect(codes(second)).toEqual([]);
  });
});
