import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import type { Metrics } from '../../../src/report/metrics.ts';
import {
  aDefaultPartition,
  aPartition,
  aServer,
  aSize,
  aTable,
  at,
  aView,
  monthly,
  NOW,
  someFacts,
} from '../../support/facts.ts';
import { TABLE, VIEW } from './examples.ts';
import { DAY, ON_TABLE, ON_VIEW, scrape, seconds, someMetrics } from './scrape.ts';

const observe = async (metrics: Metrics, partitions = monthly('2026-06', '2027-01'), now = NOW) => {
  const tables = [aTable({ partitions })];
  const facts = someFacts({ server: aServer({ databaseNow: now }), tables, views: [aView()] });
  metrics.emit({ kind: 'observed', facts, durationMs: 250 });
  return scrape(metrics);
};

const own = (series: ReadonlyMap<string, number>) => [...series].filter(([name]) => name.startsWith('partkeeper_'));

describe('facts', () => {
  test('tell the states of partitions, their size and their rows', async () => {
    const size = aSize({ bytesEstimate: 1_000, rowsEstimate: undefined });
    const partitions = [
      ...monthly('2026-06', '2027-01'),
      aDefaultPartition({ size }),
      aPartition('2025-01-01', '2025-02-01', { isDetachPending: true }),
    ];
    const series = await observe(someMetrics(), partitions);
    const states = ['expired', 'past', 'current', 'future', 'default', 'detach_pending', 'unreadable'];
    expect(states.map(state => series.get(`partkeeper_partitions{${ON_TABLE},state="${state}"}`))).toEqual([
      2, 3, 1, 2, 1, 1, 0,
    ]);
    expect(series.get(`partkeeper_partition_size_bytes{${ON_TABLE}}`)).toBe(9 * 8192 + 1_000);
    expect(series.get(`partkeeper_partition_rows_estimate{${ON_TABLE}}`)).toBe(900);
  });

  test('tell how far the coverage reaches and what the policy asks for', async () => {
    const metrics = someMetrics();
    const series = await observe(metrics);
    expect(series.get(`partkeeper_partition_coverage_end_timestamp_seconds{${ON_TABLE}}`)).toBe(seconds('2027-02-01'));
    expect(series.get(`partkeeper_partition_coverage_policy_seconds{${ON_TABLE}}`)).toBe(62 * DAY);
    expect(series.get(`partkeeper_partition_coverage_gaps{${ON_TABLE}}`)).toBe(0);

    const broken = await observe(metrics, [...monthly('2026-09', '2026-10'), ...monthly('2026-12', '2027-01')]);
    expect(broken.get(`partkeeper_partition_coverage_end_timestamp_seconds{${ON_TABLE}}`)).toBe(0);
    expect(broken.get(`partkeeper_partition_coverage_gaps{${ON_TABLE}}`)).toBe(1);

    const endless = await observe(metrics, [aPartition('2026-11-01', 'MAXVALUE')]);
    expect(endless.get(`partkeeper_partition_coverage_end_timestamp_seconds{${ON_TABLE}}`)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test('tell how far retention lags behind', async () => {
    const metrics = someMetrics();
    const series = await observe(metrics);
    // The cutoff is 2026-08-23T06:00Z, the oldest partition ends on 2026-07-01.
    expect(series.get(`partkeeper_retention_lag_seconds{${ON_TABLE}}`)).toBe(53.25 * DAY);
    expect(series.get(`partkeeper_retention_policy_seconds{${ON_TABLE}}`)).toBe(90 * DAY);
    expect(series.get(`partkeeper_retention_oldest_partition_end_timestamp_seconds{${ON_TABLE}}`)).toBe(
      seconds('2026-07-01'),
    );

    const timely = await observe(metrics, monthly('2026-08', '2027-01'));
    expect(timely.get(`partkeeper_retention_lag_seconds{${ON_TABLE}}`)).toBe(0);
    const boundary = await observe(metrics, monthly('2026-08', '2027-01'), at('2026-11-30T00:00:00.000001Z'));
    expect(boundary.get(`partkeeper_retention_lag_seconds{${ON_TABLE}}`)).toBe(0.000001);
  });

  test('tell about the server, and forget its former version', async () => {
    const metrics = someMetrics();
    await observe(metrics);
    const server = aServer({ version: '18.4', isReadOnly: true, processNow: at('2026-11-21T05:59:58.5Z') });
    metrics.emit({ kind: 'observed', facts: someFacts({ server }), durationMs: 80 });
    const series = await scrape(metrics);
    expect([...series.keys()].filter(key => key.startsWith('partkeeper_database_info'))).toEqual([
      'partkeeper_database_info{server_version="18.4"}',
    ]);
    expect(series.get('partkeeper_database_up')).toBe(1);
    expect(series.get('partkeeper_database_writable')).toBe(0);
    expect(series.get('partkeeper_database_clock_offset_seconds')).toBe(1.5);
    expect(series.get('partkeeper_collector_duration_seconds{collector="inventory"}')).toBe(0.08);
    expect(series.get('partkeeper_collector_last_success_timestamp_seconds{collector="inventory"}')).toBe(
      server.processNow.epochMilliseconds / 1000,
    );
    // Facts without the table say nothing about the table.
    expect(series.get(`partkeeper_partition_coverage_end_timestamp_seconds{${ON_TABLE}}`)).toBe(seconds('2027-02-01'));
  });

  test('about a table that is gone end its coverage', async () => {
    const metrics = someMetrics();
    await observe(metrics);
    const missing = [TABLE, VIEW].map(name => ({ relation: name, reason: 'absent' as const }));
    metrics.emit({ kind: 'observed', facts: someFacts({ missing }), durationMs: 80 });
    const series = await scrape(metrics);
    expect(series.get(`partkeeper_partition_coverage_end_timestamp_seconds{${ON_TABLE}}`)).toBe(0);
    expect(series.get(`partkeeper_partitions{${ON_TABLE},state="current"}`)).toBe(0);
    expect(series.get(`partkeeper_matview_populated{${ON_VIEW}}`)).toBe(0);
  });

  test.each([
    ['CONNECTION_FAILED', 0],
    ['RESOURCES_EXHAUSTED', 0],
    ['PERMISSION_DENIED', 1],
    ['UNEXPECTED', 1],
  ] as const)('that cannot be read for %s leave the values as they were; database_up is %i', async (code, up) => {
    const metrics = someMetrics();
    await observe(metrics);
    metrics.emit({ kind: 'observation-failed', error: new MaintenanceError(code, 'read facts'), durationMs: 5_000 });
    const series = await scrape(metrics);
    expect(series.get('partkeeper_database_up')).toBe(up);
    expect(series.get('partkeeper_collector_success{collector="inventory"}')).toBe(0);
    expect(series.get('partkeeper_collector_duration_seconds{collector="inventory"}')).toBe(5);
    expect(series.get('partkeeper_collector_last_success_timestamp_seconds{collector="inventory"}')).toBe(
      NOW.epochMilliseconds / 1000,
    );
    expect(series.get(`partkeeper_partitions{${ON_TABLE},state="current"}`)).toBe(1);
  });

  test('that are not read because we stop leave everything as it was', async () => {
    const metrics = someMetrics();
    const before = await observe(metrics);
    metrics.emit({ kind: 'observation-failed', error: new MaintenanceError('CANCELLED', 'read facts'), durationMs: 5 });
    const after = await scrape(metrics);
    expect(own(after)).toEqual(own(before));
  });
});
