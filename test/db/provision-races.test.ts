/** Creating while others do the same, or something else entirely. */
import { describe, expect } from 'vitest';
import { awaitedLocks, waitUntil } from '../support/client.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { actionsOf, partkeeperTest, runAndMeanwhile } from '../support/partkeeper.ts';
import { createPartition, createTable, exists, months, partitionsOf } from '../support/tables.ts';

const EVENTS = relation('public.events');
const policies = (...names: readonly string[]) =>
  names.map(name => aTablePolicy({ relation: relation(`public.${name}`), premake: 1 }));
const AT = at('2026-03-15');
const WANTED = months('events', '2026-03', 2);

const boundsOf = (partitions: typeof WANTED) =>
  Object.fromEntries(
    Object.entries(partitions).map(([name, [lower, upper]]) => [
      name,
      `FOR VALUES FROM ('${lower} 00:00:00+00') TO ('${upper} 00:00:00+00')`,
    ]),
  );

const patient = { lockTimeoutMs: 10_000 };

describe('several replicas at once', () => {
  partkeeperTest('F29: make each partition once, and none of them fails', async ({ database, open }) => {
    await createTable(database);
    const replicas = [1, 2, 3, 4].map(() => open({ tables: policies('events'), at: AT, budget: patient }));
    const reports = (await Promise.all(replicas.map(replica => replica.run('provision')))).flat();
    // Who finds another run of the same job on the same target leaves it to that one.
    const outcomes = reports.map(({ outcome }) => outcome);
    expect(outcomes).toContain('success');
    expect(outcomes.filter(outcome => outcome !== 'success' && outcome !== 'skipped')).toEqual([]);
    const made = replicas
      .flatMap(replica => replica.eventsOf('action-finished'))
      .filter(e => e.result.outcome === 'done');
    expect(made.map(({ action }) => action.relation.name).sort()).toEqual(Object.keys(WANTED));
    expect(await partitionsOf(database, EVENTS)).toEqual(boundsOf(WANTED));
    expect((await replicas[0]?.plan(['provision']))?.actions).toEqual([]);
  });

  partkeeperTest('find already done what they planned alike', async ({ database, open }) => {
    await createTable(database);
    const [one, two] = [1, 2].map(() => open({ tables: policies('events'), at: AT, budget: patient }));
    if (!one || !two) throw new Error('there are two');
    const [mine, yours] = [await one.plan(['provision']), await two.plan(['provision'])];
    expect(mine.actions).toEqual(yours.actions);
    for (const action of mine.actions) {
      const done = await Promise.all([one.act(action), two.act(action)]);
      expect(done.map(({ outcome }) => outcome).sort()).toEqual(['already-done', 'done']);
      expect(done.find(({ outcome }) => outcome === 'already-done')?.statements).toEqual([]);
    }
    expect(await partitionsOf(database, EVENTS)).toEqual(boundsOf(WANTED));
  });
});

describe('between plan and act', () => {
  partkeeperTest('somebody took the name: the run plans anew and takes another one', async ({ database, open }) => {
    await createTable(database);
    const partkeeper = open({ tables: policies('events'), at: AT, budget: patient });
    const [report] = await runAndMeanwhile(database, partkeeper, 'provision', 'create table events_2026_03 (id int)');
    expect(partkeeper.eventsOf('action-failed')).toMatchObject([{ error: { code: 'NAME_TAKEN', sqlstate: '42P07' } }]);
    expect(report).toMatchObject({ outcome: 'success', done: 2 });
    expect(Object.values(await partitionsOf(database, EVENTS)).sort()).toEqual(Object.values(boundsOf(WANTED)));
    expect(Object.keys(await partitionsOf(database, EVENTS))).toEqual(['events_2026_03_2', 'events_2026_04']);
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  });

  partkeeperTest(
    'F42: somebody attached a partition that overlaps: the run makes what is left',
    async ({ database, open }) => {
      await createTable(database);
      const partkeeper = open({ tables: policies('events'), at: AT, budget: patient });
      const [report] = await runAndMeanwhile(
        database,
        partkeeper,
        'provision',
        `create table by_hand partition of events for values from ('2026-03-01+00') to ('2026-03-20+00')`,
      );
      expect(partkeeper.eventsOf('action-failed')).toMatchObject([
        { error: { code: 'BOUND_CONFLICT', sqlstate: '42P17' } },
      ]);
      expect(report).toMatchObject({ outcome: 'success' });
      expect(await partitionsOf(database, EVENTS)).toEqual({
        by_hand: `FOR VALUES FROM ('2026-03-01 00:00:00+00') TO ('2026-03-20 00:00:00+00')`,
        events_2026_03_from_0320: `FOR VALUES FROM ('2026-03-20 00:00:00+00') TO ('2026-04-01 00:00:00+00')`,
        events_2026_04: boundsOf(WANTED).events_2026_04,
      });
      expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
    },
  );

  partkeeperTest('F31: somebody made the same partition by hand: it counts as done', async ({ database, open }) => {
    await createTable(database);
    const partkeeper = open({ tables: policies('events'), at: AT, budget: patient });
    const [report] = await runAndMeanwhile(
      database,
      partkeeper,
      'provision',
      `create table by_hand partition of events for values from ('2026-03-01+00') to ('2026-04-01+00')`,
    );
    expect(report).toMatchObject({ outcome: 'success', failed: 0 });
    expect(partkeeper.eventsOf('action-finished').map(({ result }) => result.outcome)).toEqual([
      'already-done',
      'done',
    ]);
    expect(Object.keys(await partitionsOf(database, EVENTS))).toEqual(['by_hand', 'events_2026_04']);
  });

  partkeeperTest.for([
    ['dropped the table', 'drop table events', false],
    ['renamed the table', 'alter table events rename to archive', false],
    ['moved the table', 'create schema attic; alter table events set schema attic', false],
    [
      'put another table in its place',
      'alter table events rename to archive; create table events (id bigint, at timestamptz not null) partition by range (at)',
      true,
    ],
  ] as const)(
    'F40: somebody %s: nothing is done by the old plan, and the other tables have their turn',
    async ([, meanwhile, isThere], { database, open }) => {
      await createTable(database);
      const other = await createTable(database, 'public.other');
      const partkeeper = open({ tables: policies('events', 'other'), at: AT, budget: patient });
      const [report, next] = await runAndMeanwhile(database, partkeeper, 'provision', meanwhile);
      const failures = partkeeper.eventsOf('action-failed');
      expect(failures.map(({ action, error }) => [action.relation.name, error.code])).toEqual([
        ['events_2026_03', 'STALE_PLAN'],
        ['events_2026_04', 'STALE_PLAN'],
      ]);
      // With fresh facts, the same run keeps the new table, or says that there is none.
      expect(Object.keys(isThere ? await partitionsOf(database, EVENTS) : {})).toEqual(
        isThere ? Object.keys(WANTED) : [],
      );
      // Whatever the old plan was for, the run ends as one that began now would.
      expect(report).toMatchObject({ outcome: 'success', failed: 0 });
      expect(report?.findings.map(({ code }) => code)).toEqual(isThere ? [] : ['TARGET_MISSING']);
      expect(await exists(database, { schema: 'public', name: 'events_2026_03' })).toBe(isThere);
      expect(next).toMatchObject({ outcome: 'success', done: 2 });
      expect(Object.keys(await partitionsOf(database, other))).toEqual(['other_2026_03', 'other_2026_04']);
    },
  );
});

partkeeperTest(
  'a table that is replaced at the last moment gets no partition of the old plan',
  async ({ database, open }) => {
    await createTable(database);
    const partkeeper = open({ tables: policies('events'), at: AT, budget: patient });
    const [action] = actionsOf(await partkeeper.plan(['provision']), 'create-partition');
    if (!action) throw new Error('there is something to do');
    const other = await database.connect();
    await other.query('begin; lock table events in access exclusive mode');
    const acting = partkeeper.act(action).catch((error: unknown) => error);
    // It has seen that the name leads to the right table; from here on it goes by the name.
    await waitUntil(async () => (await awaitedLocks(other, 'events')).length === 1, { what: 'the action to wait' });
    await other.query(`
    alter table events rename to archive;
    create table events (id bigint, at timestamptz not null) partition by range (at)`);
    await other.query('commit');
    expect(await acting).toMatchObject({ code: 'STALE_PLAN' });
    expect(await partitionsOf(database, EVENTS)).toEqual({});
    expect(await partitionsOf(database, relation('public.archive'))).toEqual({});
    expect(await exists(database, action.relation)).toBe(false);
  },
);

partkeeperTest('what is left of an interrupted attempt is nothing', async ({ database, open }) => {
  await createTable(database);
  const partkeeper = open({ tables: policies('events'), at: AT, budget: patient, pool: 1 });
  const holder = await database.connect();
  await holder.query('begin; lock table only events in share update exclusive mode');
  const [action] = actionsOf(await partkeeper.plan(['provision']), 'create-partition');
  if (!action) throw new Error('there is something to do');
  const acting = partkeeper.act(action).catch((error: unknown) => error);
  const pid = await waitUntil(async () => {
    const [row] = await database.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'partkeeper' and wait_event_type = 'Lock' and datname = current_database()`,
    );
    return row?.pid;
  });
  await database.query('select pg_terminate_backend($1)', [pid]);
  expect(await acting).toMatchObject({ code: 'CONNECTION_LOST' });
  await holder.query('rollback');
  expect(await exists(database, action.relation)).toBe(false);
  await createPartition(database, EVENTS, 'events_2026_03', '2026-03-01', '2026-04-01');
  expect((await partkeeper.act(action)).outcome).toBe('already-done');
});

partkeeperTest(
  'a long writer of a table that a foreign key leads to is not queued behind: nobody else has to wait for it',
  async ({ database, open }) => {
    await database.query('create table customers (id int primary key); insert into customers values (1)');
    await createTable(database, 'public.events', { more: ', customer int references customers' });
    const [writer, other] = await Promise.all([database.connect(), database.connect()]);
    await writer.query('begin; insert into customers values (2)');
    const partkeeper = open({ tables: policies('events'), at: AT, budget: { passingMs: 1, lockAttempts: 1 } });
    const [report] = await partkeeper.run('provision');
    // Missing partitions are a failure, whoever is to blame.
    expect(report).toMatchObject({
      outcome: 'failure',
      deferred: 0,
      error: { code: 'BLOCKED', message: expect.stringMatching(/process \d+ .*insert into customers/) },
    });
    expect(partkeeper.eventsOf('action-failed').map(({ error }) => error.sqlstate)).not.toContain('55P03');
    await other.query(`set lock_timeout = '1s'; insert into customers values (3)`);
    await writer.query('commit');
    expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', failed: 0 }]);
  },
);

partkeeperTest('long readers and writers of the table itself are no reason to wait', async ({ database, open }) => {
  await createTable(database, 'public.events', { partitions: months('events', '2026-02', 1) });
  const [reader, writer] = await Promise.all([database.connect(), database.connect()]);
  await reader.query('begin; select count(*) from events');
  await writer.query(`begin; insert into events values (1, '2026-02-02')`);
  const partkeeper = open({ tables: policies('events'), at: AT, budget: { passingMs: 1, lockAttempts: 1 } });
  expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', done: 2, failed: 0 }]);
  await writer.query('commit');
  await reader.query('commit');
});
