import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { finding } from '../../../src/domain/findings.ts';
import { formatRelationName } from '../../../src/domain/relation.ts';
import type { Metrics } from '../../../src/report/metrics.ts';
import { aTable, aTablePolicy, at, aView, NOW, relation, someFacts } from '../../support/facts.ts';
import { aCreate, aDrop, aRefresh, aResult, aRun, finished, lockTimeout, TABLE, VIEW } from './examples.ts';
import { ON_TABLE, ON_VIEW, scrape, seconds, someMetrics } from './scrape.ts';

describe('before the first event', () => {
  test('counters of known targets, operations, triggers and outcomes are 0', async () => {
    const series = await scrape(someMetrics());
    expect(series.get('partkeeper_runs_total{operation="retire",trigger="manual",outcome="canceled"}')).toBe(0);
    expect(series.get('partkeeper_run_duration_seconds_count{operation="refresh"}')).toBe(0);
    expect(series.get(`partkeeper_partition_changes_total{${ON_TABLE},action="drop"}`)).toBe(0);
    expect(series.get(`partkeeper_lock_timeouts_total{${ON_TABLE},operation="provision"}`)).toBe(0);
    expect(series.get('partkeeper_ddl_retries_total{operation="provision",reason="deadlock"}')).toBe(0);
    expect(series.get(`partkeeper_run_last_success_timestamp_seconds{${ON_VIEW},operation="refresh"}`)).toBe(0);
    expect(series.get('partkeeper_ready')).toBe(0);
  });

  test('what is never run has no series that would look overdue', async () => {
    const series = await scrape(someMetrics({ tables: [aTablePolicy({ retention: 'forever', analyze: undefined })] }));
    const operations = [...series.keys()]
      .filter(key => key.startsWith(`partkeeper_run_last_success_timestamp_seconds{${ON_TABLE}`))
      .map(key => /operation="(\w+)"/.exec(key)?.[1]);
    expect(operations).toEqual(['provision']);
  });

  test('the state of tables is absent, because nobody knows it', async () => {
    const series = await scrape(someMetrics());
    expect(
      [...series.keys()].filter(key =>
        /^partkeeper_(partitions|partition_(coverage|default|detach)|retention(?!_safety)|retirement)/.test(key),
      ),
    ).toEqual([]);
  });

  test('build and targets describe themselves', async () => {
    const odd = relation('"Odd Schema"."say ""hi"""');
    const series = await scrape(someMetrics({ revision: 'abc1234', tables: [aTablePolicy({ relation: odd })] }));
    expect(
      series.get(`partkeeper_build_info{version="1.2.3",revision="abc1234",node_version="${process.version}"}`),
    ).toBe(1);
    expect(
      series.get(`partkeeper_target_info{${ON_VIEW},kind="view",schema="unified",relation="mv_recent_events"}`),
    ).toBe(1);
    const escaped = formatRelationName(odd).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
    expect(
      series.get(
        `partkeeper_target_info{target="${escaped}",kind="table",schema="Odd Schema",relation="say \\"hi\\""}`,
      ),
    ).toBe(1);
  });
});

describe('runs', () => {
  const ON_PROVISION = `${ON_TABLE},operation="provision"`;

  test('are counted from start to end', async () => {
    const metrics = someMetrics();
    metrics.emit({ kind: 'run-started', run: aRun(), at: NOW });
    expect((await scrape(metrics)).get('partkeeper_runs_in_progress{operation="provision"}')).toBe(1);
    metrics.emit(finished({ at: at('2026-11-21T06:00:02Z') }));
    const series = await scrape(metrics);
    expect(series.get('partkeeper_runs_in_progress{operation="provision"}')).toBe(0);
    expect(series.get('partkeeper_runs_total{operation="provision",trigger="schedule",outcome="success"}')).toBe(1);
    expect(series.get('partkeeper_run_duration_seconds_bucket{le="1",operation="provision"}')).toBe(0);
    expect(series.get('partkeeper_run_duration_seconds_bucket{le="5",operation="provision"}')).toBe(1);
    expect(series.get(`partkeeper_run_last_success_timestamp_seconds{${ON_PROVISION}}`)).toBe(
      seconds('2026-11-21T06:00:02Z'),
    );
    expect(series.get(`partkeeper_run_last_duration_seconds{${ON_PROVISION}}`)).toBe(1.234);
  });

  test('that end with an error are counted by its code', async () => {
    const metrics = someMetrics();
    const errors = async () => (await scrape(metrics)).get('partkeeper_run_errors_total{code="LOCK_UNAVAILABLE"}');
    expect(await errors()).toBe(0);
    metrics.emit(finished({ outcome: 'failure', error: lockTimeout() }));
    metrics.emit(finished());
    expect(await errors()).toBe(1);
  });

  test('that never announced their start do not count below 0', async () => {
    const metrics = someMetrics();
    metrics.emit(finished());
    expect((await scrape(metrics)).get('partkeeper_runs_in_progress{operation="provision"}')).toBe(0);
  });

  test('that fail add up until one succeeds, and a canceled one is neither', async () => {
    const metrics = someMetrics();
    const failures = async () => (await scrape(metrics)).get(`partkeeper_run_consecutive_failures{${ON_PROVISION}}`);
    metrics.emit(finished({ outcome: 'failure' }));
    metrics.emit(finished({ outcome: 'partial' }));
    metrics.emit(finished({ outcome: 'canceled' }));
    expect(await failures()).toBe(2);
    metrics.emit(finished({ at: at('2026-11-22') }));
    metrics.emit(finished({ outcome: 'canceled', at: at('2026-11-23') }));
    expect(await failures()).toBe(0);
    const series = await scrape(metrics);
    expect(series.get(`partkeeper_run_last_success_timestamp_seconds{${ON_PROVISION}}`)).toBe(seconds('2026-11-22'));
    expect(series.get(`partkeeper_run_last_attempt_timestamp_seconds{${ON_PROVISION}}`)).toBe(seconds('2026-11-23'));
  });

  test('tell how often they are to come, as soon as they are scheduled', async () => {
    const asked: string[] = [];
    const metrics = someMetrics({
      intervalOf: job => {
        asked.push(job);
        return job === 'provision' ? 86_400 : undefined;
      },
    });
    for (const nextRun of [at('2026-11-22'), at('2026-11-23')])
      metrics.emit({ kind: 'scheduled', job: 'provision', target: TABLE, nextRun });
    metrics.emit({ kind: 'scheduled', job: 'refresh', target: VIEW, nextRun: undefined });
    const series = await scrape(metrics);
    expect(series.get(`partkeeper_run_interval_seconds{${ON_PROVISION}}`)).toBe(86_400);
    expect(series.has(`partkeeper_run_interval_seconds{${ON_VIEW},operation="refresh"}`)).toBe(false);
    expect(asked).toEqual(['provision', 'refresh']);
  });

  test('tell when the next one is due', async () => {
    const metrics = someMetrics();
    metrics.emit({ kind: 'scheduled', job: 'provision', target: TABLE, nextRun: at('2026-11-22') });
    metrics.emit({ kind: 'scheduled', job: 'refresh', target: VIEW, nextRun: undefined });
    const series = await scrape(metrics);
    expect(series.get(`partkeeper_run_next_timestamp_seconds{${ON_PROVISION}}`)).toBe(seconds('2026-11-22'));
    expect(series.get(`partkeeper_run_next_timestamp_seconds{${ON_VIEW},operation="refresh"}`)).toBe(0);
  });
});

describe('actions', () => {
  test('are counted when they changed something', async () => {
    const metrics = someMetrics();
    const run = aRun();
    metrics.emit({ kind: 'action-finished', run, action: aCreate(), result: aResult() });
    metrics.emit({ kind: 'action-finished', run, action: aCreate(), result: aResult({ outcome: 'already-done' }) });
    metrics.emit({ kind: 'action-finished', run, action: aDrop(), result: aResult({ bytes: 1_000 }) });
    metrics.emit({ kind: 'action-finished', run, action: aDrop({ bytesEstimate: 500 }), result: aResult() });
    const series = await scrape(metrics);
    expect(series.get(`partkeeper_partition_changes_total{${ON_TABLE},action="create"}`)).toBe(1);
    expect(series.get(`partkeeper_partition_changes_total{${ON_TABLE},action="drop"}`)).toBe(2);
    expect(series.get(`partkeeper_partition_dropped_bytes_total{${ON_TABLE}}`)).toBe(1_500);
  });

  test('that time out on a lock are counted at each attempt', async () => {
    const metrics = someMetrics();
    const action = aCreate();
    for (const attempt of [1, 2])
      metrics.emit({ kind: 'action-retried', run: aRun(), action, attempt, delayMs: 100, error: lockTimeout() });
    const error = new MaintenanceError('DEADLOCK', 'attach');
    metrics.emit({ kind: 'action-retried', run: aRun(), action, attempt: 3, delayMs: 100, error });
    metrics.emit({ kind: 'action-failed', run: aRun(), action, error: lockTimeout(), attempts: 4, durationMs: 900 });
    const series = await scrape(metrics);
    expect(series.get(`partkeeper_lock_timeouts_total{${ON_TABLE},operation="provision"}`)).toBe(3);
    expect(series.get('partkeeper_ddl_retries_total{operation="provision",reason="lock_timeout"}')).toBe(2);
    expect(series.get('partkeeper_ddl_retries_total{operation="provision",reason="deadlock"}')).toBe(1);
  });
});

const dataAt = async (metrics: Metrics) =>
  (await scrape(metrics)).get(`partkeeper_matview_data_timestamp_seconds{${ON_VIEW}}`);

describe("a view's data", () => {
  const run = aRun({ job: 'refresh', target: VIEW });
  test('is as of the start of the run that refreshed it', async () => {
    const metrics = someMetrics();
    expect(await dataAt(metrics)).toBe(0);
    metrics.emit({ kind: 'run-started', run, at: at('2026-11-20') });
    metrics.emit({ kind: 'action-finished', run, action: aRefresh(), result: aResult() });
    metrics.emit(finished({ run, at: at('2026-11-21') }));
    expect(await dataAt(metrics)).toBe(seconds('2026-11-20'));
  });

  test('is as of the refresh on record, unless a later one is known', async () => {
    const metrics = someMetrics();
    const record = (text: string) =>
      metrics.emit({
        kind: 'observed',
        facts: someFacts({ views: [aView({ lastRefresh: { at: at(text), fingerprint: undefined } })] }),
        durationMs: 1,
      });
    record('2026-11-19');
    expect(await dataAt(metrics)).toBe(seconds('2026-11-19'));
    record('2026-11-18');
    expect(await dataAt(metrics)).toBe(seconds('2026-11-19'));
  });

  test('is still right when a run found nothing changed, but not when it failed', async () => {
    const metrics = someMetrics();
    const skips = [{ job: 'refresh', target: VIEW, relation: VIEW, reason: 'unchanged' }] as const;
    metrics.emit({ kind: 'run-started', run, at: at('2026-11-20') });
    metrics.emit(finished({ run, skips, at: at('2026-11-20T00:00:05Z') }));
    expect(await dataAt(metrics)).toBe(seconds('2026-11-20'));
    metrics.emit({ kind: 'run-started', run, at: at('2026-11-21') });
    metrics.emit(finished({ run, outcome: 'failure' }));
    expect(await dataAt(metrics)).toBe(seconds('2026-11-20'));
  });
});

describe('findings', () => {
  const gap = finding('UNREADABLE_BOUND', TABLE, 'no partition for March', 'create it');
  const other = finding('UNREADABLE_BOUND', TABLE, 'no partition for June', 'create it');

  test('are those that stand now, and 0 once cleared', async () => {
    const metrics = someMetrics();
    const count = async () =>
      (await scrape(metrics)).get(`partkeeper_findings{${ON_TABLE},code="UNREADABLE_BOUND",severity="warning"}`);
    expect(await count()).toBeUndefined();
    metrics.emit(finished({ findings: [gap, other] }));
    metrics.emit(finished({ run: aRun({ job: 'retire' }), findings: [gap] }));
    expect(await count()).toBe(2);
    metrics.emit(finished({ findings: [gap] }));
    expect(await count()).toBe(1);
    metrics.emit(finished());
    metrics.emit(finished({ run: aRun({ job: 'retire' }) }));
    expect(await count()).toBe(0);
  });

  test('are 0 as soon as another replica has run the job, which then tells what it found', async () => {
    const metrics = someMetrics();
    const count = async () =>
      (await scrape(metrics)).get(`partkeeper_findings{${ON_TABLE},code="UNREADABLE_BOUND",severity="warning"}`);
    const remember = (lastRun: string, lastAttempt: string) =>
      metrics.emit({
        kind: 'remembered',
        job: 'provision',
        target: TABLE,
        history: {
          lastRun,
          lastAttempt: at(lastAttempt),
          lastSuccess: at(lastAttempt),
          lastDurationMs: 5,
          consecutiveFailures: 0,
        },
      });
    metrics.emit(finished({ findings: [gap], at: at('2026-11-22') }));
    remember('run-1.1', '2026-11-22');
    expect(await count()).toBe(1);
    remember('another.1', '2026-11-21');
    expect(await count()).toBe(1);
    // The queue had the same run tried again, elsewhere.
    remember('run-1.2', '2026-11-23');
    expect(await count()).toBe(0);
  });
});

describe('the process', () => {
  test('tells readiness, shutdown, requests and stalls', async () => {
    const metrics = someMetrics();
    metrics.emit({ kind: 'ready-changed', ready: true, because: 'the database answers' });
    expect((await scrape(metrics)).get('partkeeper_ready')).toBe(1);
    metrics.emit({ kind: 'stopping', because: 'SIGTERM' });
    metrics.countRequest({ handler: 'metrics', code: 200 });
    metrics.countStall();
    const series = await scrape(metrics);
    expect(series.get('partkeeper_ready')).toBe(0);
    expect(series.get('partkeeper_shutdown_in_progress')).toBe(1);
    expect(series.get('partkeeper_http_requests_total{handler="metrics",code="200"}')).toBe(1);
    expect(series.get('partkeeper_event_loop_stalls_total')).toBe(1);
    expect(series.get('process_start_time_seconds')).toBeGreaterThan(0);
  });

  test('two of them do not share series', async () => {
    const [one, two] = [someMetrics(), someMetrics()];
    one.countStall();
    expect((await scrape(two)).get('partkeeper_event_loop_stalls_total')).toBe(0);
  });

  test('every series has a help and a type of its own', async () => {
    const metrics = someMetrics();
    metrics.emit({ kind: 'observed', facts: someFacts({ tables: [aTable()], views: [aView()] }), durationMs: 1 });
    metrics.emit(finished({ findings: [finding('READ_ONLY', TABLE, 'a', 'b')] }));
    const lines = (await metrics.render()).split('\n');
    expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    const described = new Set(lines.flatMap(line => /^# HELP (\S+) \S/.exec(line)?.[1] ?? []));
    const typed = new Set(
      lines.flatMap(line => /^# TYPE (\S+) (?:gauge|counter|histogram|summary)$/.exec(line)?.[1] ?? []),
    );
    expect(described).toEqual(typed);
    for (const line of lines.filter(each => each !== '' && !each.startsWith('#'))) {
      const name = /^[a-z_0-9]+/.exec(line)?.[0] ?? '';
      expect(typed.has(name) || typed.has(name.replace(/_(bucket|sum|count)$/, '')), line).toBe(true);
      expect(line).toMatch(/ (?:[-+]?\d[\d.e+-]*|[+-]Inf|Nan)$/);
    }
  });
});
