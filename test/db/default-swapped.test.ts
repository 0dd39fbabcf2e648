/** A default partition with many rows of a new partition's range, among others: copied aside and swapped while everybody works. */
import { describe, expect } from 'vitest';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { saidDuring, sayingAll } from '../support/notices.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { createTable, months, partitionsOf } from '../support/tables.ts';
import { rowsOfTraffic, startTraffic } from '../support/traffic.ts';

partkeeperTest.override('template', 'bookkeeping');

const EVENTS = relation('public.events');
const AT = at('2026-03-15');
const tables = [aTablePolicy({ relation: EVENTS, premake: 1, defaultPartition: 'drain' })];
const ROWS = 30_000;

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

/** Whatever a drain may leave in the database, by name. */
const left = (database: TestDatabase) =>
  database.query(`
    select relname as what from pg_class where relname ~ '^partkeeper_|^rest_[0-9]' and relkind = 'r'
    union all select proname from pg_proc where proname ~ '^partkeeper_'
    union all select tgname from pg_trigger where tgname ~ '^partkeeper_'
    union all select conname from pg_constraint where conname ~ '^partkeeper_'
    union all select 'drain ' || id from partkeeper.drains`);

const KEYS = ['2026-03-10', '2026-03-20', '2026-01-10', '2020-01-01', '2026-04-02'];

const shortly = (ms: number): Promise<void> =>
  new Promise(done => {
    setTimeout(done, ms / 10);
  });

describe('while everybody works', () => {
  partkeeperTest(
    'no row is lost, doubled or hidden, no insert fails, and nothing is searched under a lock',
    async ({ database, open }) => {
      await prepare(database);
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
    },
  );
});
