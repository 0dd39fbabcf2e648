/** Creating partitions beside a default partition, which the server locks and searches for rows of the new range. */
import { expect } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { createTable, exists, months, partitionsOf } from '../support/tables.ts';

const EVENTS = relation('public.events');
const AT = at('2026-03-15');
const tables = [aTablePolicy({ relation: EVENTS, premake: 1 })];

/** February, and everything else. */
async function prepare(database: TestDatabase): Promise<void> {
  await createTable(database, 'public.events', { partitions: months('events', '2026-02', 1) });
  await database.query('create table rest partition of events default');
}

const names = async (database: TestDatabase) => Object.keys(await partitionsOf(database, EVENTS));

partkeeperTest(
  'partitions are made although there is a default partition, and a person is told of it',
  async ({ database, open }) => {
    await prepare(database);
    await database.query(`insert into events values (1, '2020-01-01')`);
    const partkeeper = open({ tables, at: AT });
    expect(await partkeeper.run('provision')).toMatchObject([
      { outcome: 'success', done: 2, findings: [{ code: 'DEFAULT_PARTITION', severity: 'info' }] },
    ]);
    expect(await names(database)).toEqual(['events_2026_02', 'events_2026_03', 'events_2026_04', 'rest']);
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  },
);

partkeeperTest(
  'F44: rows of a new range in the default partition keep that one from being made, and no other',
  async ({ database, open }) => {
    await prepare(database);
    await database.query(`insert into events values (1, '2026-03-10')`);
    const partkeeper = open({ tables, at: AT });
    expect(await partkeeper.run('provision')).toMatchObject([
      {
        outcome: 'partial',
        done: 1,
        failed: 1,
        error: { code: 'DEFAULT_HAS_ROWS', message: expect.stringContaining('holds 1 row of its range') },
        findings: [
          { code: 'DEFAULT_PARTITION' },
          { code: 'DEFAULT_HAS_ROWS', severity: 'error', hint: expect.stringContaining('default: drain') },
        ],
      },
    ]);
    expect(await names(database)).toEqual(['events_2026_02', 'events_2026_04', 'rest']);
    expect(await exists(database, relation('public.events_2026_03'))).toBe(false);
    expect(await database.query('select id::int, tableoid::regclass::text as stored from events')).toEqual([
      { id: 1, stored: 'rest' },
    ]);

    await database.query('delete from events');
    expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', done: 1 }]);
  },
);

partkeeperTest('a reader of the default partition is waited for within the budget only', async ({ database, open }) => {
  await prepare(database);
  const reader = await database.connect();
  await reader.query('begin; select from rest');
  const partkeeper = open({ tables, at: AT, budget: { lockTimeoutMs: 50, lockAttempts: 2 } });
  expect(await partkeeper.run('provision')).toMatchObject([
    { outcome: 'failure', done: 0, failed: 2, error: { code: 'LOCK_UNAVAILABLE' } },
  ]);
  expect(await names(database)).toEqual(['events_2026_02', 'rest']);
  await reader.query('rollback');
  expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', done: 2 }]);
});
