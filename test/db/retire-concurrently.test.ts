/** Taking a partition off while others read and write: nobody waits, and what is interrupted is finished. */
import { describe, expect } from 'vitest';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { actionsOnRecord } from '../support/ledger.ts';
import { runAndMeanwhile, type TestPartkeeper } from '../support/partkeeper.ts';
import {
  AT,
  attached,
  POLICY,
  prepareMonths,
  retirementsOnRecord,
  tablesOf,
  retireTest as test,
  waitUntilItWaits,
} from '../support/retirements.ts';
import { leaveDetachPending } from '../support/tables.ts';

const pidOf = async (client: Awaited<ReturnType<TestDatabase['connect']>>): Promise<number> =>
  (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;

async function expectNothingLeft(partkeeper: TestPartkeeper): Promise<void> {
  expect((await partkeeper.plan(['provision', 'retire'])).actions).toEqual([]);
}

test('an expired partition is detached concurrently and then dropped, each step on record', async ({
  database,
  open,
}) => {
  await prepareMonths(database);
  const [size] = await database.query<{ bytes: number }>(
    `select pg_total_relation_size('events_2026_01')::int as bytes`,
  );
  const partkeeper = open({ tables: [POLICY], at: AT });
  expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2, failed: 0, deferred: 0 }]);
  expect(await tablesOf(database)).toEqual(attached(3));
  expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 dropped', 'events_2026_02 dropped']);
  const [first] = partkeeper.eventsOf('action-finished');
  expect(first?.result.bytes).toBe(size?.bytes);
  expect(first?.result.statements).toEqual([
    'alter table "public"."events" detach partition "public"."events_2026_01" concurrently',
    'lock table "public"."events_2026_01" in share mode',
    'drop table "public"."events_2026_01"',
  ]);
  await expectNothingLeft(partkeeper);
});

test('F20: a transaction that has read the table is waited for, and neither readers nor writers are held up', async ({
  database,
  open,
}) => {
  await prepareMonths(database);
  const reader = await database.connect();
  await reader.query('begin; select count(*) from events');
  const retiring = open({ tables: [POLICY], at: AT }).run('retire');
  // Longer than any lock of ours may take: an end by a timeout would leave it half done.
  await waitUntil(
    async () =>
      (
        await database.query(
          `select from pg_stat_activity where application_name = 'partkeeper detach' and wait_event = 'virtualxid'
             and datname = current_database() and clock_timestamp() - query_start > interval '500 ms'`,
        )
      ).length > 0,
    { what: 'the detach to wait for longer than the lock budget' },
  );
  // With anything of ours in a lock queue these would wait behind it.
  await database.query(
    `set lock_timeout = '1s'; insert into events values (8, '2026-06-02'); select count(*) from events`,
  );
  expect(await tablesOf(database)).toEqual(['events_2026_01 pending', ...attached(2)]);
  await reader.query('commit');
  expect(await retiring).toMatchObject([{ outcome: 'success', done: 2 }]);
  expect(await tablesOf(database)).toEqual(attached(3));
});

test('while a detach waits for a reader of its partition, partitions are made all the same: it gives way', async ({
  database,
  open,
}) => {
  await prepareMonths(database);
  await database.query('drop table events_2026_07');
  const partkeeper = open({ tables: [POLICY], at: AT, pool: 4 });
  const provisioner = open({ tables: [POLICY], at: AT, budget: { lockTimeoutMs: 5_000, lockAttempts: 1 } });
  const reader = await database.connect();
  await reader.query('begin; select count(*) from events_2026_01');
  // Coverage is not whole, so the run is asked for by its action.
  const [action] = (await open({ tables: [{ ...POLICY, premake: 0 }], at: AT }).plan(['retire'])).actions;
  if (!action) throw new Error('January has expired');
  const acting = partkeeper.act(action).catch((error: unknown) => error);
  await waitUntilItWaits(database, 'relation');
  expect(await provisioner.run('provision')).toMatchObject([{ outcome: 'success', done: 1 }]);
  expect(await acting).toMatchObject({ code: 'RETIRE_UNFINISHED' });
  expect(await tablesOf(database)).toEqual(['events_2026_01 pending', ...attached(2)]);
  await reader.query('rollback');
});

test('a reader of the partition that others queue behind makes it give way, and the next run finishes it', async ({
  database,
  open,
}) => {
  await prepareMonths(database);
  const [reader, other] = await Promise.all([database.connect(), database.connect()]);
  await reader.query('begin; select count(*) from events_2026_01');
  const partkeeper = open({ tables: [POLICY], at: AT, pool: 4, budget: { lockAttempts: 1 } });
  const retiring = partkeeper.run('retire');
  await waitUntilItWaits(database, 'relation');
  // Behind our wait for ACCESS EXCLUSIVE; it gets through although the first reader is still there.
  await other.query('select count(*) from events_2026_01');
  const [report] = await retiring;
  expect(report).toMatchObject({
    outcome: 'success',
    done: 0,
    findings: [{ code: 'BLOCKED' }],
  });
  expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 intended']);
  await reader.query('rollback');
  expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2, deferred: 0, findings: [] }]);
  expect(await tablesOf(database)).toEqual(attached(3));
  expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 dropped', 'events_2026_02 dropped']);
  await expectNothingLeft(partkeeper);
});

test('a transaction that goes on for long is not waited for without end: the detach is left pending and finished later', async ({
  database,
  open,
}) => {
  await prepareMonths(database);
  const reader = await database.connect();
  await reader.query('begin; select count(*) from events');
  const partkeeper = open({ tables: [POLICY], at: AT, budget: { patienceMs: 50, lockAttempts: 1 } });
  expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 0, deferred: 1 }]);
  expect(partkeeper.eventsOf('action-failed').map(({ error }) => error.code)).toEqual(['RETIRE_UNFINISHED']);
  expect(await tablesOf(database)).toEqual(['events_2026_01 pending', ...attached(2)]);
  await reader.query('commit');
  expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2, deferred: 0, findings: [] }]);
  expect(await tablesOf(database)).toEqual(attached(3));
});

describe('a long transaction', () => {
  test('F21: puts it off, is named, and nothing was begun', async ({ database, open }) => {
    await prepareMonths(database);
    const holder = await database.connect({ application_name: 'nightly report' });
    const pid = await pidOf(holder);
    await holder.query('begin; select count(*) from events');
    const budget = { deferOlderThanMs: 1, lockAttempts: 2 };
    const partkeeper = open({ tables: [POLICY], at: AT, budget });
    expect(await partkeeper.run('retire')).toMatchObject([
      {
        outcome: 'success',
        done: 0,
        failed: 0,
        deferred: 2,
        findings: [
          {
            code: 'BLOCKED',
            severity: 'warning',
            message: expect.stringMatching(
              new RegExp(`process ${pid} .*nightly report, idle in transaction .*select count`),
            ),
            hint: expect.stringContaining(`pg_terminate_backend(${pid})`),
          },
          { code: 'BLOCKED' },
        ],
      },
    ]);
    expect(await tablesOf(database)).toEqual(attached(1));
    expect(await actionsOnRecord(database)).toMatchObject([
      { outcome: 'deferred', error_code: 'BLOCKED' },
      { outcome: 'deferred', error_code: 'BLOCKED' },
    ]);
    expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 abandoned', 'events_2026_02 abandoned']);
    // The second one was looked at once only.
    expect(partkeeper.eventsOf('action-retried')).toHaveLength(1);
    await holder.query('commit');
    expect(await partkeeper.run('retire')).toMatchObject([{ done: 2, deferred: 0, findings: [] }]);
  });

  test('that vacuums or changes the table puts it off whatever its age', async ({ database, open }) => {
    await prepareMonths(database);
    const vacuum = await database.connect();
    await vacuum.query('begin; lock table only events in share update exclusive mode');
    const partkeeper = open({ tables: [POLICY], at: AT, budget: { deferOlderThanMs: 3_600_000, lockAttempts: 1 } });
    expect(await partkeeper.run('retire')).toMatchObject([{ done: 0, deferred: 2 }]);
    await vacuum.query('rollback');
    expect(await partkeeper.run('retire')).toMatchObject([{ done: 2, deferred: 0 }]);
  });

  test('that is prepared, and belongs to no process, is found as well', async ({ database, open }) => {
    const [setting] = await database.query<{ max: string }>(
      `select current_setting('max_prepared_transactions') as max`,
    );
    await prepareMonths(database);
    const client = await database.connect();
    await client.query('begin; select count(*) from events');
    // Where the server has no room for prepared transactions, an idle one stands for it.
    const isPrepared = Number(setting?.max) > 0;
    if (isPrepared) await client.query(`prepare transaction 'forgotten'`);
    const partkeeper = open({ tables: [POLICY], at: AT, budget: { deferOlderThanMs: 1, lockAttempts: 1 } });
    expect(await partkeeper.run('retire')).toMatchObject([{ done: 0, deferred: 2 }]);
    await client.query(isPrepared ? `rollback prepared 'forgotten'` : 'rollback');
  });
});

describe('a detach that somebody else began and did not finish', () => {
  test('is finished first when it is in the way, and its table stays', async ({ database, open }) => {
    await prepareMonths(database);
    await leaveDetachPending(database, 'events', 'events_2026_04');
    const partkeeper = open({ tables: [POLICY], at: AT });
    expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 3, failed: 0 }]);
    expect(await tablesOf(database)).toEqual(['events_2026_03 attached', 'events_2026_04 loose', ...attached(5)]);
    expect(partkeeper.eventsOf('action-finished').map(({ action }) => action.kind)).toEqual([
      'finalize-detach',
      'drop-partition',
      'drop-partition',
    ]);
  });

  test('is left alone when nothing has to be detached', async ({ database, open }) => {
    await prepareMonths(database);
    await database.query('drop table events_2026_01, events_2026_02');
    await leaveDetachPending(database, 'events', 'events_2026_04');
    const partkeeper = open({ tables: [POLICY], at: AT });
    expect(await partkeeper.run('retire')).toMatchObject([{ done: 0, findings: [{ code: 'DETACH_PENDING' }] }]);
    expect(await tablesOf(database)).toContain('events_2026_04 pending');
  });
});

test('what depends on a partition keeps it attached, although a concurrent detach cannot be rolled back', async ({
  database,
  open,
}) => {
  await prepareMonths(database);
  await database.query('create view reads_it as select * from events_2026_01');
  const partkeeper = open({ tables: [POLICY], at: AT });
  expect(await partkeeper.run('retire')).toMatchObject([
    {
      outcome: 'partial',
      done: 1,
      failed: 1,
      error: { code: 'STILL_REFERENCED', message: expect.stringContaining('reads_it') },
    },
  ]);
  expect(await tablesOf(database)).toEqual(['events_2026_01 attached', ...attached(3)]);
});

test('what comes to depend on it at the last moment keeps the table: nothing is dropped with CASCADE', async ({
  database,
  open,
}) => {
  await prepareMonths(database);
  const partkeeper = open({ tables: [POLICY], at: AT });
  const late = 'create view late as select * from events_2026_01';
  expect(await runAndMeanwhile(database, partkeeper, 'retire', late)).toMatchObject([
    { outcome: 'partial', done: 1, error: { code: 'STILL_REFERENCED', sqlstate: '2BP01' } },
  ]);
  expect(await database.query('select id from late')).toEqual([{ id: '1' }]);
  expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 intended', 'events_2026_02 dropped']);
  await database.query('drop view late');
  expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 1 }]);
  expect(await tablesOf(database)).toEqual(attached(3));
});

test('F45: rows that foreign keys still refer to keep it attached, and nothing is pending', async ({
  database,
  open,
}) => {
  await prepareMonths(database, ', primary key (id, at)');
  await database.query(`
    create table lines (event bigint, event_at timestamptz, foreign key (event, event_at) references events);
    insert into lines select id, at from events where id = 1`);
  const partkeeper = open({ tables: [POLICY], at: AT });
  expect(await partkeeper.run('retire')).toMatchObject([
    { outcome: 'partial', done: 1, failed: 1, error: { code: 'STILL_REFERENCED' } },
  ]);
  expect(await tablesOf(database)).toEqual(['events_2026_01 attached', ...attached(3)]);
});

test('a table of the same name that was never ours is not dropped', async ({ database, open }) => {
  await prepareMonths(database);
  await database.query('create table events_2025_12 (like events); create table events_2025_11 (like events)');
  await open({ tables: [POLICY], at: AT }).run('retire');
  expect(await tablesOf(database)).toEqual(['events_2025_11 loose', 'events_2025_12 loose', ...attached(3)]);
});

test('a member of the owner may do it, without any right of a superuser', async ({ database, open, role }) => {
  const [owner, keeper] = [await role('nologin', 'owner'), await role('login noinherit', 'keeper')];
  await prepareMonths(database);
  await database.query(`grant ${owner.sql} to ${keeper.sql}; grant usage, create on schema public to ${owner.sql};
    grant usage on schema partkeeper to ${keeper.sql}; grant all on all tables in schema partkeeper to ${keeper.sql}`);
  for (const table of ['events', ...attached(1).map(line => line.split(' ')[0] ?? '')])
    await database.query(`alter table ${table} owner to ${owner.sql}`);
  const partkeeper = open({ tables: [POLICY], at: AT, url: keeper.url });
  expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2 }]);
  expect(await tablesOf(database)).toEqual(attached(3));
});
