/** Connections that are given up on request, or cut: what is told of it, and that the next use works. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import type { JobName } from '../../src/domain/plan.ts';
import { ddl } from '../../src/postgres/ddl.ts';
import type { Session } from '../../src/postgres/session.ts';
import { waitUntil, waitUntilBlocked } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, aViewPolicy, relation } from '../support/facts.ts';
import { partkeeperTest, type TestPartkeeper } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { createTable, exists, months } from '../support/tables.ts';

const EVENTS = relation('public.events');
/** Retiring waits until nothing is to be created. */
const policiesFor = (job: JobName) => ({
  tables: [aTablePolicy({ relation: EVENTS, premake: job === 'retire' ? 1 : 2 })],
  views: [aViewPolicy({ relation: relation('public.mv') })],
  at: at('2026-05-15'),
});
/** Somebody is always in the way for as long as a test wants. */
const patient = { lockTimeoutMs: 15_000 };

/** January to June, and a view: on the 15th of May there is something to do for every job. */
async function prepare(database: TestDatabase): Promise<void> {
  await createTable(database, 'public.events', { partitions: months('events', '2026-01', 6) });
  await database.query(`
    create table base (id int primary key);
    create materialized view mv as select id from base; create unique index on mv (id); insert into base values (1)`);
}

/** What stops each job in the middle of its statement. */
const IN_THE_WAY: Readonly<Record<JobName, string>> = {
  provision: 'lock table only events in share update exclusive mode',
  retire: 'lock table only events in access share mode',
  refresh: 'lock table base in access exclusive mode',
  analyze: 'lock table only events in share update exclusive mode',
};
const JOBS = Object.keys(IN_THE_WAY) as JobName[];

async function whileBlocked(database: TestDatabase, job: JobName) {
  const holder = await database.connect();
  await holder.query(`begin; ${IN_THE_WAY[job]}`);
  return {
    release: () => holder.query('rollback'),
    /** The backend of partkeeper that waits for the holder's lock. */
    blocked: () =>
      waitUntil(
        async () => {
          const [row] = await database.query<{ pid: number }>(
            `select pid from pg_stat_activity where application_name = 'partkeeper' and wait_event_type = 'Lock' and datname = current_database()`,
          );
          return row?.pid;
        },
        { what: `the ${job} job to wait for a lock` },
      ),
  };
}

const pidOf = async (session: Session): Promise<number> => {
  const [row] = await session.query<{ pid: number }>('select pg_backend_pid() as pid', [], 'see who we are');
  return row?.pid ?? 0;
};
const nextPid = ({ database }: TestPartkeeper): Promise<number> => database.use(pidOf);

const untilGone = async (database: TestDatabase, pid: number): Promise<void> => {
  await waitUntil(
    async () => (await database.query('select from pg_stat_activity where pid = $1', [pid])).length === 0,
    { what: `backend ${pid} to end` },
  );
  // What the server said last has arrived; one turn of the event loop reads it.
  await setImmediate();
};

async function terminate(database: TestDatabase, pid: number): Promise<void> {
  await database.query('select pg_terminate_backend($1)', [pid]);
  await untilGone(database, pid);
}

describe('on request', () => {
  partkeeperTest.for(JOBS)(
    'the statement of a %s job ends on the server as well, and its connection is not used again',
    async (job, { database, open }) => {
      await prepare(database);
      const partkeeper = open({ ...policiesFor(job), budget: patient, pool: 1 });
      const { blocked, release } = await whileBlocked(database, job);
      const stop = new AbortController();
      const running = partkeeper.run(job, { signal: stop.signal });
      const pid = await blocked();
      stop.abort('SIGTERM');
      const [report] = await running;
      expect(report).toMatchObject({ outcome: 'canceled', done: 0, error: { code: 'CANCELLED' } });
      expect(report?.error?.message).toContain('SIGTERM');
      // The lock is still held: a backend that had merely lost its client would wait for it.
      await untilGone(database, pid);
      expect(await nextPid(partkeeper)).not.toBe(pid);
      await release();
      expect(await partkeeper.run(job)).toMatchObject([{ outcome: 'success', failed: 0 }]);
    },
  );

  roleTest('a connection is given up when the server lets nobody in to cancel it', async ({ database, open, role }) => {
    const keeper = await role('login connection limit 1', 'keeper');
    await prepare(database);
    await database.query(`grant all on table events to ${keeper.sql}`);
    const partkeeper = open({ url: keeper.url, budget: patient, pool: 1 });
    const { release } = await whileBlocked(database, 'provision');
    const stop = new AbortController();
    let pid = 0;
    const running = partkeeper.database.use(async session => {
      pid = await pidOf(session);
      await session.transaction(partkeeper.runner.budget, () =>
        session.execute(ddl`lock table ${EVENTS} in access exclusive mode`, 'lock the table'),
      );
    }, stop.signal);
    const outcome = running.catch((error: unknown) => error);
    await waitUntil(() => pid);
    const watcher = await database.connect();
    await waitUntilBlocked(watcher, pid);
    stop.abort('SIGTERM');
    expect(await outcome).toMatchObject({ code: 'CANCELLED' });
    expect(await database.query('select from pg_stat_activity where pid = $1', [pid])).toHaveLength(1);
    await release();
    await untilGone(database, pid);
    expect(await nextPid(partkeeper)).not.toBe(pid);
  });

  partkeeperTest('a connection is not used again whose statement just made it', async ({ open }) => {
    const partkeeper = open({ pool: 1 });
    const stop = new AbortController();
    let pid = 0;
    await partkeeper.database.use(async session => {
      pid = await pidOf(session);
      const last = pidOf(session);
      // The answer arrives meanwhile, but nobody can have read it: the cancelling will come after the statement's end.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      stop.abort('SIGTERM');
      await last;
    }, stop.signal);
    expect(await nextPid(partkeeper)).not.toBe(pid);
  });

  partkeeperTest('nothing is begun any more, not even a connection', async ({ database, open }) => {
    const partkeeper = open();
    const running = partkeeper.database.use(pidOf, AbortSignal.abort('SIGTERM'));
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED', message: expect.stringContaining('SIGTERM') });
    expect(
      await database.query(
        `select from pg_stat_activity where application_name = 'partkeeper' and datname = current_database()`,
      ),
    ).toEqual([]);
  });
});

describe('cut by the server', () => {
  partkeeperTest.for(JOBS)(
    'in the middle of a %s job: the same run connects again and does the rest',
    async (job, { database, open }) => {
      await prepare(database);
      const partkeeper = open({ ...policiesFor(job), budget: patient, pool: 1 });
      const { blocked, release } = await whileBlocked(database, job);
      const running = partkeeper.run(job);
      await terminate(database, await blocked());
      await release();
      expect(await running).toMatchObject([{ outcome: 'success', failed: 0 }]);
      expect(partkeeper.eventsOf('action-failed')).toMatchObject([
        { error: { code: 'CONNECTION_LOST', sqlstate: '57P01' } },
      ]);
    },
  );

  partkeeperTest(
    'each time: the run fails after three plans and leaves nothing half done',
    async ({ database, open }) => {
      await prepare(database);
      const partkeeper = open({ ...policiesFor('provision'), budget: patient, pool: 1 });
      const { blocked, release } = await whileBlocked(database, 'provision');
      const running = partkeeper.run('provision');
      for (let times = 0; times < 3; times += 1) await terminate(database, await blocked());
      expect(await running).toMatchObject([{ outcome: 'failure', done: 0, error: { code: 'CONNECTION_LOST' } }]);
      await release();
      expect(await exists(database, relation('public.events_2026_07'))).toBe(false);
      expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', done: 1 }]);
      expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
    },
  );

  partkeeperTest('between two statements: the second one fails, and the next use works', async ({ database, open }) => {
    const partkeeper = open({ pool: 1 });
    const using = partkeeper.database.use(async session => {
      await terminate(database, await pidOf(session));
      await pidOf(session);
    });
    await expect(using).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await nextPid(partkeeper)).toBeGreaterThan(0);
  });

  partkeeperTest('F09: while idle: nobody notices', async ({ database, open }) => {
    const partkeeper = open({ pool: 1 });
    const pid = await nextPid(partkeeper);
    expect(await nextPid(partkeeper)).toBe(pid);
    await terminate(database, pid);
    expect(await nextPid(partkeeper)).not.toBe(pid);
  });
});
