/** Accidents in the middle of a concurrent detach, whose first half is committed while its second half waits. */
import { expect } from 'vitest';
import { waitUntil } from '../support/client.ts';
import { HABITS, hold, vacuumSlowly } from '../support/holders.ts';
import { openNetwork } from '../support/network.ts';
import type { TestPartkeeper } from '../support/partkeeper.ts';
import { AUDIT, EVENTS, type Scene, sceneTest, TABLES } from '../support/scene.ts';

/** Nothing is retired before the partitions to come are there. */
const test = sceneTest.extend('isProvisioned', { auto: true }, async ({ scene }) => {
  const partkeeper = scene.open();
  const reports = await partkeeper.run('provision');
  await partkeeper.close();
  return reports.every(({ outcome }) => outcome === 'success');
});

/** Waits until the detach has made the partition invisible, and waits itself for those who may still see it. */
const untilPending = ({ database }: Scene) =>
  waitUntil(
    async () => {
      const [row] = await database.query<{ pid: number }>(
        `select pid from pg_stat_activity where application_name = 'partkeeper detach' and wait_event = 'virtualxid' and datname = current_database()`,
      );
      return row?.pid;
    },
    { deadlineMs: 10_000, what: 'the detach to wait for a transaction' },
  );

/** A run of `retire` whose detach waits for the transaction of `reader`. */
async function startWaiting(scene: Scene, partkeeper: TestPartkeeper = scene.open()) {
  const reader = await hold(scene.database, HABITS.reads('events'));
  const running = partkeeper.run('retire', { targets: [EVENTS] });
  return { reader, running, partkeeper, pid: await untilPending(scene) };
}

test('F21: a snapshot from before holds the detach up, and nobody else: it is finished when the snapshot is gone', async ({
  scene,
}) => {
  const reader = await hold(scene.database, HABITS.reads('events'), { snapshot: true });
  const running = scene.open().run('retire', { targets: [EVENTS] });
  await untilPending(scene);
  const writer = await scene.database.connect({ lock_timeout: 1_000 });
  await writer.query("insert into events values (-1, '2026-06-01'); delete from events where id = -1");
  const eager = scene.open({ tables: TABLES.map(policy => ({ ...policy, premake: 2 })) });
  expect(await eager.run('provision', { targets: [EVENTS] })).toMatchObject([{ outcome: 'success', done: 1 }]);
  await reader.release();
  expect(await running).toMatchObject([{ outcome: 'success', done: 2 }]);
  await scene.settle();
});

test('F22: a detach that is cancelled in its second half is pending, is told, and is finished by the next run', async ({
  scene,
}) => {
  const { reader, running, pid } = await startWaiting(scene);
  await scene.database.query('select pg_cancel_backend($1)', [pid]);
  const [report] = await running;
  expect(report).toMatchObject({ done: 0 });
  expect(
    await scene.database.query(
      "select inhrelid::regclass::text as name from pg_inherits where inhdetachpending and inhparent = 'events'::regclass",
    ),
  ).toEqual([{ name: 'events_2026_01' }]);
  await reader.release();
  await scene.settle();
});

test.for([
  ['goes on with it', ''],
  ['notices, and leaves it pending', "alter database current set client_connection_check_interval = '50ms'"],
] as const)(
  'F24: the client vanishes during the detach, and the server %s: the next run copes with it',
  async ([, setting], { scene }) => {
    if (setting !== '') await scene.database.query(setting.replace('current', scene.database.name));
    const network = await openNetwork(scene.database.url);
    try {
      const doomed = scene.open({ url: network.through(scene.database.url) });
      const { reader, running, pid } = await startWaiting(scene, doomed);
      // As if it were killed: nothing of it comes through any more.
      network.fate = () => 'reset';
      network.resetAll();
      expect((await running)[0]?.outcome).toBe('failure');
      if (setting !== '')
        await waitUntil(
          async () => (await scene.database.query('select from pg_stat_activity where pid = $1', [pid])).length === 0,
          { what: 'the backend to notice' },
        );
      // Somebody restarts it at once, while the reader is there still.
      const [next] = await scene.open().run('retire', { targets: [EVENTS] });
      expect(next).toMatchObject({ failed: 0, done: 0 });
      await reader.release();
      await scene.settle();
    } finally {
      await network.close();
    }
  },
);

test('F28: whoever has lost the lock of the run stops in the middle of the detach, and another one finishes it', async ({
  scene,
}) => {
  const { reader, running } = await startWaiting(scene);
  await scene.database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'partkeeper run' and datname = current_database()`,
  );
  expect(await running).toMatchObject([{ outcome: 'failure', done: 0, error: { code: 'CONNECTION_LOST' } }]);
  const other = scene.open({ sleep: () => reader.release() });
  await other.run('retire', { targets: [EVENTS] });
  await reader.release();
  await scene.settle();
});

test('F32: a VACUUM of an expired partition that takes hours puts its detach off, is named, and goes on', async ({
  scene,
}) => {
  await scene.database.query("insert into events select i, '2026-01-05' from generate_series(1000, 6000) i");
  const vacuum = await vacuumSlowly(scene.database, 'events_2026_01');
  const partkeeper = scene.open({ budget: { lockTimeoutMs: 50, lockAttempts: 2 } });
  const [report] = await partkeeper.run('retire', { targets: [EVENTS] });
  expect(report).toMatchObject({ failed: 0, deferred: expect.any(Number) });
  expect(report?.findings).toContainEqual(
    expect.objectContaining({ code: 'BLOCKED', message: expect.stringContaining('vacuum') }),
  );
  // Still under way.
  await vacuum.release();
  await scene.settle();
});

test('F52: a row that comes late into a range that is being retired is kept with it, or refused, and never lost', async ({
  scene,
}) => {
  const { database } = scene;
  const writer = await hold(database, "insert into audit values (5000, '2026-01-05')");
  const running = scene.open().run('retire', { targets: [AUDIT] });
  const isPending = () =>
    database.query("select from pg_inherits where inhrelid = 'audit_2026_01'::regclass and inhdetachpending");
  await waitUntil(
    async () =>
      (
        await database.query(
          `select from pg_stat_activity where application_name = 'partkeeper detach' and wait_event_type = 'Lock' and datname = current_database()`,
        )
      ).length > 0,
    { what: 'the detach to wait for the writer' },
  );
  if ((await isPending()).length > 0)
    await expect(database.query("insert into audit values (5001, '2026-01-05')")).rejects.toMatchObject({
      code: '23514',
    });
  await writer.client.query('commit');
  await running;
  await scene.look();
  await scene.settle();
  expect(await database.query('select id::int from audit_2026_01 where id >= 5000')).toEqual([{ id: 5000 }]);
});
