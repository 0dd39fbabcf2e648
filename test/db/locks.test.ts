/** Which locks our statements take, proven on the server: writers hardly notice because of these. */
import { describe, expect } from 'vitest';
import { awaitedLocks, heldLocks, waitUntil, waitUntilBlocked } from '../support/client.ts';
import { databaseTest, type TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { actionsOf, partkeeperTest } from '../support/partkeeper.ts';
import { createTable, exists, months, partitionsOf } from '../support/tables.ts';

const AT = at('2026-03-15');

/** From weak to strong. */
const MODES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
];

const strongest = (locks: readonly { readonly mode: string }[]): string | undefined =>
  MODES.findLast(mode => locks.some(lock => lock.mode === mode));

const policies = (...names: readonly string[]) =>
  names.map(name => aTablePolicy({ relation: relation(`public.${name}`), premake: 1 }));

/** Partitions of January to March, the March one detached, and a view. */
async function prepare(database: TestDatabase): Promise<void> {
  await createTable(database, 'public.events', { partitions: months('events', '2026-01', 3) });
  await database.query(`
    alter table events detach partition events_2026_03;
    create materialized view mv as select id, count(*) from events group by id;
    create unique index on mv (id)`);
}

/** The pid of partkeeper's one busy backend. */
const partkeeperPid = (database: TestDatabase): Promise<number> =>
  waitUntil(
    async () => {
      const [row] = await database.query<{ pid: number }>(
        `select pid from pg_stat_activity
          where datname = current_database() and application_name = 'partkeeper' and wait_event_type = 'Lock'`,
      );
      return row?.pid;
    },
    { what: 'partkeeper to wait for a lock' },
  );

describe('in a transaction', () => {
  databaseTest.for([
    [
      "create table p partition of events for values from ('2026-04-01') to ('2026-05-01')",
      'AccessExclusiveLock',
      'events',
    ],
    ['create table p (like events including all)', 'AccessShareLock', 'events'],
    [
      "alter table events attach partition events_2026_03 for values from ('2026-03-01') to ('2026-04-01')",
      'ShareUpdateExclusiveLock',
      'events',
    ],
    ['alter table events detach partition events_2026_01', 'AccessExclusiveLock', 'events'],
    ['drop table events_2026_01', 'AccessExclusiveLock', 'events'],
    ['drop table events_2026_03', undefined, 'events'],
    ['lock table only events in access exclusive mode', undefined, 'events_2026_01'],
    ['analyze events', 'ShareUpdateExclusiveLock', 'events'],
    ['analyze events_2026_01', undefined, 'events'],
    ["insert into events values (1, '2026-01-02')", 'RowExclusiveLock', 'events'],
    ['refresh materialized view concurrently mv', 'ExclusiveLock', 'mv'],
    ['refresh materialized view mv', 'AccessExclusiveLock', 'mv'],
    ['refresh materialized view concurrently mv', 'AccessShareLock', 'events'],
  ] as const)('%s takes %s on %s', async ([sql, mode, on], { database }) => {
    await prepare(database);
    const client = await database.connect();
    await client.query(`begin; ${sql}`);
    expect(strongest(await heldLocks(client, on))).toBe(mode);
    await client.query('rollback');
  });
});

databaseTest('a concurrent detach asks for SHARE UPDATE EXCLUSIVE on the parent', async ({ database }) => {
  await prepare(database);
  const [holder, detacher] = await Promise.all([database.connect(), database.connect()]);
  await holder.query('begin; lock table only events in share update exclusive mode');
  const { rows } = await detacher.query<{ pid: number }>('select pg_backend_pid() as pid');
  const detaching = detacher.query('alter table events detach partition events_2026_01 concurrently');
  await waitUntilBlocked(holder, rows[0]?.pid ?? 0);
  expect((await awaitedLocks(holder, 'events')).map(({ mode }) => mode)).toEqual(['ShareUpdateExclusiveLock']);
  await holder.query('rollback');
  await detaching;
});

describe('creating a partition', () => {
  partkeeperTest('takes SHARE UPDATE EXCLUSIVE on the parent and nothing stronger', async ({ database, open }) => {
    await createTable(database, 'public.events', { more: ', note text, unique (id, at)' });
    // Records what the transaction holds on the parent at the end of each of its statements.
    await database.query(`
      create table seen (command text, mode text);
      create function look() returns event_trigger language plpgsql as $$
      begin
        insert into public.seen
          select tg_tag, l.mode from pg_catalog.pg_locks l
           where l.pid = pg_catalog.pg_backend_pid() and l.relation = 'public.events'::regclass;
      end $$;
      create event trigger looking on ddl_command_end execute function look()`);
    const [report] = await open({ tables: policies('events'), at: AT }).run('provision');
    expect(report).toMatchObject({ outcome: 'success', done: 2 });
    const seen = await database.query<{ command: string; mode: string }>('select * from seen');
    const modesOf = (tag: string) => seen.filter(({ command }) => command === tag);
    expect(strongest(modesOf('CREATE TABLE'))).toBe('AccessShareLock');
    expect(strongest(seen)).toBe('ShareUpdateExclusiveLock');
  });

  partkeeperTest('waits for SHARE UPDATE EXCLUSIVE while holding no more than a reader', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables: policies('events'), at: AT, budget: { lockTimeoutMs: 5_000 } });
    const holder = await database.connect();
    await holder.query('begin; lock table only events in share update exclusive mode');
    const running = partkeeper.run('provision');
    const pid = await partkeeperPid(database);
    expect(await awaitedLocks(holder, 'events')).toMatchObject([{ pid, mode: 'ShareUpdateExclusiveLock' }]);
    const held = await heldLocks(holder, 'events');
    expect(held.filter(lock => lock.pid === pid).map(({ mode }) => mode)).toEqual(['AccessShareLock']);
    await holder.query('rollback');
    expect(await running).toMatchObject([{ outcome: 'success', done: 2 }]);
  });

  partkeeperTest('is not delayed by open readers and writers of the table', async ({ database, open }) => {
    await prepare(database);
    const [reader, writer] = await Promise.all([database.connect(), database.connect()]);
    await reader.query('begin isolation level repeatable read; select count(*) from events');
    await writer.query(`begin; insert into events values (1, '2026-02-02'); update events set id = 2`);
    // One try of a moment: whoever had to wait would fail.
    const partkeeper = open({ tables: policies('events'), at: AT, budget: { lockTimeoutMs: 100, lockAttempts: 1 } });
    expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', done: 2 }]);
    await Promise.all([reader.query('rollback'), writer.query('rollback')]);
  });
});

describe('a lock that is not to be had', () => {
  const BUDGET = { lockTimeoutMs: 100, lockAttempts: 3 };

  partkeeperTest('is asked for so many times, so long each, and nothing is left behind', async ({ database, open }) => {
    const events = await createTable(database);
    const other = await createTable(database, 'public.other');
    const holder = await database.connect();
    await holder.query('begin; lock table only events in share update exclusive mode');
    const partkeeper = open({ tables: policies('events', 'other'), at: AT, budget: BUDGET });

    const [blocked, done] = await partkeeper.run('provision');
    expect(blocked).toMatchObject({ outcome: 'failure', done: 0, failed: 2, error: { code: 'LOCK_UNAVAILABLE' } });
    const failures = partkeeper.eventsOf('action-failed');
    expect(failures.map(({ error, attempts }) => [error.code, error.sqlstate, attempts])).toEqual([
      ['LOCK_UNAVAILABLE', '55P03', 3],
      ['LOCK_UNAVAILABLE', '55P03', 3],
    ]);
    expect(partkeeper.eventsOf('action-retried').map(({ attempt }) => attempt)).toEqual([1, 2, 1, 2]);
    for (const { durationMs } of failures) {
      expect(durationMs).toBeGreaterThanOrEqual(3 * 100);
      // Generous for a busy machine, and far from waiting as long as the holder likes.
      expect(durationMs).toBeLessThan(3 * 100 + 5_000);
    }
    expect(await partitionsOf(database, events)).toEqual({});
    expect(await exists(database, { schema: 'public', name: 'events_2026_03' })).toBe(false);
    // The other table had its turn all the same.
    expect(done).toMatchObject({ outcome: 'success', done: 2 });
    expect(Object.keys(await partitionsOf(database, other))).toEqual(['other_2026_03', 'other_2026_04']);

    await holder.query('rollback');
    expect(await partkeeper.run('provision')).toMatchObject([{ done: 2 }, { done: 0 }]);
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  });

  partkeeperTest('does not keep the later partitions of a plan from their turn', async ({ database, open }) => {
    const events = await createTable(database);
    const holder = await database.connect();
    await holder.query('begin; lock table only events in share update exclusive mode');
    const partkeeper = open({
      tables: policies('events'),
      at: AT,
      budget: BUDGET,
      // Twice within the first action; the third time is the second action's.
      sleep: async () => {
        if (partkeeper.sleeps.length === 3) await holder.query('rollback');
      },
    });
    const { actions } = await partkeeper.plan(['provision']);
    const [first, second] = actionsOf({ actions }, 'create-partition');
    expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'partial', done: 1, failed: 1 }]);
    expect(partkeeper.eventsOf('action-failed').map(({ action }) => action.relation)).toEqual([first?.relation]);
    expect(partkeeper.eventsOf('action-finished')).toMatchObject([
      { action: { relation: second?.relation }, result: { outcome: 'done', attempts: 2 } },
    ]);
    expect(Object.keys(await partitionsOf(database, events))).toEqual(['events_2026_04']);
    await partkeeper.run('provision');
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  });

  partkeeperTest('may be the one that another partkeeper holds', async ({ database, open }) => {
    await createTable(database);
    const partkeeper = open({ tables: policies('events'), at: AT, budget: { ...BUDGET, lockAttempts: 1 } });
    const oid = (await partkeeper.facts()).tables[0]?.oid;
    const holder = await database.connect();
    await holder.query(`begin; select pg_advisory_xact_lock(hashtextextended('partkeeper/' || $$${oid}$$, 0))`);
    const [report] = await partkeeper.run('provision');
    expect(report?.error).toMatchObject({
      code: 'LOCK_UNAVAILABLE',
      message: expect.stringContaining('wait for another partkeeper on the same table'),
    });
    await holder.query('rollback');
  });
});
