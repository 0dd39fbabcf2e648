import { expect, test } from 'vitest';
import { awaitedLocks, heldLocks, waitUntil, waitUntilBlocked } from '../support/client.ts';
import { databaseTest, openAdmin, openTestDatabase } from '../support/database.ts';

databaseTest('each test has a database of its own', async ({ admin, database }) => {
  const other = await openTestDatabase(admin);
  try {
    await database.query('create table mine (id int)');
    expect(await other.database.query(`select to_regclass('mine') as found`)).toEqual([{ found: null }]);
  } finally {
    await other.drop();
  }
});

databaseTest('a dropped database takes its connections along, whatever they are doing', async ({ admin }) => {
  const { database, drop } = await openTestDatabase(admin);
  const busy = await database.connect();
  const sleeping = busy.query('select pg_sleep(60)').then(
    () => 'slept',
    () => 'cut off',
  );
  const sleepingToo = database.query('select pg_sleep(60)').catch(() => []);
  await waitUntil(async () => {
    const { rowCount } = await admin.query(
      `select from pg_stat_activity where datname = $1 and query = 'select pg_sleep(60)'`,
      [database.name],
    );
    return rowCount === 2;
  });
  await drop();
  expect(await sleeping).toBe('cut off');
  expect(await sleepingToo).toEqual([]);
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [database.name]);
  expect(rowCount).toBe(0);
});

databaseTest('many databases can be cloned at once', async ({ admin, serverUrl }) => {
  const second = openAdmin(serverUrl);
  const opened = await Promise.all([admin, second, admin, second, admin, second].map(by => openTestDatabase(by)));
  expect(new Set(opened.map(({ database }) => database.name)).size).toBe(6);
  await Promise.all(opened.map(({ drop }) => drop()));
  await second.end();
});

databaseTest('locks are seen while held and while waited for', async ({ database }) => {
  await database.query('create table events (id int)');
  const [holder, waiter] = await Promise.all([database.connect(), database.connect()]);
  await holder.query('begin; lock table events in share update exclusive mode');
  const [backend] = (await waiter.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
  const pid = backend?.pid ?? 0;
  const waiting = waiter.query('begin; lock table events in share mode');

  const observer = await database.connect();
  await waitUntilBlocked(observer, pid);
  expect((await heldLocks(observer, 'events')).map(lock => lock.mode)).toEqual(['ShareUpdateExclusiveLock']);
  expect(await awaitedLocks(observer, 'events')).toMatchObject([{ pid, mode: 'ShareLock' }]);
  await holder.query('commit');
  await waiting;
  expect(await heldLocks(observer, 'events')).toMatchObject([{ pid, mode: 'ShareLock' }]);
});

test('waiting in vain says for what', async () => {
  await expect(waitUntil(() => false, { deadlineMs: 50, what: 'the moon' })).rejects.toThrow(
    'Waited 0.05 s for the moon, in vain.',
  );
  expect(await waitUntil(() => Promise.resolve('found'), { deadlineMs: 0 })).toBe('found');
});
