/** What a reload does to the metrics: series of what is gone go, new ones begin, and what goes on keeps its values. */
import { expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { finding } from '../../../src/domain/findings.ts';
import type { TablePolicy } from '../../../src/domain/policy.ts';
import type { Event } from '../../../src/report/events.ts';
import { aTable, aTablePolicy, at, aViewPolicy, NOW, someFacts } from '../../support/facts.ts';
import { aRun, finished, TABLE } from './examples.ts';
import { ON_TABLE, ON_VIEW, scrape, seconds, someMetrics } from './scrape.ts';

const OTHER = { schema: 'unified', name: 'other' };
const LEDGER = aTablePolicy({ relation: { schema: 'partkeeper', name: 'runs' } });
const A_FINDING = finding('READ_ONLY', TABLE, 'standby', 'point at the primary');
const ON_OTHER = 'target="unified.other"';

const loaded = (
  tables: readonly TablePolicy[],
  how: 'start' | 'reload' = 'reload',
): Extract<Event, { kind: 'config-loaded' }> => ({
  kind: 'config-loaded',
  how,
  at: NOW,
  origin: 'partkeeper.yaml',
  hash: how === 'start' ? 'aaaaaaaaaaaa' : 'bbbbbbbbbbbb',
  tables,
  views: [aViewPolicy()],
  ledgerTables: [LEDGER],
  changes: [],
});

const of = (series: ReadonlyMap<string, number>, labels: string): readonly string[] =>
  [...series.keys()].filter(key => key.includes(labels));

test('the start is in force, and no reload', async () => {
  const metrics = someMetrics();
  metrics.emit(loaded([aTablePolicy()], 'start'));
  const series = await scrape(metrics);
  expect(series.get('partkeeper_config_info{hash="aaaaaaaaaaaa"}')).toBe(1);
  expect(series.get('partkeeper_config_last_reload_success')).toBe(1);
  expect(series.get('partkeeper_config_last_reload_success_timestamp_seconds')).toBe(NOW.epochMilliseconds / 1000);
  for (const outcome of ['success', 'failure'])
    expect(series.get(`partkeeper_config_reloads_total{outcome="${outcome}"}`)).toBe(0);
});

test('one that was refused shows until one was not', async () => {
  const metrics = someMetrics();
  metrics.emit(loaded([aTablePolicy()], 'start'));
  metrics.emit({ kind: 'reload-failed', error: new MaintenanceError('CONFIG_INVALID', 'no') });
  const refused = await scrape(metrics);
  expect(refused.get('partkeeper_config_last_reload_success')).toBe(0);
  expect(refused.get('partkeeper_config_reloads_total{outcome="failure"}')).toBe(1);
  expect(refused.get('partkeeper_config_info{hash="aaaaaaaaaaaa"}')).toBe(1);
  metrics.emit(loaded([aTablePolicy()]));
  const mended = await scrape(metrics);
  expect(mended.get('partkeeper_config_last_reload_success')).toBe(1);
  expect(mended.get('partkeeper_config_reloads_total{outcome="success"}')).toBe(1);
  expect(of(mended, 'partkeeper_config_info')).toEqual(['partkeeper_config_info{hash="bbbbbbbbbbbb"}']);
});

test('of a table that is gone nothing is left, also when a run of it ends later; of a new one there are series at 0', async () => {
  const metrics = someMetrics();
  metrics.emit({ kind: 'observed', facts: someFacts({ tables: [aTable()] }), durationMs: 1 });
  metrics.emit(finished({ findings: [A_FINDING] }));
  metrics.emit({ kind: 'run-started', run: aRun({ runId: 'late' }), at: NOW });
  expect(of(await scrape(metrics), ON_TABLE).length).toBeGreaterThan(15);

  metrics.emit(loaded([aTablePolicy({ relation: OTHER })]));
  metrics.emit(finished({ run: aRun({ runId: 'late' }), findings: [A_FINDING] }));
  metrics.emit({ kind: 'observed', facts: someFacts({ tables: [aTable()] }), durationMs: 1 });
  const series = await scrape(metrics);
  expect(of(series, ON_TABLE)).toEqual([]);
  expect(series.get('partkeeper_runs_in_progress{operation="provision"}')).toBe(0);
  expect(series.get('partkeeper_runs_total{operation="provision",trigger="schedule",outcome="success"}')).toBe(2);
  expect(series.get(`partkeeper_run_last_success_timestamp_seconds{${ON_OTHER},operation="provision"}`)).toBe(0);
  expect(series.get(`partkeeper_partition_changes_total{${ON_OTHER},action="drop"}`)).toBe(0);
  expect(series.get(`partkeeper_matview_data_timestamp_seconds{${ON_VIEW}}`)).toBe(0);

  // Back again, it begins anew.
  metrics.emit(loaded([aTablePolicy()]));
  metrics.emit({ kind: 'observed', facts: someFacts({ tables: [aTable()] }), durationMs: 1 });
  const back = await scrape(metrics);
  expect(of(back, ON_OTHER)).toEqual([]);
  expect(back.get(`partkeeper_run_last_success_timestamp_seconds{${ON_TABLE},operation="provision"}`)).toBe(0);
  expect(back.has(`partkeeper_partition_coverage_end_timestamp_seconds{${ON_TABLE}}`)).toBe(true);
});

test('what goes on keeps what is known of it, and follows its new policy', async () => {
  const metrics = someMetrics();
  metrics.emit(finished({ at: at('2026-11-22') }));
  metrics.emit(finished({ run: aRun({ job: 'retire' }), outcome: 'failure' }));
  metrics.emit({ kind: 'scheduled', job: 'retire', target: TABLE, nextRun: at('2026-11-23') });
  metrics.emit(loaded([aTablePolicy({ retention: 'forever' })]));
  metrics.emit({ kind: 'observed', facts: someFacts({ tables: [aTable()] }), durationMs: 1 });
  const series = await scrape(metrics);
  expect(series.get(`partkeeper_run_last_success_timestamp_seconds{${ON_TABLE},operation="provision"}`)).toBe(
    seconds('2026-11-22'),
  );
  expect(series.get(`partkeeper_retention_policy_seconds{${ON_TABLE}}`)).toBe(0);
  // Nothing is retired there any more: a failure of it would stand for ever.
  expect(of(series, `${ON_TABLE},operation="retire"`)).toEqual([]);
});

test('a schedule is told anew, with an interval that is reckoned anew', async () => {
  let interval = 60;
  const metrics = someMetrics({ intervalOf: () => interval });
  const tell = () => metrics.emit({ kind: 'scheduled', job: 'provision', target: TABLE, nextRun: NOW });
  tell();
  interval = 3_600;
  metrics.emit(loaded([aTablePolicy()]));
  expect(of(await scrape(metrics), 'partkeeper_run_interval_seconds{')).toEqual([]);
  tell();
  const name = `partkeeper_run_interval_seconds{${ON_TABLE},operation="provision"}`;
  expect((await scrape(metrics)).get(name)).toBe(3_600);
});

test("the ledger's own tables are never gone", async () => {
  const metrics = someMetrics();
  const run = aRun({ target: LEDGER.relation });
  metrics.emit(finished({ run }));
  metrics.emit(loaded([]));
  metrics.emit(finished({ run, at: at('2026-11-22') }));
  const name = 'partkeeper_run_last_success_timestamp_seconds{target="partkeeper.runs",operation="provision"}';
  expect((await scrape(metrics)).get(name)).toBe(seconds('2026-11-22'));
});
