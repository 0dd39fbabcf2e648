/** The service while its database is away, goes away, hangs or may not be written: it stays, says so, and goes on. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect } from 'vitest';
import { MONTHLY_EVENTS } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import { type Daemon, sessionsOf, untilBlocked } from '../support/daemon.ts';
import { ask, ownServerTest as test } from '../support/own-server.ts';

const POLICY = `database: { connectTimeout: 1s }
${MONTHLY_EVENTS}views:
  unified.mv_recent_events: { schedule: '* * * * * *', skipUnchanged: false }
jobs:
  provision: { schedule: '*/4 * * * * *' }
  retire: { schedule: '*/4 * * * * *' }
`;
const REFRESHED =
  'partkeeper_run_last_success_timestamp_seconds{target="unified.mv_recent_events",operation="refresh"}';
const CREATED = 'partkeeper_partition_changes_total{target="unified.event_metric_events",action="create"}';

/** The process itself is well, whatever its database does. */
const expectAlive = async (service: Daemon): Promise<void> => {
  expect(await service.get('/livez')).toEqual({ code: 200, text: 'alive\n' });
  expect(service.hasEnded()).toBe(false);
};

/** Work is being done now: refreshes end that began after the question. */
async function expectAtWork(service: Daemon): Promise<void> {
  const since = (await service.metrics()).get(REFRESHED) ?? 0;
  await service.metric(REFRESHED, value => value > since, 60_000);
}

test.concurrent('F04: a database that is down at the start is waited for', async ({ daemon, configure, server }) => {
  await configure(POLICY);
  await server.stop();
  const service = await daemon({ env: { DATABASE_URL: server.url } });
  await service.written('observation failed');
  await expectAlive(service);
  expect(await service.ready(503)).toMatch(/^not ready\n- could not connect to \S+: connect ECONNREFUSED/);
  const down = await service.metrics();
  expect(down.get('partkeeper_database_up')).toBe(0);
  expect(down.get('partkeeper_ready')).toBe(0);
  expect(down.get(CREATED)).toBe(0);

  await server.start();
  await service.ready(200);
  await service.metric(CREATED, value => value === 1);
  expect((await service.metrics()).get('partkeeper_database_up')).toBe(1);
  // The database that stays away is news once; one that says that it is starting is other news.
  const told = service.log().filter(({ msg }) => msg === 'observation failed');
  expect(new Set(told.map(({ text }) => text)).size).toBe(told.length);
  service.kill('SIGTERM');
  expect(await service.exited()).toMatchObject({ code: 0, stderr: '' });
});

test.concurrent('a database that never comes does not keep it from stopping', async ({ daemon, configure }) => {
  await configure(POLICY);
  const service = await daemon({ env: { DATABASE_URL: 'postgres://127.0.0.1:1/nowhere' } });
  await service.written('observation failed');
  service.kill('SIGTERM');
  expect(await service.exited(2_000)).toMatchObject({ code: 0, stderr: '' });
});

test.concurrent.for(['fast', 'immediate', 'kill'] as const)(
  'F02, F03: a server that is stopped (%s) while it works is noticed, waited for, and worked with again',
  async (mode, { daemon, configure, server }) => {
    await configure(POLICY);
    const service = await daemon({ env: { DATABASE_URL: server.url } });
    await service.ready(200);
    await expectAtWork(service);

    await server.stop(mode);
    expect(await service.ready(503)).toMatch(/^not ready\n- /);
    await service.metric('partkeeper_database_up', value => value === 0);
    await expectAlive(service);

    await server.start();
    await service.ready(200);
    await expectAtWork(service);
    await expectAlive(service);
    await service.written('The queue can be worked with again.');
    service.kill('SIGTERM');
    expect(await service.exited()).toMatchObject({ code: 0, stderr: '' });
    const told = service.log().flatMap(({ msg, text }) => (msg === 'queue troubled' ? [text] : []));
    expect(new Set(told).size).toBe(told.length);
  },
);

test.concurrent('F05: a standby is not ready, and put to work once it is promoted', async ({
  daemon,
  configure,
  server,
}) => {
  await configure(POLICY);
  await server.stop();
  await writeFile(join(server.dataDir, 'standby.signal'), '');
  await server.start();
  const service = await daemon({ env: { DATABASE_URL: server.url } });
  expect(await waitUntil(async () => (await service.ready(503)).match(/standby in recovery/)?.[0])).toBeTruthy();
  await service.metric('partkeeper_database_writable', value => value === 0);
  await service.metric('partkeeper_database_up', value => value === 1);
  await expectAlive(service);
  expect((await service.metrics()).get(CREATED)).toBe(0);

  await ask(server.url, 'select pg_promote()');
  await service.ready(200);
  await service.metric(CREATED, value => value === 1);
  await service.metric('partkeeper_database_writable', value => value === 1);
});

/** Not a word comes from them until they are woken up. */
async function whileStopped(pids: readonly number[], work: () => Promise<void>): Promise<void> {
  const all = (signal: NodeJS.Signals): void => {
    for (const pid of pids) process.kill(pid, signal);
  };
  all('SIGSTOP');
  try {
    await work();
  } finally {
    all('SIGCONT');
  }
}

test.concurrent('a server that hangs delays neither a scrape nor the end, and is worked with again when it wakes up', async ({
  daemon,
  configure,
  server,
}) => {
  await configure(POLICY);
  const env = { DATABASE_URL: server.url };
  const [service, other] = await Promise.all([daemon({ env }), daemon({ env })]);
  await expectAtWork(service);
  await expectAtWork(other);
  // As far as this replica has seen them: the other one may have made some since.
  const { partitions } = JSON.parse((await service.get('/api/status')).text).tables[0];
  const sessions = await ask<{ pid: number }>(
    server.url,
    `select pid from pg_stat_activity where application_name = 'partkeeper'`,
  );
  await whileStopped([server.pid() ?? 0, ...sessions.map(({ pid }) => pid)], async () => {
    await service.ready(503);
    for (let scrapes = 0; scrapes < 5; scrapes += 1) {
      await expectAlive(service);
      const { code, text } = await service.get('/metrics');
      expect(code).toBe(200);
      expect(text).toContain('\npartkeeper_database_up 0\n');
    }
    const status = JSON.parse((await service.get('/api/status')).text);
    expect(status).toMatchObject({ ready: false, notReadBecause: expect.any(String), ageSeconds: expect.any(Number) });
    expect(status.tables[0].partitions).toHaveLength(partitions.length);
    other.kill('SIGTERM');
    expect(await other.exited(10_000)).toMatchObject({ code: 0, stderr: '' });
  });
  await service.ready(200);
  await expectAtWork(service);
});

test.concurrent('a single session that hangs, deaf to being cancelled, does not delay the end for long', async ({
  daemon,
  configure,
  server,
}) => {
  // A refresh waits for what it reads; whatever changes a table looks first whether it would have to wait.
  await configure(`database: { connectTimeout: 1s, lockTimeout: 60s }
views:
  unified.mv_recent_events: { schedule: '* * * * * *', skipUnchanged: false }
`);
  const blocker = new Client({ connectionString: server.url });
  await blocker.connect();
  await blocker.query('begin; lock table unified.event_metric_events in access exclusive mode');
  const query = <Row>(sql: string) => ask<Row>(server.url, sql).then(rows => [...rows]);
  const service = await daemon({ env: { DATABASE_URL: server.url } });
  const { pid } = await untilBlocked({ query });
  await whileStopped([pid], async () => {
    service.kill('SIGTERM');
    expect(await service.exited(10_000)).toMatchObject({ code: 0, stderr: '' });
  });
  await blocker.end();
  await waitUntil(async () => (await sessionsOf({ query })).length === 0, { what: 'the session to end' });
});
