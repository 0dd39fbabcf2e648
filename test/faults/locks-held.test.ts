/** Somebody holds what we need, or needs what we hold; in a transaction that stays open, or a VACUUM that takes hours. */
import { describe, expect } from 'vitest';
import { waitUntil, waitUntilBlocked } from '../support/client.ts';
import { HABITS, hold, vacuumSlowly } from '../support/holders.ts';
import { EVENTS, sceneTest as test } from '../support/scene.ts';
import { partitionsOf } from '../support/tables.ts';

const JULY = 'events_2026_07';

describe('F20: a transaction that stays open for hours', () => {
  test.for([
    ['has written into it', HABITS.writes, false],
    ['holds a snapshot from before', HABITS.reads, true],
  ] as const)(
    'F20: and %s: the next partition is made beside it, and writers do not wait',
    async ([, habit, snapshot], { scene }) => {
      const holder = await hold(scene.database, habit('events'), { snapshot });
      const writer = await scene.database.connect({ lock_timeout: 1_000 });
      const partkeeper = scene.open();
      const running = partkeeper.run('provision', { targets: [EVENTS] });
      await writer.query("insert into events values (-1, '2026-06-01')");
      expect(await running).toMatchObject([{ outcome: 'success', done: 1 }]);
      expect(partkeeper.eventsOf('action-retried')).toEqual([]);
      expect(Object.keys(await partitionsOf(scene.database, EVENTS))).toContain(JULY);
      await writer.query('delete from events where id = -1');
      await holder.release();
      await scene.settle();
    },
  );

  test('F20: and has locked the table for itself: we wait for the budget, so often as it says, and then let go', async ({
    scene,
  }) => {
    const holder = await hold(scene.database, HABITS['locks for a schema change']('events'));
    const partkeeper = scene.open({ budget: { lockTimeoutMs: 50, lockAttempts: 3 } });
    const reports = await partkeeper.run('provision');
    expect(reports.find(({ run }) => run.target === EVENTS)).toMatchObject({
      outcome: 'failure',
      error: { code: 'LOCK_UNAVAILABLE' },
    });
    expect(reports.filter(({ outcome }) => outcome === 'success')).toHaveLength(2);
    expect(partkeeper.eventsOf('action-retried').map(({ error }) => error.code)).toEqual([
      'LOCK_UNAVAILABLE',
      'LOCK_UNAVAILABLE',
    ]);
    // Given up or granted, how long each try has waited is told.
    const waits = partkeeper.eventsOf('lock-waited');
    expect(waits.filter(({ run }) => run.target === EVENTS)).toHaveLength(3);
    expect(waits.filter(({ run }) => run.target !== EVENTS).length).toBeGreaterThan(0);
    expect(waits.every(({ waitMs }) => waitMs > 0)).toBe(true);
    await holder.release();
    await scene.settle();
  });
});

test('F23: the victim of a deadlock lets go, and tries again until it gets through', async ({ scene }) => {
  const { database } = scene;
  await database.query(`alter database ${database.name} set deadlock_timeout = '50ms'`);
  const [{ parent } = { parent: 0 }] = await database.query<{ parent: number }>(
    "select 'events'::regclass::oid::int as parent",
  );
  // The name is taken by a transaction that is going to be rolled back: it stops us between our two locks.
  const namesake = await hold(database, `create table ${JULY} (id int)`);
  // It has the lock that we take last, and waits for the one that we take first; it never looks for a deadlock itself.
  const rival = await hold(
    database,
    `set deadlock_timeout = '10min'; ${HABITS['locks as VACUUM and ANALYZE do']('events')}`,
  );
  const partkeeper = scene.open({ budget: { lockTimeoutMs: 10_000 } });
  const running = partkeeper.run('provision', { targets: [EVENTS] });
  const [us] = await waitUntil(
    async () => {
      const rows = await database.query<{ pid: number }>(
        "select pid from pg_stat_activity where application_name = 'partkeeper' and wait_event_type = 'Lock' and datname = current_database()",
      );
      return rows.length > 0 && rows;
    },
    { what: 'the run to wait for the name' },
  );
  const waiting = rival.client.query(`select pg_advisory_xact_lock(hashtextextended('partkeeper/${parent}', 0))`);
  await waitUntilBlocked(namesake.client, rival.pid);
  await namesake.release();
  // We were the victim: so the rival has got what it waited for.
  await waiting;
  await rival.release();
  expect(await running).toMatchObject([{ outcome: 'success', done: 1 }]);
  expect(partkeeper.eventsOf('action-retried')).toMatchObject([{ error: { code: 'DEADLOCK', sqlstate: '40P01' } }]);
  expect(us?.pid).toBeGreaterThan(0);
  await scene.settle();
});

test('F32: a VACUUM that takes hours on a partition is neither cancelled nor waited for where nothing is wanted of it', async ({
  scene,
}) => {
  const { database } = scene;
  await database.query("insert into events select i, '2026-06-01' from generate_series(1000, 6000) i");
  await scene.look();
  const vacuum = await vacuumSlowly(database, 'events_2026_06');
  const partkeeper = scene.open({ budget: { lockTimeoutMs: 50, lockAttempts: 2 } });
  const reports = await partkeeper.apply(['provision', 'refresh', 'analyze'], { targets: [EVENTS] });
  expect(reports.find(({ run }) => run.job === 'provision')).toMatchObject({ outcome: 'success', done: 1 });
  expect(reports.find(({ run }) => run.job === 'analyze')).toMatchObject({ error: { code: 'LOCK_UNAVAILABLE' } });
  // Still under way.
  await vacuum.release();
  await scene.settle();
});

test('F46: a column that is being added while a partition is made for the table is in it', async ({ scene }) => {
  const { database } = scene;
  const change = await hold(database, 'alter table events add column note text');
  const partkeeper = scene.open({ budget: { lockTimeoutMs: 10_000 } });
  const running = partkeeper.run('provision', { targets: [EVENTS] });
  await waitUntil(
    async () =>
      (
        await database.query(
          "select from pg_stat_activity where application_name = 'partkeeper' and wait_event_type = 'Lock' and datname = current_database()",
        )
      ).length > 0,
    { what: 'the run to wait for the change' },
  );
  await change.client.query('commit');
  expect(await running).toMatchObject([{ outcome: 'success', done: 1 }]);
  expect(
    await database.query("select attname from pg_attribute where attrelid = $1::regclass and attname = 'note'", [JULY]),
  ).toHaveLength(1);
});
