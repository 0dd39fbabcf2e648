/** What becomes of expired partitions, and what is never touched however old it is. */
import { describe, expect } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { partkeeperTest, type TestPartkeeper } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { createPartition, createTable, exists, months, partitionsOf } from '../support/tables.ts';

const EVENTS = relation('public.events');
/** The cutoff is 2026-03-17: January and February have expired, March has not. */
const AT = at('2026-06-15');
const drop = aTablePolicy({ relation: EVENTS, premake: 1, retire: 'drop' });
const detach = aTablePolicy({ relation: EVENTS, premake: 1, retire: 'detach' });
const EXPIRED = ['events_2026_01', 'events_2026_02'];
const KEPT = ['events_2026_03', 'events_2026_04', 'events_2026_05', 'events_2026_06', 'events_2026_07'];

/** A row at noon of each month's first day, from January to July. */
async function prepare(database: TestDatabase, more = ''): Promise<void> {
  await createTable(database, 'public.events', { more, partitions: months('events', '2026-01', 7) });
  await database.query(
    `insert into events (id, at) select m, make_timestamptz(2026, m, 1, 12, 0, 0, 'UTC') from generate_series(1, 7) m`,
  );
}

const names = async (database: TestDatabase) => Object.keys(await partitionsOf(database, EVENTS));
const ids = async (database: TestDatabase, table = 'events') =>
  (await database.query<{ id: string }>(`select id from ${table} order by id`)).map(({ id }) => Number(id));

async function expectNothingLeft(partkeeper: TestPartkeeper): Promise<void> {
  expect((await partkeeper.plan(['retire'])).actions).toEqual([]);
}

describe('an expired partition', () => {
  partkeeperTest('is dropped with its rows, and nothing else is', async ({ database, open }) => {
    await prepare(database);
    await database.query('create table events_2025_12 (id int); analyze events');
    const partkeeper = open({ tables: [drop], at: AT });
    expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2, failed: 0, findings: [] }]);
    expect(await names(database)).toEqual(KEPT);
    expect(await ids(database)).toEqual([3, 4, 5, 6, 7]);
    for (const name of EXPIRED) expect(await exists(database, { schema: 'public', name })).toBe(false);
    expect(await exists(database, relation('public.events_2025_12'))).toBe(true);
    await expectNothingLeft(partkeeper);
  });

  partkeeperTest('is on record with its rows, its bytes and each statement', async ({ database, open }) => {
    await prepare(database);
    await database.query('analyze events');
    const [{ bytes } = { bytes: 0 }] = await database.query<{ bytes: number }>(
      `select pg_total_relation_size('events_2026_01')::int as bytes`,
    );
    const partkeeper = open({ tables: [drop], at: AT });
    await partkeeper.run('retire');
    const [first] = partkeeper.eventsOf('action-finished');
    expect(first?.result).toMatchObject({ outcome: 'done', rows: 1, bytes, attempts: 1 });
    expect(first?.result.statements).toContain(
      'alter table "public"."events" detach partition "public"."events_2026_01"',
    );
    expect(first?.result.statements.at(-1)).toBe('drop table "public"."events_2026_01"');
    expect(bytes).toBeGreaterThan(0);
  });

  partkeeperTest('is only detached where the policy keeps it', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables: [detach], at: AT });
    expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await names(database)).toEqual(KEPT);
    expect(await ids(database, 'events_2026_01')).toEqual([1]);
    expect(await ids(database)).toEqual([3, 4, 5, 6, 7]);
    await expectNothingLeft(partkeeper);
  });

  partkeeperTest('goes with its own partitions', async ({ database, open }) => {
    await createTable(database, 'public.events', { partitions: months('events', '2026-02', 6) });
    await database.query(`
      create table events_2026_01 partition of events for values from ('2026-01-01+00') to ('2026-02-01+00') partition by hash (id);
      create table part_0 partition of events_2026_01 for values with (modulus 2, remainder 0);
      create table part_1 partition of events_2026_01 for values with (modulus 2, remainder 1);
      insert into events select n, '2026-01-05' from generate_series(1, 10) n`);
    const partkeeper = open({ tables: [drop], at: AT });
    expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await names(database)).toEqual(KEPT);
    for (const name of ['part_0', 'part_1']) expect(await exists(database, { schema: 'public', name })).toBe(false);
    const sub = partkeeper.eventsOf('action-finished').find(({ action }) => action.relation.name === 'events_2026_01');
    expect(sub?.result.bytes).toBeGreaterThan(0);
  });

  partkeeperTest('is dropped although there is a default partition, whose rows stay', async ({ database, open }) => {
    await prepare(database);
    await database.query(`create table rest partition of events default; insert into events values (99, '2020-01-01')`);
    const partkeeper = open({ tables: [drop], at: AT });
    expect(await partkeeper.run('retire')).toMatchObject([
      { outcome: 'success', done: 2, findings: [{ code: 'DEFAULT_PARTITION' }] },
    ]);
    expect(await names(database)).toEqual([...KEPT, 'rest']);
    expect(await ids(database)).toEqual([3, 4, 5, 6, 7, 99]);
    await expectNothingLeft(partkeeper);
  });

  roleTest('is dropped by a member of the owner', async ({ database, open, role }) => {
    const [owner, keeper] = [await role('nologin', 'owner'), await role('login noinherit', 'keeper')];
    await prepare(database);
    await database.query(`grant ${owner.sql} to ${keeper.sql}; grant usage, create on schema public to ${owner.sql}`);
    for (const name of ['events', ...EXPIRED, ...KEPT])
      await database.query(`alter table ${name} owner to ${owner.sql}`);
    const partkeeper = open({ tables: [drop], at: AT, url: keeper.url });
    expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await names(database)).toEqual(KEPT);
  });

  roleTest('F41: that belongs to somebody else stays, and the others go', async ({ database, open, role }) => {
    const [owner, keeper] = [await role('nologin', 'owner'), await role('login noinherit', 'keeper')];
    await prepare(database);
    await database.query(`grant ${owner.sql} to ${keeper.sql}; grant usage, create on schema public to ${owner.sql}`);
    for (const name of ['events', 'events_2026_02', ...KEPT])
      await database.query(`alter table ${name} owner to ${owner.sql}`);
    const partkeeper = open({ tables: [drop], at: AT, url: keeper.url });
    expect(await partkeeper.run('retire')).toMatchObject([
      { outcome: 'partial', done: 1, failed: 1, error: { code: 'PERMISSION_DENIED' } },
    ]);
    expect(await names(database)).toEqual(['events_2026_01', ...KEPT]);
    expect(await ids(database)).toEqual([1, 3, 4, 5, 6, 7]);
  });
});

describe('what depends on an expired partition keeps it, and nothing is half done', () => {
  partkeeperTest('F45: rows that refer to its rows', async ({ database, open }) => {
    await prepare(database, ', primary key (id, at)');
    await database.query(`
      create table lines (event bigint, event_at timestamptz, foreign key (event, event_at) references events);
      insert into lines select id, at from events where id = 1`);
    const partkeeper = open({ tables: [drop], at: AT });
    expect(await partkeeper.run('retire')).toMatchObject([
      { outcome: 'partial', done: 1, failed: 1, error: { code: 'STILL_REFERENCED', sqlstate: '23503' } },
    ]);
    expect(await names(database)).toEqual(['events_2026_01', ...KEPT]);
    expect(await ids(database)).toEqual([1, 3, 4, 5, 6, 7]);
    await database.query('delete from lines');
    expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 1 }]);
    // The foreign key goes on guarding what is left.
    await expect(database.query(`insert into lines values (1, '2026-01-01 12:00+00')`)).rejects.toThrow(
      /violates foreign key/,
    );
  });

  partkeeperTest.for([
    ['a view', 'create view old_ones as select * from events_2026_01'],
    ['a materialized view', 'create materialized view old_ones as select * from events_2026_01'],
    ['a function of its row type', `create function f(events_2026_01) returns int language sql as 'select 1'`],
  ] as const)('%s that uses it', async ([, sql], { database, open }) => {
    await prepare(database);
    await database.query(sql);
    const partkeeper = open({ tables: [drop], at: AT });
    expect(await partkeeper.run('retire')).toMatchObject([
      { outcome: 'partial', done: 1, failed: 1, error: { code: 'STILL_REFERENCED', sqlstate: '2BP01' } },
    ]);
    // Still attached: what was detached in the same transaction came back.
    expect(await names(database)).toEqual(['events_2026_01', ...KEPT]);
    expect(await ids(database)).toEqual([1, 3, 4, 5, 6, 7]);
  });
});

describe('never touched is', () => {
  partkeeperTest('a foreign table, or a partition that contains one', async ({ database, open }) => {
    await createTable(database, 'public.events', { partitions: months('events', '2026-03', 5) });
    await database.query(`
      create foreign data wrapper dummy; create server elsewhere foreign data wrapper dummy;
      create foreign table far partition of events for values from ('2026-01-01+00') to ('2026-02-01+00') server elsewhere;
      create table half partition of events for values from ('2026-02-01+00') to ('2026-03-01+00') partition by hash (id);
      create foreign table half_0 partition of half for values with (modulus 1, remainder 0) server elsewhere`);
    const partkeeper = open({ tables: [drop], at: AT });
    const [report] = await partkeeper.run('retire');
    expect(report).toMatchObject({ outcome: 'success', done: 0 });
    expect(report?.findings.map(({ code }) => code)).toEqual(['FOREIGN_PARTITION', 'FOREIGN_PARTITION']);
    expect(await names(database)).toEqual([...KEPT, 'far', 'half']);
  });

  partkeeperTest('one without an end on either side', async ({ database, open }) => {
    await prepare(database);
    await createPartition(database, EVENTS, 'older', 'MINVALUE', '2026-01-01');
    await open({ tables: [drop], at: AT }).run('retire');
    expect(await names(database)).toEqual([...KEPT, 'older']);
  });

  partkeeperTest('the last partition of a table', async ({ database, open }) => {
    await createTable(database, 'public.events', { partitions: { all: ['2025-01-01', '2027-01-01'] } });
    await open({
      tables: [{ ...drop, interval: 'year', name: '{table}_{YYYY}', premake: 0 }],
      at: at('2026-06-15'),
    }).run('retire');
    expect(await names(database)).toEqual(['all']);
  });

  partkeeperTest('anything while rows of today would find no partition', async ({ database, open }) => {
    await createTable(database, 'public.events', { partitions: months('events', '2026-01', 5) });
    const partkeeper = open({ tables: [drop], at: AT });
    expect(await partkeeper.run('retire')).toMatchObject([{ done: 0, findings: [{ code: 'COVERAGE_BROKEN' }] }]);
    expect(await names(database)).toHaveLength(5);
    await partkeeper.run('provision');
    expect(await partkeeper.run('retire')).toMatchObject([{ done: 2, findings: [] }]);
    expect(await names(database)).toEqual(KEPT);
  });

  partkeeperTest('anything while one of the two clocks must be wrong', async ({ database, open }) => {
    // Years old by either clock.
    await createTable(database, 'public.events', { partitions: months('events', '2020-01', 2) });
    await open({ tables: [drop] }).run('provision');
    const before = await names(database);
    for (const clockOffsetMs of [-120_000, 120_000]) {
      const partkeeper = open({ tables: [drop], clockOffsetMs });
      expect(await partkeeper.run('retire')).toMatchObject([{ done: 0, findings: [{ code: 'CLOCK_SKEW' }] }]);
    }
    expect(await names(database)).toEqual(before);
    expect(await open({ tables: [drop], clockOffsetMs: 1_000 }).run('retire')).toMatchObject([{ done: 2 }]);
  });
});
