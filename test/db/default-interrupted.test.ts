/**
 * Promise 4 beside a default partition: whoever dies between any two statements of a drain leaves every row in its place and
 * every insert possible, and the next run converges. Some statements are chosen by chance; PK_FAULTS=all tries every one.
 */
import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import { type Runner, runJob } from '../../src/run-job.ts';
import { killedAt, withAccident } from '../support/accident.ts';
import type { TestDatabase } from '../support/database.ts';
import { leftOfDrains } from '../support/drains.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { partkeeperTest, type TestPartkeeper } from '../support/partkeeper.ts';
import { createTable, months } from '../support/tables.ts';

const test = partkeeperTest.extend('template', 'bookkeeping');

const EVENTS = relation('public.events');
const AT = at('2026-03-15');
const policyOf = (defaultPartition: 'report' | 'drain') => [
  aTablePolicy({ relation: EVENTS, premake: 0, defaultPartition }),
];
const all = process.env.PK_FAULTS === 'all';

/** Few rows, and a trigger that would take a move for a deletion: only a swap is left. */
async function prepare(database: TestDatabase): Promise<void> {
  await database.query('drop table if exists events, told');
  await createTable(database, 'public.events', {
    more: ', primary key (id, at)',
    partitions: months('events', '2026-02', 1),
  });
  await database.query(`
    create table told (id bigint);
    create or replace function tell() returns trigger language plpgsql as
      'begin insert into public.told values (old.id); return null; end';
    create trigger tell after delete on events for each row execute function tell();
    create table rest partition of events default;
    insert into events select i, case when i % 2 = 0 then '2026-03-10'::timestamptz else '2020-01-01' end from generate_series(1, 40) i`);
}

/** What must be true at every moment: each row there once, nobody told of a deletion, and room for every insert. */
async function expectSound(database: TestDatabase): Promise<void> {
  expect(
    await database.query('select count(*)::int as n, sum(id)::int as sum, count(distinct id)::int as ids from events'),
  ).toEqual([{ n: 40, sum: 820, ids: 40 }]);
  expect(await database.query('select from told')).toEqual([]);
  await database.query(`
    begin;
    insert into events values (-1, '2026-03-12'), (-2, '2019-01-01'), (-3, '2030-01-01'), (-4, '2026-02-02');
    update events set id = id + 1000;
    rollback`);
}

async function expectDone(database: TestDatabase, partkeeper: TestPartkeeper): Promise<void> {
  expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  expect(await leftOfDrains(database)).toEqual([]);
  expect(
    await database.query(
      'select tableoid::regclass::text as stored, count(*)::int as n from events group by 1 order by 1',
    ),
  ).toEqual([
    { stored: 'events_2026_03', n: 20 },
    { stored: 'rest', n: 20 },
  ]);
  await expectSound(database);
}

const run = (runner: Runner) => {
  const never = new AbortController().signal;
  const origin = { trigger: 'manual' } as const;
  return runJob(runner, {
    job: 'provision',
    targets: [EVENTS],
    origin,
    isAskedFor: false,
    signal: never,
    stopping: never,
    at: AT,
  });
};

/** About so many of the statements, evenly, or all of them. */
function chosen(count: number, atMost: number, seed: number): readonly number[] {
  const step = all ? 1 : Math.max(1, count / atMost);
  const start = all ? 1 : 1 + (seed % Math.ceil(step));
  const numbers: number[] = [];
  for (let number = start; number <= count; number += step) numbers.push(Math.floor(number));
  return numbers;
}

test('a swap that is killed, at whatever statement', { timeout: 300_000 }, async ({ database, open }) => {
  const seed = Number(process.env.PK_FAULTS_SEED || randomInt(2 ** 31));
  const partkeeper = open({ tables: policyOf('drain'), at: AT, isAlone: true });
  const { runner } = partkeeper;
  await prepare(database);
  const whole = withAccident(runner.database, killedAt(Number.POSITIVE_INFINITY));
  expect(await run({ ...runner, database: whole.database })).toMatchObject([{ outcome: 'success', done: 1 }]);
  await expectDone(database, partkeeper);
  const count = whole.statements.length;
  expect(whole.statements.filter(text => text.startsWith('create trigger'))).toHaveLength(1);

  for (const number of chosen(count, 8, seed)) {
    const where = `PK_FAULTS_SEED=${seed}: ${number} of ${count}, ${whole.statements[number - 1]}`;
    await prepare(database);
    await run({ ...runner, database: withAccident(runner.database, killedAt(number)).database });
    try {
      await expectSound(database);
      expect(await run(runner)).toMatchObject([{ outcome: 'success', failed: 0 }]);
      await expectDone(database, partkeeper);
    } catch (error) {
      throw new Error(where, { cause: error });
    }
  }
});

test('a swap whose backend is terminated goes on by itself', { timeout: 300_000 }, async ({ database, open }) => {
  const seed = Number(process.env.PK_FAULTS_SEED || randomInt(2 ** 31));
  const partkeeper = open({ tables: policyOf('drain'), at: AT, isAlone: true });
  const { runner } = partkeeper;
  for (const number of chosen(90, 2, seed)) {
    await prepare(database);
    const fated = withAccident(runner.database, async (_, reached, session) => {
      if (reached !== number) return;
      const [row] = await session.query<{ pid: number }>('select pg_backend_pid() as pid', [], 'be known');
      await database.query('select pg_terminate_backend($1, 5000)', [row?.pid]);
    });
    const reports = await run({ ...runner, database: fated.database });
    const where = `PK_FAULTS_SEED=${seed}: ${number}, ${fated.statements[number - 1]}`;
    expect(
      reports.map(({ outcome }) => outcome),
      where,
    ).not.toContain('partial');
    await expectSound(database);
    await run(runner);
    await expectDone(database, partkeeper);
  }
});

test('a CHECK whose run is killed, at whatever statement', { timeout: 300_000 }, async ({ database, open }) => {
  const seed = Number(process.env.PK_FAULTS_SEED || randomInt(2 ** 31));
  // Half a megabyte is more than what is searched in a millisecond; nobody else is there to be waited for.
  const policies = [aTablePolicy({ relation: EVENTS, premake: 1 })];
  const partkeeper = open({ tables: policies, at: AT, isAlone: true, budget: { lockTimeoutMs: 1 } });
  const { runner } = partkeeper;
  const prepareLarge = async (): Promise<void> => {
    await database.query('drop table if exists events');
    await createTable(database, 'public.events', { more: ', pad text', partitions: months('events', '2026-03', 1) });
    await database.query(`
      create table rest partition of events default;
      alter table rest alter pad set storage plain;
      insert into events select i, '2020-01-01', repeat('x', 8000) from generate_series(1, 80) i`);
  };
  await prepareLarge();
  const whole = withAccident(runner.database, killedAt(Number.POSITIVE_INFINITY));
  expect(await run({ ...runner, database: whole.database })).toMatchObject([{ outcome: 'success', done: 1 }]);
  const count = whole.statements.length;
  expect(whole.statements.filter(text => /^alter.*partkeeper_no_rows/.test(text))).toHaveLength(3);

  for (const number of chosen(count, 6, seed)) {
    await prepareLarge();
    await run({ ...runner, database: withAccident(runner.database, killedAt(number)).database });
    // What comes now is refused in no case.
    await database.query(`insert into events values (-1, '2026-03-20'), (-2, '2019-01-01')`);
    expect(await run(runner), `PK_FAULTS_SEED=${seed}: ${number}`).toMatchObject([{ outcome: 'success', failed: 0 }]);
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
    expect(await leftOfDrains(database)).toEqual([]);
    expect(await database.query('select count(*)::int as n from events')).toEqual([{ n: 82 }]);
  }
});
