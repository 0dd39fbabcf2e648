/** Between plan and act anything may happen: the proof is read again before anything is destroyed. */
import { describe, expect } from 'vitest';
import type { DetachPartition, DropPartition } from '../../src/domain/plan.ts';
import { awaitedLocks, waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { actionsOf, partkeeperTest, runAndMeanwhile, type TestPartkeeper } from '../support/partkeeper.ts';
import { createTable, exists, leaveDetachPending, months, partitionsOf } from '../support/tables.ts';

const EVENTS = relation('public.events');
const AT = at('2026-06-15');
const policy = aTablePolicy({ relation: EVENTS, premake: 1 });
const PARTITION = relation('public.events_2026_01');

/** January holds one row and has expired. */
async function prepare(database: TestDatabase): Promise<void> {
  await createTable(database, 'public.events', { partitions: months('events', '2026-01', 7) });
  await database.query(`insert into events values (1, '2026-01-05')`);
}

async function planned(partkeeper: TestPartkeeper): Promise<DropPartition | DetachPartition> {
  const [action] = actionsOf(await partkeeper.plan(['retire']), 'drop-partition');
  expect(action?.relation).toEqual(PARTITION);
  if (!action) throw new Error('January has expired');
  return action;
}

const countOf = async (database: TestDatabase, table: string): Promise<number> => {
  const [row] = await database.query<{ rows: number }>(`select count(*)::int as rows from ${table}`);
  return row?.rows ?? 0;
};

/** What others may do to the partition, and where its one row is afterwards. */
const CHANGES = [
  [
    'attached again with other bounds',
    `alter table events detach partition events_2026_01;
     alter table events attach partition events_2026_01 for values from ('2026-01-01+00') to ('2026-01-20+00')`,
    'events_2026_01',
  ],
  ['detached', 'alter table events detach partition events_2026_01', 'events_2026_01'],
  ['renamed', 'alter table events_2026_01 rename to precious', 'precious'],
  [
    'moved to another schema',
    'create schema attic; alter table events_2026_01 set schema attic',
    'attic.events_2026_01',
  ],
  [
    'renamed, and its name given to another',
    `alter table events_2026_01 rename to precious; create table events_2026_01 (id int)`,
    'precious',
  ],
  [
    'attached to another table with the same bounds',
    `create table other (like events) partition by range (at);
     alter table events detach partition events_2026_01;
     alter table other attach partition events_2026_01 for values from ('2026-01-01+00') to ('2026-02-01+00')`,
    'other',
  ],
  ['still there, but its parent has another name', 'alter table events rename to archive', 'archive'],
  [
    'still there, but another table has the name of its parent',
    `alter table events rename to archive;
     create table events (id bigint not null, at timestamptz not null) partition by range (at)`,
    'archive',
  ],
] as const;

describe('nothing is done to a partition that was meanwhile', () => {
  partkeeperTest.for(CHANGES)('%s', async ([, change, where], { database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables: [policy], at: AT });
    const action = await planned(partkeeper);
    await database.query(change);
    await expect(partkeeper.act(action)).rejects.toMatchObject({ code: 'STALE_PLAN' });
    expect(await countOf(database, where)).toBe(1);
  });

  partkeeperTest.for(CHANGES)(
    '%s while the lock on the table was waited for',
    async ([, change, where], { database, open }) => {
      await prepare(database);
      const partkeeper = open({ tables: [policy], at: AT, budget: { lockTimeoutMs: 10_000 } });
      const action = await planned(partkeeper);
      const other = await database.connect();
      await other.query('begin; lock table events in access exclusive mode');
      const acting = partkeeper.act(action).then(
        ({ outcome }) => ({ outcome }),
        (error: unknown) => error,
      );
      // It has looked at the evidence once and found it good: now it waits.
      await waitUntil(async () => (await awaitedLocks(other, EVENTS.name)).length === 1, {
        what: 'the action to wait',
      });
      await other.query(change);
      await other.query('commit');
      // The name may lead nowhere by then, which the server says first.
      expect(await acting).toMatchObject({ code: expect.stringMatching(/^(STALE_PLAN|RELATION_MISSING)$/) });
      expect(await countOf(database, where)).toBe(1);
    },
  );
});

partkeeperTest(
  'a run that somebody was ahead of has nothing left to do, and did not fail',
  async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables: [policy], at: AT, budget: { lockTimeoutMs: 10_000 } });
    const byHand = `
    alter table events detach partition events_2026_01; alter table events detach partition events_2026_02`;
    const [report] = await runAndMeanwhile(database, partkeeper, 'retire', byHand);
    expect(partkeeper.eventsOf('action-failed').map(({ error }) => error.code)).toEqual(['STALE_PLAN', 'STALE_PLAN']);
    expect(report).toMatchObject({ outcome: 'success', done: 0, failed: 0, error: undefined });
    expect(await countOf(database, 'events_2026_01')).toBe(1);
  },
);

partkeeperTest(
  'F40: another table in its place, with its name and bounds, is left alone',
  async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables: [policy], at: AT });
    const action = await planned(partkeeper);
    await database.query(`
    drop table events_2026_01;
    create table events_2026_01 partition of events for values from ('2026-01-01+00') to ('2026-02-01+00');
    insert into events values (2, '2026-01-06')`);
    expect(await partkeeper.act(action)).toMatchObject({ outcome: 'already-done', statements: [] });
    expect(await countOf(database, 'events_2026_01')).toBe(1);
  },
);

partkeeperTest('one that is gone already counts as done', async ({ database, open }) => {
  await prepare(database);
  const partkeeper = open({ tables: [policy], at: AT });
  const action = await planned(partkeeper);
  await database.query('drop table events_2026_01');
  expect(await partkeeper.act(action)).toMatchObject({ outcome: 'already-done', statements: [] });
});

partkeeperTest('one whose detach is pending is left to whoever began it', async ({ database, open }) => {
  await prepare(database);
  const partkeeper = open({ tables: [policy], at: AT });
  const action = await planned(partkeeper);
  await leaveDetachPending(database, 'events', 'events_2026_01');
  await expect(partkeeper.act(action)).rejects.toMatchObject({
    code: 'STALE_PLAN',
    message: expect.stringContaining('detach pending'),
  });
  // The other one that has expired goes all the same.
  expect(await partkeeper.run('retire')).toMatchObject([
    { done: 1, failed: 0, findings: [{ code: 'DETACH_PENDING' }] },
  ]);
  expect(Object.keys(await partitionsOf(database, EVENTS))).toHaveLength(6);
  expect(await countOf(database, 'events_2026_01')).toBe(1);
});

partkeeperTest('two at once drop it once, and neither fails', async ({ database, open }) => {
  await prepare(database);
  const replicas = [1, 2, 3].map(() => open({ tables: [policy], at: AT, budget: { lockTimeoutMs: 10_000 } }));
  const actions = await Promise.all(replicas.map(planned));
  const done = await Promise.all(
    replicas.map((replica, index) => {
      const action = actions[index];
      if (!action) throw new Error('each has its own');
      return replica.act(action);
    }),
  );
  expect(done.map(({ outcome }) => outcome).sort()).toEqual(['already-done', 'already-done', 'done']);
  expect(await exists(database, PARTITION)).toBe(false);
});

describe('a reader', () => {
  partkeeperTest(
    'of the table itself delays writers for no longer than the lock budget',
    async ({ database, open }) => {
      await prepare(database);
      const partkeeper = open({ tables: [policy], at: AT, budget: { lockTimeoutMs: 1_000, lockAttempts: 1 } });
      const action = await planned(partkeeper);
      const [reader, writer] = await Promise.all([database.connect(), database.connect()]);
      await reader.query('begin; select count(*) from events');
      const acting = partkeeper.act(action).catch((error: unknown) => error);
      await waitUntil(async () =>
        (await awaitedLocks(reader, 'events')).some(({ mode }) => mode === 'AccessExclusiveLock'),
      );
      const writing = writer.query(`insert into events values (2, '2026-06-01')`);
      expect(await acting).toMatchObject({ code: 'LOCK_UNAVAILABLE' });
      // The writer gets through although the reader is still there.
      await writing;
      await reader.query('rollback');
      expect(await partkeeper.act(action)).toMatchObject({ outcome: 'done' });
    },
  );

  // Ten seconds would be waited for; the test would take them.
  const patient = { lockTimeoutMs: 10_000, lockAttempts: 1 };

  partkeeperTest('of the old partition delays nobody: it is not waited for', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ tables: [policy], at: AT, budget: patient });
    const action = await planned(partkeeper);
    const reader = await database.connect();
    await reader.query('begin; select count(*) from events_2026_01');
    await expectToGiveUpAtOnce(partkeeper, action);
    await reader.query('rollback');
    expect(await partkeeper.act(action)).toMatchObject({ outcome: 'done' });
  });

  partkeeperTest('of the default partition is not waited for while the table is locked', async ({ database, open }) => {
    await prepare(database);
    await database.query('create table rest partition of events default');
    const partkeeper = open({ tables: [policy], at: AT, budget: patient });
    const action = await planned(partkeeper);
    const reader = await database.connect();
    await reader.query('begin; select count(*) from rest');
    await expectToGiveUpAtOnce(partkeeper, action);
    await reader.query('rollback');
    expect(await partkeeper.act(action)).toMatchObject({ outcome: 'done' });
  });

  partkeeperTest(
    'of a table that refers to it is not waited for while the table is locked',
    async ({ database, open }) => {
      await createTable(database, 'public.events', {
        more: ', primary key (id, at)',
        partitions: months('events', '2026-01', 7),
      });
      await database.query(
        'create table lines (event bigint, event_at timestamptz, foreign key (event, event_at) references events)',
      );
      const partkeeper = open({ tables: [policy], at: AT, budget: patient });
      const action = await planned(partkeeper);
      const reader = await database.connect();
      await reader.query('begin; select count(*) from lines');
      await expectToGiveUpAtOnce(partkeeper, action);
      await reader.query('rollback');
      expect(await partkeeper.act(action)).toMatchObject({ outcome: 'done' });
      expect(Object.keys(await partitionsOf(database, EVENTS))).toHaveLength(6);
    },
  );

  async function expectToGiveUpAtOnce(
    partkeeper: TestPartkeeper,
    action: DropPartition | DetachPartition,
  ): Promise<void> {
    const started = performance.now();
    await expect(partkeeper.act(action)).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE' });
    expect(performance.now() - started).toBeLessThan(patient.lockTimeoutMs);
  }
});
