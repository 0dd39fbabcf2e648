/** The service on a database that is well: what it does, serves and logs, and how it stops. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect } from 'vitest';
import { COLLECTORS } from '../../src/report/events.ts';
import { statusSchema } from '../../src/status/document.ts';
import { MONTHLY_EVENTS } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import { daemonTest, sessionsOf, untilBlocked } from '../support/daemon.ts';
import { relation } from '../support/facts.ts';
import { createPartition, exists, partitionsOf } from '../support/tables.ts';

const EVENTS = relation('unified.event_metric_events');
const LONG_AGO = 'event_metric_events_2020_01';
const ON_EVENTS = 'target="unified.event_metric_events"';
const EACH_SECOND = `jobs:
  provision: { schedule: '* * * * * *' }
  retire: { schedule: '* * * * * *' }
`;
const ONE_VIEW = `views:
  unified.mv_recent_events: { schedule: '* * * * * *', skipUnchanged: false }
`;

const test = daemonTest.extend('template', 'schema');

describe('at work', () => {
  test('it brings the database in order, and the metrics tell the truth about it', async ({
    daemon,
    configure,
    database,
  }) => {
    await configure(MONTHLY_EVENTS + EACH_SECOND);
    const service = await daemon();
    await service.metric(`partkeeper_partition_changes_total{${ON_EVENTS},action="create"}`, value => value === 1);
    expect(Object.keys(await partitionsOf(database, EVENTS))).toHaveLength(3);
    await service.metric(`partkeeper_partitions{${ON_EVENTS},state="future"}`, value => value === 2);
    const first = await service.metrics();
    expect(first.get(`partkeeper_partitions{${ON_EVENTS},state="current"}`)).toBe(1);
    expect(first.get(`partkeeper_partitions{${ON_EVENTS},state="expired"}`)).toBe(0);
    expect(first.get('partkeeper_database_up')).toBe(1);
    expect(first.get('partkeeper_ready')).toBe(1);
    const covered = first.get(`partkeeper_partition_coverage_end_timestamp_seconds{${ON_EVENTS}}`) ?? 0;
    expect(covered * 1000 - Date.now()).toBeGreaterThan(59 * 86_400_000);

    await createPartition(database, EVENTS, LONG_AGO, '2020-01-01', '2020-02-01');
    await service.metric(`partkeeper_partition_changes_total{${ON_EVENTS},action="drop"}`, value => value === 1);
    expect(await exists(database, { ...EVENTS, name: LONG_AGO })).toBe(false);
    await service.metric(`partkeeper_partitions{${ON_EVENTS},state="expired"}`, value => value === 0);
    const scheduled = 'partkeeper_runs_total{operation="retire",trigger="schedule",outcome="success"}';
    await service.metric(scheduled, value => value >= 2);

    for (const collector of COLLECTORS)
      await service.metric(`partkeeper_collector_success{collector="${collector}"}`, value => value === 1);
    await service.metric('partkeeper_queue_jobs{state="ready"}', value => value >= 0);
    const last = await service.metrics();
    for (const [series, least] of [
      ['partkeeper_queue_jobs_handled_total{outcome="completed"}', 3],
      ['partkeeper_queue_wait_seconds_count', 3],
      ['partkeeper_lock_wait_seconds_count{operation="provision"}', 1],
      ['partkeeper_log_messages_total{level="info"}', 3],
      ['partkeeper_loop_last_tick_timestamp_seconds{loop="inventory"}', 1_700_000_000],
      ['partkeeper_loop_last_tick_timestamp_seconds{loop="schedule"}', 1_700_000_000],
    ] as const)
      expect(last.get(series), series).toBeGreaterThanOrEqual(least);
    expect(last.get(`partkeeper_retirements{${ON_EVENTS},state="detached"}`)).toBe(0);
  });

  test('it serves its paths on one port and logs one JSON object a line', async ({ daemon, configure, database }) => {
    await configure(MONTHLY_EVENTS);
    const service = await daemon();
    await service.ready(200);
    expect(await service.get('/livez')).toEqual({ code: 200, text: 'alive\n' });
    expect(await service.get('/readyz')).toEqual({ code: 200, text: 'ready\n' });
    expect((await service.get('/metrics')).text).toContain('# HELP partkeeper_build_info');
    expect((await service.get('/anything')).code).toBe(404);
    const status = statusSchema.parse(JSON.parse((await service.get('/api/status')).text));
    expect(status).toMatchObject({ ready: true, database: { name: database.name }, findings: [] });
    await service.written('"job":"analyze"');
    service.kill('SIGTERM');
    const { code, stdout, stderr } = await service.exited();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    for (const line of lines)
      expect(line).toMatchObject({
        level: expect.any(String),
        time: expect.stringMatching(/Z$/),
        msg: expect.any(String),
      });
    expect(lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining([
        'listening',
        'readiness changed',
        'action finished',
        'run finished',
        'stopping',
        'stopped',
      ]),
    );
    expect(lines.filter(({ level }) => level !== 'info').map(({ msg }) => msg)).toEqual(['superuser']);
  });

  test('F50: a view that fails keeps no other target from its turn, and the metrics say so', async ({
    daemon,
    configure,
    database,
  }) => {
    await database.query('create table public.numbers as select 1 as id, 1 as divisor');
    await database.query(
      'create materialized view public.broken as select id, 1 / divisor as share from public.numbers',
    );
    await database.query('create unique index on public.broken (id)');
    await database.query('update public.numbers set divisor = 0');
    await configure(`${MONTHLY_EVENTS}views:
  public.broken: { schedule: '* * * * * *' }
  unified.mv_recent_events: { schedule: '* * * * * *', skipUnchanged: false }
${EACH_SECOND}`);
    const service = await daemon();
    const failures = 'partkeeper_run_consecutive_failures{target="public.broken",operation="refresh"}';
    await service.metric(failures, value => value >= 2);
    await service.metric(
      'partkeeper_runs_total{operation="refresh",trigger="schedule",outcome="failure"}',
      value => value >= 1,
    );
    await service.metric(
      'partkeeper_runs_total{operation="refresh",trigger="schedule",outcome="success"}',
      value => value >= 2,
    );
    const series = await service.metrics();
    expect(
      series.get('partkeeper_run_last_success_timestamp_seconds{target="public.broken",operation="refresh"}'),
    ).toBe(0);
    expect(series.get(`partkeeper_run_consecutive_failures{${ON_EVENTS},operation="provision"}`)).toBe(0);
    expect((await service.get('/readyz')).code).toBe(200);
    expect(service.log().find(({ msg }) => msg === 'action failed')).toMatchObject({
      level: 'error',
      target: 'public.broken',
      sqlstate: '22012',
      text: expect.stringContaining('division by zero'),
    });
  });

  test('two of them on one database do the work once, without an error', async ({ daemon, configure, database }) => {
    await configure(MONTHLY_EVENTS + EACH_SECOND);
    const services = await Promise.all([daemon(), daemon()]);
    await createPartition(database, EVENTS, LONG_AGO, '2020-01-01', '2020-02-01');
    for (const service of services)
      await service.metric(
        `partkeeper_runs_total{operation="retire",trigger="schedule",outcome="success"}`,
        value => value >= 3,
      );
    const changes = async (action: string): Promise<number> => {
      const all = await Promise.all(services.map(service => service.metrics()));
      return all.reduce(
        (sum, series) => sum + (series.get(`partkeeper_partition_changes_total{${ON_EVENTS},action="${action}"}`) ?? 0),
        0,
      );
    };
    // The schema came with two.
    const made = Object.keys(await partitionsOf(database, EVENTS)).length - 2;
    expect(await changes('create')).toBe(made);
    expect(await changes('drop')).toBe(1);
    for (const service of services) expect(service.log().filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('a port that is taken is an error of the configuration', async ({ cli }) => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const address = squatter.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { code, stderr } = await cli.run(['run'], { env: { PARTKEEPER_LISTEN: `127.0.0.1:${port}` } });
    squatter.close();
    expect(code).toBe(4);
    expect(stderr).toBe(
      `partkeeper: cannot listen on 127.0.0.1:${port}: another process listens there\n  set http.listen to an address and a free port of this machine\n`,
    );
  });
});

describe('told to stop', () => {
  const SLOW = `database: { lockTimeout: 60s }\n${ONE_VIEW}`;
  const remembered = `select from partkeeper.view_refreshes where relation = 'unified.mv_recent_events'`;

  test.for(['SIGTERM', 'SIGINT'] as const)(
    'by %s while idle, it ends at once and leaves no session',
    async (signal, { daemon, configure, database }) => {
      await configure(MONTHLY_EVENTS);
      const service = await daemon();
      await service.written('"job":"analyze"');
      const asked = performance.now();
      service.kill(signal);
      expect(await service.exited()).toMatchObject({ code: 0, signal: null });
      expect(performance.now() - asked).toBeLessThan(2_000);
      expect(await sessionsOf(database)).toEqual([]);
    },
  );

  test('it lets a refresh finish that can, and takes no more work', async ({ daemon, configure, database }) => {
    await configure(SLOW);
    const blocker = await database.connect();
    await blocker.query('begin; lock table unified.event_metric_events in access exclusive mode');
    const service = await daemon();
    await untilBlocked(database);
    service.kill('SIGTERM');
    expect(await service.ready(503)).toBe('not ready\n- it is stopping\n');
    expect((await service.metrics()).get('partkeeper_shutdown_in_progress')).toBe(1);
    await blocker.query('commit');
    expect(await service.exited()).toMatchObject({ code: 0, signal: null });
    expect(await database.query(remembered)).toHaveLength(1);
    expect(await sessionsOf(database)).toEqual([]);
    const refreshes = service.log().filter(({ msg, job }) => msg === 'run finished' && job === 'refresh');
    expect(refreshes.map(({ outcome }) => outcome)).toEqual(['success']);
  });

  test('it cancels a refresh that goes on and on, within its grace period', async ({ daemon, configure, database }) => {
    await configure(SLOW);
    const blocker = await database.connect();
    await blocker.query('begin; lock table unified.event_metric_events in access exclusive mode');
    const service = await daemon();
    await untilBlocked(database);
    service.kill('SIGTERM');
    expect(await service.exited(8_000)).toMatchObject({ code: 0, signal: null });
    expect(service.log().find(({ msg, job }) => msg === 'run finished' && job === 'refresh')).toMatchObject({
      outcome: 'canceled',
      level: 'info',
    });
    expect(await sessionsOf(database)).toEqual([]);
    const locks = await database.query(`select from pg_locks l join pg_class c on c.oid = l.relation
      where c.relname = 'mv_recent_events'`);
    expect(locks).toEqual([]);
    await blocker.query('commit');
    expect(await database.query(remembered)).toEqual([]);
  });

  test('twice, it ends at once, whatever runs', async ({ daemon, configure, database }) => {
    await configure(SLOW);
    const blocker = await database.connect();
    await blocker.query('begin; lock table unified.event_metric_events in access exclusive mode');
    const service = await daemon();
    await untilBlocked(database);
    service.kill('SIGTERM');
    const asked = performance.now();
    // Again and again: right after the first, a signal is taken for its echo by way of npm.
    await waitUntil(() => service.hasEnded() || service.kill('SIGTERM'));
    expect(await service.exited()).toMatchObject({ code: 143 });
    expect(performance.now() - asked).toBeLessThan(2_000);
  });
});
