/** A default partition with many rows of a new partition's range, among others: copied aside and swapped while everybody works. */
import { describe, expect } from 'vitest';
import type { Runner } from '../../src/run-job.ts';
import { type Accident, onceBefore, provisionWith } from '../support/accident.ts';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { leftOfDrains as left } from '../support/drains.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { saidDuring, sayingAll } from '../support/notices.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { createTable, months, partitionsOf } from '../support/tables.ts';
import { rowsOfTraffic, startTraffic } from '../support/traffic.ts';

const test = partkeeperTest.extend('template', 'bookkeeping');

const EVENTS = relation('public.events');
const AT = at('2026-03-15');
const tables = [aTablePolicy({ relation: EVENTS, premake: 1, defaultPartition: 'drain' })];
const ROWS = 6_000;

/** January and May, and a default partition with half of its rows in March and half in 2020. */
async function prepare(database: TestDatabase, more = ', note text, primary key (id, at)'): Promise<void> {
  await createTable(database, 'public.events', {
    more,
    partitions: { ...months('events', '2026-01', 1), ...months('events', '2026-05', 1) },
  });
  await database.query('create table rest partition of events default');
  await database.query(
    `insert into events (id, at, note)
     select i, case when i % 2 = 0 then '2026-03-10'::timestamptz else '2020-01-01' end, 'still' from generate_series(1, $1::int) i`,
    [ROWS],
  );
}

const stored = (database: TestDatabase) =>
  database.query<{ stored: string; n: number }>(
    `select tableoid::regclass::text as stored, count(*)::int as n from events where note = 'still' group by 1 order by 1`,
  );

const KEYS = ['2026-03-10', '2026-03-20', '2026-01-10', '2020-01-01', '2026-04-02'];

const shortly = (ms: number): Promise<void> =>
  new Promise(done => {
    setTimeout(done, ms / 10);
  });

describe('while everybody works', () => {
  test('no row is lost, doubled or hidden, no insert fails, and nothing is searched under a lock', async ({
    database,
    open,
  }) => {
    await prepare(database, ', note text, pad text, primary key (id, at)');
    // 6 MB, which are copied in two steps.
    await database.query(
      `alter table rest alter column pad set storage plain; update rest set pad = repeat('x', 4000) where id <= 1500`,
    );
    const [before] = await database.query(`select 'rest'::regclass::oid::int as oid`);
    const traffic = await startTraffic(database, { writers: 3, keys: KEYS, seed: 11, still: ROWS });
    await waitUntil(() => traffic.done() > 100);
    const partkeeper = open({
      tables,
      at: AT,
      url: sayingAll(database.url),
      budget: { lockAttempts: 50 },
      sleep: shortly,
    });
    const { value: reports, said } = await saidDuring(() => partkeeper.run('provision'));
    const after = traffic.done();
    await waitUntil(() => traffic.done() > after + 100);
    const { errors, misread, rows } = await traffic.stop();
    expect(reports[0]?.error).toBeUndefined();
    expect({ errors, misread }).toEqual({ errors: [], misread: [] });
    expect(await rowsOfTraffic(database)).toEqual(rows);
    expect(await stored(database)).toEqual([
      { stored: 'events_2026_03', n: ROWS / 2 },
      { stored: 'rest', n: ROWS / 2 },
    ]);
    expect(said.filter(text => /is implied by existing/.test(text))).toEqual(
      expect.arrayContaining([
        'partition constraint for table "events_2026_03" is implied by existing constraints',
        'partition constraint for table "rest" is implied by existing constraints',
      ]),
    );
    expect(await database.query(`select 'rest'::regclass::oid::int as oid`)).not.toEqual([before]);
    expect(Object.keys(await partitionsOf(database, EVENTS))).toEqual([
      'events_2026_01',
      'events_2026_02',
      'events_2026_03',
      'events_2026_04',
      'events_2026_05',
      'rest',
    ]);
    expect(await left(database)).toEqual([]);
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  });
});

const runWith = (runner: Runner, accident: Accident) => provisionWith(runner, accident, EVENTS, AT);

describe('what happens while it is copied', () => {
  test.for([
    [
      'the default partition is rewritten, and an index added',
      'cluster rest using rest_pkey; create index on events (note)',
    ],
    [
      'a column is added, and a partition dropped',
      'alter table events add more int default 7; drop table events_2026_05',
    ],
  ] as const)('%s: the run starts over and comes to its end', async ([, sql], { database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables, at: AT });
    const meddle = onceBefore(/ctid >= '\(0,0\)'/, () => database.query(sql));
    expect(await runWith(partkeeper.runner, meddle)).toMatchObject([{ outcome: 'success', failed: 0 }]);
    expect(partkeeper.eventsOf('action-failed')).toMatchObject([{ error: { code: 'STALE_PLAN' } }]);
    expect(await stored(database)).toEqual([
      { stored: 'events_2026_03', n: ROWS / 2 },
      { stored: 'rest', n: ROWS / 2 },
    ]);
    expect(await left(database)).toEqual([]);
  });

  test('the default partition is emptied: nothing comes back', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables, at: AT });
    const meddle = onceBefore(/^analyze/, () => database.query('truncate events'));
    expect(await runWith(partkeeper.runner, meddle)).toMatchObject([{ outcome: 'success', failed: 0 }]);
    expect(await stored(database)).toEqual([]);
    expect(await left(database)).toEqual([]);
  });

  test('rows are changed, moved and made by the default partition’s own name', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables, at: AT });
    const meddle = onceBefore(/^analyze/, () =>
      database.query(`
        update rest set note = 'changed' where id between 1 and 100;
        delete from rest where id between 101 and 200;
        insert into rest values (0, '2026-03-11', 'new');
        update events set at = '2026-01-05' where id between 201 and 300`),
    );
    expect(await runWith(partkeeper.runner, meddle)).toMatchObject([{ outcome: 'success', failed: 0 }]);
    expect(await stored(database)).toEqual([
      { stored: 'events_2026_01', n: 100 },
      { stored: 'events_2026_03', n: ROWS / 2 - 150 },
      { stored: 'rest', n: ROWS / 2 - 150 },
    ]);
    expect(
      await database.query(
        `select note, tableoid::regclass::text as stored, count(*)::int as n from events where note <> 'still' group by 1, 2 order by 1, 2`,
      ),
    ).toEqual([
      { note: 'changed', stored: 'events_2026_03', n: 50 },
      { note: 'changed', stored: 'rest', n: 50 },
      { note: 'new', stored: 'events_2026_03', n: 1 },
    ]);
  });

  test('a transaction that looks at an older state is waited for, and finds every row', async ({ database, open }) => {
    await prepare(database);
    const old = await database.connect();
    await old.query('begin isolation level repeatable read; select from pg_class limit 1');
    const partkeeper = open({
      tables,
      at: AT,
      sleep: async () => {
        if (partkeeper.sleeps.length < 3) return;
        expect((await old.query('select count(*)::int as n from events')).rows).toEqual([{ n: ROWS }]);
        await old.query('commit');
      },
    });
    expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', failed: 0 }]);
    expect(partkeeper.eventsOf('action-retried').map(({ error }) => error.message)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('is older than they are')),
    );
    expect(await left(database)).toEqual([]);
  });

  test('readers that never leave: it is said, and the next run goes on', async ({ database, open }) => {
    await prepare(database);
    const reader = await database.connect();
    await reader.query('begin; select from events limit 1');
    const partkeeper = open({ tables, at: AT, budget: { lockTimeoutMs: 100, lockAttempts: 2 } });
    expect(await partkeeper.run('provision')).toMatchObject([
      { outcome: 'failure', error: { code: 'LOCK_UNAVAILABLE' } },
    ]);
    expect(partkeeper.eventsOf('action-failed').flatMap(({ error }) => error.message)).toContainEqual(
      expect.stringContaining('could not swap the default partition public.rest for its copies'),
    );
    // Nor can the trigger be dropped while they are there; nobody else minds it, and the next run begins with that.
    await database.query(`insert into events values (0, '2026-03-20', 'still'), (-1, '2019-01-01', 'still')`);
    await reader.query('commit');
    expect((await partkeeper.plan(['provision'])).actions[0]).toMatchObject({ kind: 'clear-leftovers' });
    expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', failed: 0 }]);
    expect(await stored(database)).toEqual([
      { stored: 'events_2026_03', n: ROWS / 2 + 1 },
      { stored: 'rest', n: ROWS / 2 + 1 },
    ]);
    expect(await left(database)).toEqual([]);
  });
});
