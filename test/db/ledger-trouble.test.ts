/** A ledger that is missing, that cannot be written, or that was left behind by a process that is gone. */
import { describe, expect } from 'vitest';
import { readLastRuns, readRunning } from '../../src/ledger/reading.ts';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { actionsOnRecord, aRun, runsOnRecord } from '../support/ledger.ts';
import type { TestPartkeeper } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { createTable, exists, months, partitionsOf } from '../support/tables.ts';

const EVENTS = relation('public.events');
const EXPIRED = relation('public.events_2026_02');
const AT = at('2026-06-15');
const POLICIES = [aTablePolicy({ relation: EVENTS, premake: 2 })];

/** From February, which is expired, to August: that is as far as the policy wants, and without it nothing may be retired. */
const createEvents = (database: Pick<TestDatabase, 'query'>, count = 7) =>
  createTable(database, 'public.events', { partitions: months('events', '2026-02', count) });

/** The table and everything in it belong to the service's role, which may use partkeeper's schema as far as `grants` say. */
const test = roleTest.extend('template', 'bookkeeping').extend('serviceOf', ({ database, open, role }) => {
  return async (grants: string): Promise<TestPartkeeper> => {
    const service = await role('login', 'service');
    await database.query(
      `grant usage on schema partkeeper to ${service.sql}; grant create on schema public to ${service.sql}`,
    );
    await database.query(grants.replaceAll('$role', service.sql));
    await database.query(`set role ${service.sql}`);
    await createEvents(database, 6);
    await database.query('reset role');
    return open({ tables: POLICIES, at: AT, url: service.url });
  };
});

const READS = 'grant select on all tables in schema partkeeper to $role;';
const REFUSE_OUTCOMES = `
  create function refuse() returns trigger language plpgsql as $$ begin
    raise exception using errcode = '42501', message = 'permission denied for once'; end $$;
  create trigger refuse before update on partkeeper.actions for each row when (new.outcome = 'done') execute function refuse()`;
const RUNS = 'grant select, insert, update on partkeeper.runs to $role;';

test.for([
  ['the intent', 'insert'],
  ['what came of it', 'update'],
])('a statement about %s that somebody cancels is sent once more', async ([, operation], { database, open }) => {
  await createEvents(database, 6);
  // A sequence goes on when what asked it is rolled back.
  await database.query(`
    create sequence tries;
    create function cancel_once() returns trigger language plpgsql as $$ begin
      if nextval('public.tries') = 1 then
        raise exception using errcode = '57014', message = 'canceling statement due to user request';
      end if;
      return new;
    end $$;
    create trigger cancel_once before ${operation} on partkeeper.actions for each row execute function cancel_once()`);
  const partkeeper = open({ tables: POLICIES, at: AT });
  expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', done: 1 }]);
  expect(partkeeper.eventsOf('ledger-troubled')).toEqual([]);
  expect(await actionsOnRecord(database)).toMatchObject([{ kind: 'create-partition', outcome: 'done' }]);
});

describe('a ledger that cannot be written', () => {
  test.for([
    ['may only be read', READS],
    ['is not open to the role at all', ''],
    ['takes runs but no actions', `${READS} ${RUNS}`],
    [
      'takes intents, but not what came of them',
      `${READS} ${RUNS} grant insert, update on partkeeper.actions to $role; ${REFUSE_OUTCOMES}`,
    ],
  ] as const)(
    'because it %s, keeps nothing from being created, and everything from being destroyed',
    async ([, grants], { database, serviceOf }) => {
      const partkeeper = await serviceOf(grants);
      const [created] = await partkeeper.run('provision');
      const [retired] = await partkeeper.run('retire');

      expect(created).toMatchObject({ outcome: 'success', done: 1, error: undefined });
      expect(Object.keys(await partitionsOf(database, EVENTS))).toContain('events_2026_08');
      expect(retired).toMatchObject({ outcome: 'failure', done: 0, failed: 1, error: { code: 'LEDGER_UNAVAILABLE' } });
      expect(retired?.error?.message).toMatch(
        /^did not drop-partition public\.events_2026_02, because it could not be put on record: .*permission denied/,
      );
      expect(Object.keys(await partitionsOf(database, EVENTS))).toContain(EXPIRED.name);
      expect(partkeeper.eventsOf('ledger-troubled').length).toBeGreaterThan(0);
      expect((await actionsOnRecord(database)).filter(({ outcome }) => outcome === 'done')).toEqual([]);
    },
  );

  test('for want of a partition for this month, does not keep its own partitions from being made', async ({
    database,
    open,
  }) => {
    await database.query(`do $$ declare child text; begin
      for child in select inhrelid::regclass::text from pg_inherits
        where inhparent in ('partkeeper.runs'::regclass, 'partkeeper.actions'::regclass)
      loop execute 'drop table ' || child; end loop; end $$`);
    const ledger = [aLedgerPolicy('partkeeper.actions'), aLedgerPolicy('partkeeper.runs')];
    const partkeeper = open({ tables: ledger });
    const first = await partkeeper.run('provision');
    expect(first.map(({ outcome, done }) => ({ outcome, done }))).toEqual([
      { outcome: 'success', done: 3 },
      { outcome: 'success', done: 3 },
    ]);
    expect(await runsOnRecord(database)).toEqual([]);
    await partkeeper.run('provision');
    expect(await runsOnRecord(database)).toMatchObject([{ outcome: 'success' }, { outcome: 'success' }]);
  });

  test('whose intent vanished, keeps the partition', async ({ database, open }) => {
    await createEvents(database);
    await database.query(`
      create function lose() returns trigger language plpgsql as $$ begin return null; end $$;
      create trigger lose before update on partkeeper.actions for each row execute function lose()`);
    const [report] = await open({ tables: POLICIES, at: AT }).run('retire');
    expect(report?.error).toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      message: expect.stringContaining('no longer on record'),
    });
    expect(await exists(database, EXPIRED)).toBe(true);
  });

  test('for a moment, because somebody has locked it, is waited for, with the partition untouched', async ({
    database,
    open,
  }) => {
    await createEvents(database);
    const holder = await database.connect();
    const tries: number[] = [];
    const partkeeper = open({
      tables: POLICIES,
      at: AT,
      // Between two tries of the same action: its intent is written, and what came of it is not yet.
      sleep: async ms => {
        tries.push(ms);
        expect(await exists(database, EXPIRED)).toBe(true);
        await holder.query('rollback');
      },
    });
    await database.query(`
      create function wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(78); return new; end $$;
      create trigger wait before update on partkeeper.actions for each row when (new.outcome = 'done') execute function wait()`);
    await holder.query('begin; select pg_advisory_xact_lock(78)');
    const [report] = await partkeeper.run('retire');
    expect(tries).toHaveLength(1);
    expect(report).toMatchObject({ outcome: 'success', done: 1 });
    expect(await actionsOnRecord(database)).toMatchObject([{ outcome: 'done' }]);
  });
});

const aLedgerPolicy = (name: string) =>
  aTablePolicy({ relation: relation(name), premake: 2, retention: { amount: 1, unit: 'years' } });

describe('without partkeeper’s schema', () => {
  test.override('template', 'empty');

  test('everything works, unrecorded, and nothing is made there', async ({ database, open }) => {
    await createEvents(database, 6);
    const partkeeper = open({ tables: POLICIES, at: AT });
    expect((await partkeeper.apply(['provision', 'retire'])).map(({ outcome, done }) => ({ outcome, done }))).toEqual([
      { outcome: 'success', done: 1 },
      { outcome: 'success', done: 1 },
    ]);
    expect(await exists(database, EXPIRED)).toBe(false);
    expect(await database.query(`select from pg_namespace where nspname = 'partkeeper'`)).toEqual([]);
    expect(partkeeper.eventsOf('ledger-troubled')).toEqual([]);
  });
});

describe('a run whose process vanished', () => {
  /** What `kill -9` leaves behind: a run on record, an action intended, and no lock. */
  async function vanish(partkeeper: TestPartkeeper, runId: string) {
    const { recorder } = await partkeeper.runner.ledger.begin(aRun('retire', { runId }));
    const [action] = (await partkeeper.plan(['retire'])).actions;
    if (!action) throw new Error('there is something to do');
    await recorder.intend(action, ['drop table events_2026_02']);
  }
  const VANISHED = '6f2b8a52-31a4-4a43-9bb2-3a3c6cbb5b7e';

  test('is marked as interrupted, with its action, by the next run of the same job and target', async ({
    database,
    open,
  }) => {
    await createEvents(database);
    const partkeeper = open({ tables: POLICIES, at: AT });
    await vanish(partkeeper, VANISHED);
    await partkeeper.run('provision');
    expect(await runsOnRecord(database)).toMatchObject([
      { run_id: VANISHED, job: 'retire', outcome: null },
      { job: 'provision', outcome: 'success' },
    ]);
    await partkeeper.run('retire');
    expect(await runsOnRecord(database)).toMatchObject([
      { run_id: VANISHED, job: 'retire', outcome: 'interrupted' },
      { job: 'provision', outcome: 'success' },
      { job: 'retire', outcome: 'success', done: 1 },
    ]);
    expect(await actionsOnRecord(database)).toMatchObject([
      { kind: 'drop-partition', outcome: 'abandoned' },
      { kind: 'drop-partition', outcome: 'done' },
    ]);
    expect(partkeeper.eventsOf('run-interrupted')).toEqual([
      { kind: 'run-interrupted', runId: VANISHED, job: 'retire', target: 'public.events' },
    ]);
  });

  test('is told from one that goes on by its lock, whatever job it was', async ({ database, open }) => {
    await createEvents(database);
    const [mine, other] = [open({ tables: POLICIES, at: AT }), open({ tables: POLICIES, at: AT })];
    await vanish(mine, VANISHED);
    const lock = await mine.runner.lock('partkeeper/analyze/public.events');
    await mine.runner.ledger.begin(aRun('analyze'));
    const running = async () => (await other.database.use(readRunning)).map(({ job }) => job);

    expect(await running()).toEqual(['analyze']);
    await other.runner.ledger.interruptVanished();
    expect(await runsOnRecord(database)).toMatchObject([
      { job: 'retire', outcome: 'interrupted' },
      { job: 'analyze', outcome: null },
    ]);
    expect(await actionsOnRecord(database)).toMatchObject([{ outcome: 'abandoned' }]);

    await lock?.release();
    await waitUntil(async () => (await running()).length === 0);
    await other.runner.ledger.interruptVanished();
    expect(await runsOnRecord(database)).toMatchObject([
      { outcome: 'interrupted' },
      { job: 'analyze', outcome: 'interrupted' },
    ]);
    expect(other.eventsOf('run-interrupted').map(({ job }) => job)).toEqual(['retire', 'analyze']);
  });

  test('counts as a failure in a row, until one succeeds', async ({ database, open }) => {
    await createEvents(database);
    const partkeeper = open({ tables: POLICIES, at: AT });
    const pairs = [{ job: 'retire', target: EVENTS }] as const;
    const remembered = async () => (await partkeeper.database.use(session => readLastRuns(session, pairs)))[0];

    expect(await remembered()).toMatchObject({
      consecutiveFailures: 0,
      lastOutcome: undefined,
      lastSuccess: undefined,
    });
    await vanish(partkeeper, VANISHED);
    await partkeeper.runner.ledger.interruptVanished();
    expect(await remembered()).toMatchObject({
      consecutiveFailures: 1,
      lastOutcome: 'interrupted',
      lastSuccess: undefined,
    });
    await partkeeper.run('retire');
    const after = await remembered();
    expect(after).toMatchObject({ consecutiveFailures: 0, lastOutcome: 'success' });
    expect(after?.lastSuccess?.equals(after.lastAttempt ?? '')).toBe(true);
    expect(after?.lastDurationMs).toBeGreaterThan(0);
  });
});
