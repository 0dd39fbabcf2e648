/** The server is stopped in the middle of a statement of ours, turns everybody away, or has a volume that is full. */
import { spawnSync } from 'node:child_process';
import { chmod, chown, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, expect, onTestFinished } from 'vitest';
import { readServerAccount } from '../../src/demo/server-account.ts';
import type { JobName } from '../../src/domain/plan.ts';
import { hasOpenssl, makeCertificate } from '../support/certificates.ts';
import { waitUntil } from '../support/client.ts';
import { connectTo } from '../support/database.ts';
import { aViewPolicy, relation } from '../support/facts.ts';
import { HABITS, hold } from '../support/holders.ts';
import { openNetwork } from '../support/network.ts';
import { ask, databasesOn, startTestServer } from '../support/own-server.ts';
import { EVENTS, fillScene, openScene, type Scene } from '../support/scene.ts';
import { urlOfDatabase } from '../support/templates.ts';

const test = base
  .extend('settings', { scope: 'file' }, () => ({ max_connections: '30' }))
  .extend('server', { scope: 'file' }, async ({ settings }, { onCleanup }) => {
    const server = await startTestServer(settings);
    onCleanup(server.remove);
    return server;
  })
  .extend('databases', { scope: 'file' }, ({ server }) => databasesOn(server))
  .extend('own', async ({ databases }, { onCleanup }) => {
    const own = await databases();
    onCleanup(own.close);
    return own;
  })
  .extend('scene', async ({ own }, { onCleanup }): Promise<Scene> => {
    await fillScene(own.database);
    const scene = await openScene(own.database);
    onCleanup(scene.close);
    return scene;
  });

/** What keeps each job in the middle of its statement. */
const IN_THE_WAY = {
  provision: 'lock table only events in share update exclusive mode',
  refresh: 'lock table events in access exclusive mode',
  analyze: 'lock table only events in share update exclusive mode',
} as const satisfies Partial<Record<JobName, string>>;
const CASES = [
  ['provision', 'immediate'],
  ['refresh', 'fast'],
  ['analyze', 'immediate'],
] as const;

test.for(CASES)(
  'F02: a server that is stopped during a %s job (%s): the run says so, and the next one does the rest',
  async ([job, mode], { server, scene }) => {
    await hold(scene.database, IN_THE_WAY[job]);
    const partkeeper = scene.open({ budget: { lockTimeoutMs: 30_000, statementTimeoutMs: 60_000 } });
    const running = partkeeper.apply([job]);
    const isBlocked = () =>
      scene.database.query(
        "select from pg_stat_activity where application_name = 'partkeeper' and wait_event_type = 'Lock' and datname = current_database()",
      );
    await waitUntil(async () => (await isBlocked()).length > 0, { what: `the ${job} job to wait for a lock` });
    await server.stop(mode);
    const reports = await running;
    expect(reports.map(({ outcome }) => outcome)).not.toContain('success');
    expect(new Set(reports.map(({ error }) => error?.code))).toEqual(
      new Set(
        ['CONNECTION_LOST', 'CONNECTION_FAILED'].filter(code => reports.some(({ error }) => error?.code === code)),
      ),
    );
    await server.start();
    await scene.settle();
  },
);

test.for(['fast', 'immediate'] as const)(
  'F01: a server that is stopped (%s) between the halves of a concurrent detach: it is pending, and the next run finishes it',
  async (mode, { server, scene }) => {
    await scene.open().run('provision');
    await hold(scene.database, HABITS.reads('events'));
    const running = scene.open().run('retire', { targets: [EVENTS] });
    const isPending = () =>
      scene.database.query(
        "select from pg_stat_activity where application_name = 'partkeeper detach' and wait_event = 'virtualxid' and datname = current_database()",
      );
    await waitUntil(async () => (await isPending()).length > 0, { what: 'the detach to wait for the reader' });
    await server.stop(mode);
    expect(await running).toMatchObject([{ outcome: 'failure', done: 0 }]);
    await server.start();
    expect(
      await scene.database.query(
        "select inhrelid::regclass::text as name from pg_inherits where inhdetachpending and inhparent = 'events'::regclass",
      ),
    ).toEqual([{ name: 'events_2026_01' }]);
    await scene.settle();
  },
);

test('F03: a server that turns everybody away, because it is stopping, is named, and tried again by the next run', async ({
  server,
  scene,
}) => {
  const holder = await hold(scene.database, 'select 1');
  // A smart shutdown: who is in may stay, and nobody gets in any more.
  process.kill(server.pid() ?? 0, 'SIGTERM');
  const partkeeper = scene.open();
  const isRefused = async (): Promise<boolean> => {
    const reports = await partkeeper.apply(['provision']);
    return reports.every(({ error }) => error?.sqlstate === '57P03');
  };
  await waitUntil(isRefused, { what: 'the server to refuse' });
  expect(partkeeper.eventsOf('observation-failed').at(-1)?.error).toMatchObject({
    code: 'CONNECTION_FAILED',
    hint: expect.stringContaining('starting or stopping'),
  });
  await Promise.allSettled([holder.client.end(), scene.close()]);
  await server.stop();
  await server.start();
  await scene.settle();
});

test('F06: two servers that both think they are the one: each is kept in order, also by a run that comes from the other', async ({
  server,
  own: { database },
  scene,
}) => {
  await server.stop();
  const folder = await mkdtemp(join(tmpdir(), 'pk-twin-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // With their owners, who may not be us.
  expect(spawnSync('cp', ['-a', `${server.folder}/.`, folder]).status).toBe(0);
  const twin = await startTestServer({}, folder);
  onTestFinished(twin.remove);
  await server.start();
  const there = connectTo(urlOfDatabase(twin.url, database.name), database.name);
  onTestFinished(there.close);
  const twinScene = await openScene(there.database);
  onTestFinished(twinScene.close);

  // Planned on one server, and done on the other, because the address has moved meanwhile.
  const network = await openNetwork(server.url);
  onTestFinished(network.close);
  const moving = scene.open({ url: network.through(database.url) });
  network.fate = sent => {
    if (!sent.includes('detach partition "public"."events_2026_01"')) return 'pass';
    network.target = twin.url;
    network.fate = () => 'pass';
    return 'reset';
  };
  const leading = scene.open();
  const [moved] = await Promise.all([moving.apply(), leading.apply()]);
  expect(moved.flatMap(({ error }) => error?.code ?? []).filter(code => !code.startsWith('CONNECTION_'))).toEqual([]);
  await moving.close();
  await scene.settle();
  await twinScene.settle();
});

test.runIf(hasOpenssl() || process.env.CI !== undefined)(
  'F15: certificates that are replaced are used from the next connection on, and nothing is ever sent in the clear',
  async ({ server, scene }) => {
    const folder = await mkdtemp(join(tmpdir(), 'pk-tls-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const trusted = join(folder, 'trusted.crt');
    const url = new URL(scene.database.url);
    url.search = new URLSearchParams({ sslmode: 'verify-full', sslrootcert: trusted }).toString();
    const account = await readServerAccount();
    const present = async (name: string): Promise<string> => {
      const made = makeCertificate(folder, name);
      for (const [from, to] of [
        [made.cert, 'server.crt'],
        [made.key, 'server.key'],
      ] as const) {
        const file = join(server.dataDir, to);
        await copyFile(from, file);
        await chmod(file, 0o600);
        if (account) await chown(file, account.uid, account.gid);
      }
      await ask(server.url, 'alter system set ssl = on');
      await ask(server.url, 'select pg_reload_conf()');
      return made.cert;
    };
    const [first, second] = [await present('first'), await present('second')];
    await copyFile(first, trusted);
    const network = await openNetwork(server.url);
    onTestFinished(network.close);
    let inTheClear = 0;
    network.fate = () => {
      inTheClear += 1;
      return 'pass';
    };
    const address = new URL(network.through(url.href));
    // The driver compares certificates with names, not with numbers.
    address.hostname = 'localhost';
    const partkeeper = scene.open({ url: address.href });
    const provision = async () => (await partkeeper.apply(['provision']))[0];
    const isRefused = async () => (await provision())?.error?.code === 'CONNECTION_FAILED';
    await waitUntil(isRefused, { what: 'the server to present a certificate that is not trusted' });
    await copyFile(second, trusted);
    expect(await provision()).toMatchObject({ outcome: 'success', error: undefined });
    expect(inTheClear).toBe(0);
    await ask(server.url, 'alter system reset ssl');
    await ask(server.url, 'select pg_reload_conf()');
    await scene.settle();
  },
);

test.runIf(process.getuid?.() === 0)(
  'F17: a volume that is full fails the one view that is kept there, is not tried in a loop, and stops nothing else',
  async ({ scene }) => {
    const { database } = scene;
    const volume = await mkdtemp(join(tmpdir(), 'pk-full-volume-'));
    const account = await readServerAccount();
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', volume]);
    try {
      expect(mount.status, mount.stderr.toString()).toBe(0);
      if (account) await chown(volume, account.uid, account.gid);
      await database.query(`create tablespace full_volume location '${volume}'`);
      await database.query(`
      create materialized view greedy tablespace full_volume as
        select i, repeat('x', 100) as filler from generate_series(1, 20000) i with no data;
      create unique index on greedy (i)`);
      const views = ['greedy', 'by_kind'].map(name => aViewPolicy({ relation: relation(`public.${name}`) }));
      const partkeeper = scene.open({ views });
      const reports = await partkeeper.apply();
      expect(reports.filter(({ outcome }) => outcome !== 'success')).toMatchObject([
        {
          run: { target: { name: 'greedy' } },
          outcome: 'failure',
          error: { code: 'RESOURCES_EXHAUSTED', sqlstate: '53100' },
        },
      ]);
      expect(partkeeper.eventsOf('action-retried')).toEqual([]);
      await database.query('drop materialized view greedy');
      await scene.settle();
    } finally {
      await database.query('drop materialized view if exists greedy');
      await database.query('drop tablespace if exists full_volume');
      spawnSync('umount', [volume]);
      await rm(volume, { recursive: true });
    }
  },
);
