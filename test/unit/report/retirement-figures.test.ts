import { describe, expect, test } from 'vitest';
import type { LedgerFacts, RetirementFacts } from '../../../src/domain/retirement.ts';
import type { Metrics } from '../../../src/report/metrics.ts';
import {
  aDefaultPartition,
  aPartition,
  aServer,
  aSize,
  aTable,
  at,
  monthly,
  relation,
  someFacts,
} from '../../support/facts.ts';
import { aRun, finished, TABLE } from './examples.ts';
import { ON_TABLE, scrape, seconds, someMetrics } from './scrape.ts';

const FEBRUARY = relation('unified.event_metric_events_2026_02');

const FOUND = {
  relation: FEBRUARY,
  parent: undefined,
  isPending: false,
  size: { rowsEstimate: 1, bytesEstimate: 1_000 },
};

const aRetirement = (over: Partial<RetirementFacts> = {}): RetirementFacts => ({
  partition: 20_000,
  recorded: FEBRUARY,
  boundText: "FOR VALUES FROM ('2026-02-01 00:00:00+00') TO ('2026-03-01 00:00:00+00')",
  bound: aPartition('2026-02-01', '2026-03-01').bound,
  state: 'detached',
  intendedAt: at('2026-11-20'),
  askedAt: undefined,
  dropAfter: undefined,
  found: FOUND,
  ...over,
});

const ledgerOf = (retirements: readonly RetirementFacts[]): LedgerFacts => ({
  pinned: undefined,
  accepted: new Map(),
  retirements: new Map([[aTable().oid, retirements]]),
});

const look = (
  metrics: Metrics,
  ledger: LedgerFacts | undefined,
  more: Parameters<typeof aTable>[0] = {},
  now = '2026-11-21',
) => {
  const server = aServer({ databaseNow: at(now) });
  metrics.emit({ kind: 'observed', facts: someFacts({ server, tables: [aTable(more)], ledger }), durationMs: 1 });
  return scrape(metrics);
};

describe('what is on its way out', () => {
  test('is counted by state, with its size and the end of the first grace, and is 0 when it is over', async () => {
    const metrics = someMetrics();
    const series = await look(
      metrics,
      ledgerOf([
        aRetirement({ dropAfter: at('2026-11-28') }),
        aRetirement({ partition: 2, dropAfter: at('2026-11-25') }),
        aRetirement({ partition: 3, state: 'kept' }),
        aRetirement({ partition: 4, state: 'kept', found: undefined }),
        aRetirement({ partition: 5, state: 'restoring' }),
        // A partition again, and counted among those.
        aRetirement({ partition: 6, state: 'restored', found: { ...FOUND, parent: aTable().oid } }),
      ]),
    );
    const states = ['intended', 'detached', 'kept', 'restoring', 'restored'];
    expect(states.map(state => series.get(`partkeeper_retirements{${ON_TABLE},state="${state}"}`))).toEqual([
      0, 2, 2, 1, 1,
    ]);
    expect(series.get(`partkeeper_retirement_size_bytes{${ON_TABLE}}`)).toBe(4_000);
    expect(series.get(`partkeeper_retirement_next_drop_timestamp_seconds{${ON_TABLE}}`)).toBe(seconds('2026-11-25'));

    const over = await look(metrics, ledgerOf([]));
    expect(over.get(`partkeeper_retirements{${ON_TABLE},state="detached"}`)).toBe(0);
    expect(over.get(`partkeeper_retirement_size_bytes{${ON_TABLE}}`)).toBe(0);
    expect(over.get(`partkeeper_retirement_next_drop_timestamp_seconds{${ON_TABLE}}`)).toBe(0);
  });

  test('is unknown without a ledger', async () => {
    const series = await look(someMetrics(), undefined);
    expect([...series.keys()].filter(key => key.startsWith('partkeeper_retirement'))).toEqual([]);
  });

  test('the size of what has expired and is still attached is told', async () => {
    const size = aSize({ bytesEstimate: 700 });
    const partitions = [aPartition('2025-01-01', '2025-02-01', { size }), ...monthly('2026-10', '2027-01')];
    const series = await look(someMetrics(), undefined, { partitions });
    expect(series.get(`partkeeper_retention_expired_bytes{${ON_TABLE}}`)).toBe(700);
  });
});

const PENDING = `partkeeper_partition_detach_pending_since_timestamp_seconds{${ON_TABLE}}`;

describe('a detach that is pending', () => {
  const pending = aPartition('2026-02-01', '2026-03-01', { oid: 20_000, isDetachPending: true });

  test('is so since it was put on record', async () => {
    const intended = aRetirement({ state: 'intended', intendedAt: at('2026-11-19') });
    const series = await look(someMetrics(), ledgerOf([intended]), { partitions: [pending] });
    expect(series.get(PENDING)).toBe(seconds('2026-11-19'));
  });

  test('and not ours is so since it was seen first, until it is gone or another one is', async () => {
    const metrics = someMetrics();
    const at21 = await look(metrics, undefined, { partitions: [pending] }, '2026-11-21');
    expect(at21.get(PENDING)).toBe(seconds('2026-11-21'));
    const at22 = await look(metrics, undefined, { partitions: [pending] }, '2026-11-22');
    expect(at22.get(PENDING)).toBe(seconds('2026-11-21'));
    const another = await look(metrics, undefined, { partitions: [{ ...pending, oid: 20_001 }] }, '2026-11-23');
    expect(another.get(PENDING)).toBe(seconds('2026-11-23'));
    const gone = await look(metrics, undefined, {}, '2026-11-24');
    expect(gone.get(PENDING)).toBe(0);
  });
});

test('the default partition has a size and rows, and 0 of both where there is none', async () => {
  const metrics = someMetrics();
  const size = aSize({ bytesEstimate: 5_000, rowsEstimate: 42 });
  const partitions = [...monthly('2026-10', '2027-01'), aDefaultPartition({ size })];
  const figures = (series: ReadonlyMap<string, number>) =>
    ['size_bytes', 'rows_estimate'].map(what => series.get(`partkeeper_partition_default_${what}{${ON_TABLE}}`));
  expect(figures(await look(metrics, undefined, { partitions }))).toEqual([5_000, 42]);
  expect(figures(await look(metrics, undefined))).toEqual([0, 0]);
});

test('runs that a guard holds back are counted once each, by guard, and ordinary skips are not', async () => {
  const metrics = someMetrics();
  const stops = async (reason: string) =>
    (await scrape(metrics)).get(`partkeeper_retention_safety_stops_total{${ON_TABLE},reason="${reason}"}`);
  expect(await stops('clock-skew')).toBe(0);
  const skip = (reason: 'clock-skew' | 'within-retention') =>
    ({ job: 'retire', target: TABLE, relation: FEBRUARY, reason }) as const;
  const run = aRun({ job: 'retire' });
  metrics.emit(finished({ run, skips: [skip('clock-skew'), skip('clock-skew'), skip('within-retention')] }));
  metrics.emit(finished({ skips: [{ ...skip('clock-skew'), job: 'provision' }] }));
  expect(await stops('clock-skew')).toBe(1);
  expect(await stops('max-per-run')).toBe(0);
  expect(await stops('within-retention')).toBeUndefined();
});
