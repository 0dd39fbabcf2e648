/** A default partition too large to be searched under a lock: a CHECK proves beforehand that it holds nothing of a future range. */
import { expect } from 'vitest';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { saidDuring, sayingAll } from '../support/notices.ts';
import { actionsOf, partkeeperTest } from '../support/partkeeper.ts';
import { createTable, months, partitionsOf } from '../support/tables.ts';

const EVENTS = relation('public.events');
const AT = at('2026-03-15');
const tables = [aTablePolicy({ relation: EVENTS, premake: 1 })];
/** What 10 MB are searched in. */
const budget = { lockTimeoutMs: 20, lockAttempts: 20 };

/** March, and 12 MB of 2020 in the default partition. */
async function prepare(database: TestDatabase): Promise<void> {
  await createTable(database, 'public.events', { more: ', pad text', partitions: months('events', '2026-03', 1) });
  await database.query(`
    create table rest partition of events default;
    alter table rest alter column pad set storage plain;
    insert into events select i, '2020-01-01', repeat('x', 4000) from generate_series(1, 3000) i`);
}

const checksOf = (database: TestDatabase) =>
  database.query(`select conname::text from pg_constraint where conrelid = 'rest'::regclass and contype = 'c'`);
const names = async (database: TestDatabase) => Object.keys(await partitionsOf(database, EVENTS));

partkeeperTest('the server takes its word, and it is gone with the attach', async ({ database, open }) => {
  await prepare(database);
  const partkeeper = open({ tables, at: AT, budget, url: sayingAll(database.url) });
  const { value: reports, said } = await saidDuring(() => partkeeper.run('provision'));
  expect(reports).toMatchObject([{ outcome: 'success', done: 1 }]);
  const statements = partkeeper.eventsOf('action-finished')[0]?.result.statements ?? [];
  expect(statements.filter(text => text.includes('partkeeper_no_rows'))).toEqual([
    expect.stringContaining('add constraint "partkeeper_no_rows" check (not ('),
    'alter table "public"."rest" validate constraint "partkeeper_no_rows"',
    'alter table "public"."rest" drop constraint if exists "partkeeper_no_rows"',
  ]);
  expect(await checksOf(database)).toEqual([]);
  expect(await names(database)).toEqual(['events_2026_03', 'events_2026_04', 'rest']);
  expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  expect(said).toContain(
    'updated partition constraint for default partition "rest" is implied by existing constraints',
  );
});

partkeeperTest(
  'rows that are in the range after all: it is taken off again and they are reported',
  async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables, at: AT, budget });
    const [action] = actionsOf(await partkeeper.plan(['provision']), 'create-partition');
    const holder = await database.connect();
    // Counted before, committed while the CHECK is waited for.
    await holder.query(`begin; insert into events values (1, '2026-04-10')`);
    const running = partkeeper.run('provision');
    await waitUntil(() => partkeeper.eventsOf('action-retried').length > 0, { what: 'the CHECK to be waited for' });
    await holder.query('commit');
    expect(await running).toMatchObject([
      { outcome: 'failure', error: { code: 'DEFAULT_HAS_ROWS', message: expect.stringContaining('holds 1 row') } },
    ]);
    expect(action?.beside).toMatchObject({ isAhead: true, onRows: 'report' });
    expect(await checksOf(database)).toEqual([]);
  },
);

partkeeperTest(
  'an interrupted run has left it: the next one takes it off before anything else',
  async ({ database, open }) => {
    await prepare(database);
    await database.query(`
    alter table rest add constraint partkeeper_no_rows check (not (at is not null and at >= '2026-04-01+00' and at < '2026-05-01+00')) not valid`);
    await expect(database.query(`insert into events values (1, '2026-04-10')`)).rejects.toMatchObject({
      code: '23514',
    });
    const partkeeper = open({ tables, at: AT, budget });
    const { actions } = await partkeeper.plan(['provision']);
    expect(actions.map(({ kind, because: { rule } }) => `${kind}: ${rule}`)).toEqual([
      'clear-leftovers: left-behind',
      'create-partition: premake',
    ]);
    expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await checksOf(database)).toEqual([]);
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  },
);

partkeeperTest(
  'for the current window there is none: it would refuse the rows that come now',
  async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables, at: at('2026-04-15'), budget: { ...budget, lockTimeoutMs: 20 } });
    await partkeeper.run('provision');
    const [current, ahead] = partkeeper.eventsOf('action-finished').map(({ result }) => result.statements.join(';'));
    expect(current).toContain('lock table only "public"."events" in share row exclusive mode');
    expect(current).not.toContain('partkeeper_no_rows');
    expect(ahead).toContain('partkeeper_no_rows');
  },
);
