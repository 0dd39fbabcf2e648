/**
 * F33: told to stop while something is under way. What runs gets three seconds, then it is cancelled on the server; whatever
 * happens, the ledger says what it came to. Each kind of action is held by a lock of the test's, so it is under way for sure.
 */
import { describe, expect } from 'vitest';
import type { ActionKind } from '../../src/domain/plan.ts';
import { type CliProcess, cliTest } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { shortOrLong } from '../support/stress.ts';
import { createTable, months } from '../support/tables.ts';

/** Kubernetes gives 30 s; a service that needs a third of it is far from being killed. */
const GRACE_MS = 10_000;
const AT_ONCE_MS = 1_000;
/** What a shell sees of a process that SIGTERM ended. */
const TERMINATED = 128 + 15;

const GATE = 7_773;

interface Scene {
  readonly table?: { readonly from: number; readonly months: number; readonly policy: string; readonly also?: string };
  /** Taken in a transaction of the test's; the action waits for it. */
  readonly hold: string;
}

const complete = { from: -2, months: 5 };
const expired = { from: -5, months: 8 };
/** The other kinds send the same statements as these do, and end in the same way. */
type Held = Exclude<ActionKind, 'finalize-detach' | 'restore-partition'>;
const SCENES: { readonly [K in Held]: Scene } = {
  'create-partition': {
    table: { from: -1, months: 3, policy: 'analyze: off' },
    hold: 'lock table public.events in share update exclusive mode',
  },
  'clear-leftovers': {
    table: {
      ...complete,
      policy: 'analyze: off',
      also: 'create table public.rest partition of public.events default; alter table public.rest add constraint partkeeper_no_rows check (true)',
    },
    hold: 'lock table public.rest in access share mode',
  },
  'drop-partition': {
    table: { ...expired, policy: 'analyze: off, retention: 4 months, retire: drop' },
    hold: 'lock table public.events in access share mode',
  },
  'detach-partition': {
    table: { ...expired, policy: 'analyze: off, retention: 4 months, retire: detach' },
    hold: 'lock table public.events in access share mode',
  },
  'refresh-view': { hold: `select pg_advisory_xact_lock(${GATE})` },
  'analyze-table': {
    table: { ...complete, policy: "analyze: { schedule: '0 0 1 1 *' }" },
    hold: 'lock table public.events in share update exclusive mode',
  },
};
/** In a transaction, and in what is none. */
const SHORT: readonly Held[] = ['create-partition', 'refresh-view'];
const KINDS = shortOrLong(SHORT, Object.keys(SCENES) as Held[]);

/** `yyyy-mm` in UTC, so many months from now. */
function month(offset: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1)).toISOString().slice(0, 7);
}

// Locks are waited for as long as the test likes.
const POLICY = `database: { lockTimeout: 2min, lockAttempts: 1, statementTimeout: 5min, deferIfTransactionOlderThan: 5min }
log: { level: info, format: json }
`;

interface HeldDaemon {
  readonly daemon: CliProcess;
  readonly release: () => Promise<unknown>;
}

const stopTest = cliTest
  .extend('template', 'queue')
  .extend('holdDuring', ({ cli, configure, database }) => async (kind: Held): Promise<HeldDaemon> => {
    const { table, hold } = SCENES[kind];
    if (table) {
      await createTable(database, 'public.events', { partitions: months('events', month(table.from), table.months) });
      if (table.also) await database.query(table.also);
      await configure(`${POLICY}tables:\n  public.events: { interval: month, premake: 2, ${table.policy} }\n`);
    } else {
      await database.query(`
          create function public.pass() returns int language sql as 'select pg_advisory_xact_lock_shared(${GATE}); select 1';
          create materialized view public.held as select public.pass() as n;
          create unique index on public.held (n)`);
      await configure(`${POLICY}views:\n  public.held: { schedule: '0 0 1 1 *' }\n`);
    }
    const holder = await database.connect();
    await holder.query('begin');
    await holder.query(hold);
    const daemon = cli.start(['run']);
    const isHeld = async () => {
      const rows = await database.query(
        `select from partkeeper.actions where kind = $1 and outcome = 'intended'
             and exists (select from pg_stat_activity where datname = current_database()
                         and application_name in ('partkeeper', 'partkeeper detach') and wait_event_type = 'Lock')`,
        [kind],
      );
      return rows.length === 1;
    };
    await waitUntil(isHeld, { deadlineMs: 60_000, what: `${kind} to wait for the test` }).catch(cause => {
      throw new Error(daemon.output(), { cause });
    });
    return { daemon, release: () => holder.query('rollback') };
  });

const HELD_RUN =
  'select r.outcome, r.done, r.failed, r.error_code from partkeeper.runs r join partkeeper.actions a using (run_id)';
const HELD_ACTION = 'select outcome, error_code from partkeeper.actions';

/** What a process that has ended must not leave behind. */
async function leftovers(database: TestDatabase): Promise<Record<string, number>> {
  const [row] = await database.query<Record<string, number>>(`
    select (select count(*)::int from partkeeper.runs where finished_at is null) as "unfinished runs",
           (select count(*)::int from partkeeper.actions where outcome = 'intended') as "unfinished actions",
           (select count(*)::int from partkeeper_queue.job where state = 'active') as "active jobs",
           (select count(*)::int from pg_locks where locktype = 'advisory' and pid <> all (
              select pid from pg_stat_activity where application_name = 'partkeeper test')
              and database = (select oid from pg_database where datname = current_database())) as "advisory locks",
           (select count(*)::int from pg_stat_activity where datname = current_database()
              and application_name ~ '^partkeeper( queue| run| cancel| migrate| detach)?$') as connections`);
  return row ?? {};
}
const NOTHING = {
  'unfinished runs': 0,
  'unfinished actions': 0,
  'active jobs': 0,
  'advisory locks': 0,
  connections: 0,
};

const complaints = ({ log }: CliProcess): readonly string[] =>
  log()
    .filter(({ level }) => level === 'error' || level === 'fatal')
    .map(({ text }) => text);

describe('SIGTERM while an action is under way', () => {
  stopTest.for(KINDS)(
    '%s: what cannot finish is cancelled within the grace period, is on record, and is done by the next run',
    async (kind, { cli, database, holdDuring }) => {
      const { daemon, release } = await holdDuring(kind);
      const toldAt = performance.now();
      daemon.kill('SIGTERM');
      const { code } = await daemon.exited(GRACE_MS);
      process.stdout.write(`${kind}: held, exit after ${((performance.now() - toldAt) / 1000).toFixed(1)} s\n`);
      expect(code).toBe(0);
      expect(await leftovers(database)).toEqual(NOTHING);
      expect(await database.query(HELD_ACTION)).toEqual([{ outcome: 'failed', error_code: 'CANCELLED' }]);
      expect(await database.query(HELD_RUN)).toEqual([
        { outcome: 'canceled', done: 0, failed: 1, error_code: 'CANCELLED' },
      ]);
      expect(complaints(daemon)).toEqual([]);
      // The queue keeps it for whoever comes next.
      expect(
        await database.query("select state::text from partkeeper_queue.job where state < 'completed'"),
      ).toContainEqual({
        state: 'retry',
      });
      await release();
      expect(await cli.run(['apply'])).toMatchObject({ code: 0 });
      expect(await cli.run(['plan', '--check'])).toMatchObject({ code: 0 });
    },
  );

  stopTest.for(KINDS)(
    'F33: %s: what can finish in three seconds finishes, and is on record',
    async (kind, { cli, database, holdDuring }) => {
      const { daemon, release } = await holdDuring(kind);
      daemon.kill('SIGTERM');
      await daemon.written('"msg":"stopping"');
      await release();
      expect((await daemon.exited(GRACE_MS)).code).toBe(0);
      expect(await leftovers(database)).toEqual(NOTHING);
      expect(await database.query(HELD_ACTION)).toEqual([{ outcome: 'done', error_code: null }]);
      expect(await database.query(HELD_RUN)).toEqual([{ outcome: 'success', done: 1, failed: 0, error_code: null }]);
      expect(complaints(daemon)).toEqual([]);
      expect(await cli.run(['plan', '--check'])).toMatchObject({ code: 0 });
    },
  );

  stopTest.for(KINDS)(
    '%s: a second SIGTERM ends the process at once, and the next run finds and tells what was interrupted',
    async (kind, { cli, database, holdDuring }) => {
      const { daemon, release } = await holdDuring(kind);
      daemon.kill('SIGTERM');
      await daemon.written('"msg":"stopping"');
      const toldAt = performance.now();
      // Within a quarter of a second it would be the echo of the first.
      const again = setInterval(() => daemon.kill('SIGTERM'), 50);
      const { code } = await daemon.exited(AT_ONCE_MS).finally(() => clearInterval(again));
      process.stdout.write(`${kind}: second signal, exit after ${(performance.now() - toldAt).toFixed(0)} ms\n`);
      expect(code).toBe(TERMINATED);
      await release();
      expect(await cli.run(['apply'])).toMatchObject({ code: 0 });
      expect(await cli.run(['plan', '--check'])).toMatchObject({ code: 0 });
      expect(await leftovers(database)).toMatchObject({ 'unfinished runs': 0, 'unfinished actions': 0 });
      const [first] = await database.query(`${HELD_ACTION} order by intended_at limit 1`);
      expect(first).toMatchObject({ outcome: 'abandoned' });
      expect(await database.query(`${HELD_RUN} order by started_at limit 1`)).toMatchObject([
        { outcome: 'interrupted' },
      ]);
    },
  );
});
