/** Rows of the default partition that belong into a new partition, moved there in one transaction. */
import { describe, expect } from 'vitest';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { type OpenPartkeeper, partkeeperTest } from '../support/partkeeper.ts';
import { createTable, months, partitionsOf } from '../support/tables.ts';
import { rowsOfTraffic, startTraffic } from '../support/traffic.ts';

const test = partkeeperTest.extend('template', 'bookkeeping');

const EVENTS = relation('public.events');
const AT = at('2026-03-15');
const tables = [aTablePolicy({ relation: EVENTS, premake: 1, defaultPartition: 'drain' })];

const MORE = ', note text, primary key (id, at)';

/** February, and a default partition that holds `rows`, written as the values of (id, at, note). */
async function prepare(database: TestDatabase, rows: string, more = MORE): Promise<void> {
  await createTable(database, 'public.events', { more, partitions: months('events', '2026-02', 1) });
  await database.query('create table rest partition of events default');
  await database.query(`insert into events (id, at, note) ${rows}`);
}

/** In March, and in no partition's range but the default's. */
const MIXED = `select i, case when i % 2 = 0 then '2026-03-10'::timestamptz else '2020-01-01' end, 'still' from generate_series(1, 2000) i`;
const MARCH = `select i, '2026-03-01'::timestamptz + i * interval '1 minute', 'still' from generate_series(1, 3000) i`;

const stored = (database: TestDatabase) =>
  database.query<{ stored: string; n: number; sum: number }>(
    'select tableoid::regclass::text as stored, count(*)::int as n, sum(id)::float8 as sum from events group by 1 order by 1',
  );

async function provision(open: OpenPartkeeper) {
  const partkeeper = open({ tables, at: AT });
  const [report] = await partkeeper.run('provision');
  const statements = partkeeper.eventsOf('action-finished').flatMap(({ result }) => result.statements);
  return { partkeeper, report, statements };
}

describe('few rows', () => {
  test('are moved with the attach of their partition', async ({ database, open }) => {
    await prepare(database, MIXED);
    const { partkeeper, report, statements } = await provision(open);
    expect(report).toMatchObject({ outcome: 'success', done: 2, findings: [{ code: 'DEFAULT_PARTITION' }] });
    expect(partkeeper.eventsOf('action-finished').map(({ result }) => result.rows)).toEqual([1000, undefined]);
    expect(await stored(database)).toEqual([
      { stored: 'events_2026_03', n: 1000, sum: 1_001_000 },
      { stored: 'rest', n: 1000, sum: 1_000_000 },
    ]);
    expect(statements).toContain('lock table only "public"."events" in access exclusive mode');
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
    // At once, and not when the session has been idle for 10 s: an ANALYZE in between would be due again afterwards.
    expect(
      await database.query(`select pg_stat_get_mod_since_analyze('events_2026_03'::regclass)::int as changed`),
    ).toEqual([{ changed: 1000 }]);
  });

  test('of every kind of column are the same afterwards', async ({ database, open }) => {
    await createTable(database, 'public.events', {
      more: `, note text, twice bigint generated always as (id * 2) stored, serial bigint generated always as identity, "Odd, name" jsonb, primary key (id, at)`,
    });
    await database.query(`
      create table rest partition of events default;
      insert into events (id, at, note, "Odd, name")
        select i, '2026-03-10', null, '{"a": [1, null]}' from generate_series(1, 5) i;
      insert into events (id, at, note) values (6, '2020-01-01', repeat('long ', 10000))`);
    const everything = 'select * from events order by id';
    const before = await database.query(everything);
    expect((await provision(open)).report).toMatchObject({ outcome: 'success' });
    expect(await database.query(everything)).toEqual(before);
    expect(await stored(database)).toMatchObject([
      { stored: 'events_2026_03', n: 5 },
      { stored: 'rest', n: 1 },
    ]);
    await database.query(`insert into events (id, at) values (7, '2026-03-11')`);
    expect(await database.query('select serial::int, twice::int from events where id = 7')).toEqual([
      { serial: 7, twice: 14 },
    ]);
  });

  test('an insert that waits meanwhile finds the new partition', async ({ database, open }) => {
    await prepare(database, MIXED);
    const holder = await database.connect();
    // Keeps the attach waiting with writers at the parent behind it; they must not fail when it is there.
    await holder.query('begin; select from rest limit 1');
    const partkeeper = open({ tables, at: AT, budget: { lockAttempts: 100 } });
    const running = partkeeper.run('provision');
    await waitUntil(() => partkeeper.eventsOf('action-retried').length > 0, { what: 'the move to be tried' });
    const writing = database.query(`insert into events values (0, '2026-03-12', 'queued')`);
    await holder.query('rollback');
    await writing;
    expect(await running).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await database.query(`select tableoid::regclass::text as stored from events where note = 'queued'`)).toEqual(
      [{ stored: expect.stringMatching(/^(rest|events_2026_03)$/) }],
    );
    expect(await stored(database)).toMatchObject([
      { stored: 'events_2026_03', n: 1001 },
      { stored: 'rest', n: 1000 },
    ]);
  });
});

describe('a default partition that holds nothing else', () => {
  test('becomes the partition, and an empty one takes its place', async ({ database, open }) => {
    await prepare(database, MARCH);
    await database.query(`
      grant select on rest to public;
      alter table rest set (fillfactor = 70);
      create index rest_note on rest (note)`);
    const [before] = await database.query(`select 'rest'::regclass::oid::int as oid`);
    const { partkeeper, report, statements } = await provision(open);
    expect(report).toMatchObject({ outcome: 'success', done: 2 });
    expect(statements.filter(text => /insert|delete/.test(text))).toEqual([]);
    expect(await stored(database)).toEqual([{ stored: 'events_2026_03', n: 3000, sum: 4_501_500 }]);
    expect(await database.query(`select 'events_2026_03'::regclass::oid::int as oid`)).toEqual([before]);
    expect(Object.keys(await partitionsOf(database, EVENTS))).toEqual([
      'events_2026_02',
      'events_2026_03',
      'events_2026_04',
      'rest',
    ]);
    expect(
      await database.query(
        `select relacl::text like '%=r/%' as granted, reloptions, (select count(*)::int from pg_index where indrelid = c.oid) as indexes from pg_class c where oid = 'rest'::regclass`,
      ),
    ).toEqual([{ granted: true, reloptions: ['fillfactor=70'], indexes: 2 }]);
    await database.query(`insert into events values (1, '2019-01-01', 'elsewhere')`);
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  });
});

describe('while everybody works', () => {
  const MARCH_KEYS = ['2026-03-10', '2026-03-20', '2026-02-10'];
  const MIXED_KEYS = [...MARCH_KEYS, '2020-01-01', '2026-04-02'];

  test.for([
    ['few rows', MIXED, 2_000, MIXED_KEYS],
    ['the whole', MARCH, 3000, MARCH_KEYS],
  ] as const)(
    '%s: no row is lost, doubled or hidden, and no insert fails',
    async ([, rows, still, keys], { database, open }) => {
      await prepare(database, rows);
      const traffic = await startTraffic(database, { writers: 3, keys, seed: 7, still });
      await waitUntil(() => traffic.done() > 200);
      const partkeeper = open({
        tables,
        at: AT,
        budget: { lockAttempts: 50 },
        sleep: ms => new Promise(done => setTimeout(done, ms / 10)),
      });
      const [report] = await partkeeper.run('provision');
      const after = traffic.done();
      await waitUntil(() => traffic.done() > after + 200);
      const { errors, misread, rows: remembered } = await traffic.stop();
      expect(report?.error).toBeUndefined();
      expect({ errors, misread }).toEqual({ errors: [], misread: [] });
      expect(await rowsOfTraffic(database)).toEqual(remembered);
      expect((await stored(database)).map(({ stored: name }) => name)).toContain('events_2026_03');
      expect(
        await database.query(`select count(*)::int as n from rest where at >= '2026-03-01' and at < '2026-05-01'`),
      ).toEqual([{ n: 0 }]);
    },
  );
});
