/** A schedule that was changed or removed in the file: the restart is the reload, and nothing of the old one is left. */
import { expect } from 'vitest';
import { cliTest } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';

const VIEWS = `
  create schema app;
  create materialized view app.changed as select 1 as n;
  create materialized view app.removed as select 2 as n;
  create unique index on app.changed (n);
  create unique index on app.removed (n)`;
const policy = (views: string): string =>
  `log: { format: json }\njobs: { refresh: { catchUp: skip } }\nviews:\n${views}`;
// 1 January is far from every day on which this runs, but for one.
const YEARLY = "  app.changed: { schedule: '0 0 1 1 *', skipUnchanged: false }\n";
const EVERY_SECOND = "  app.changed: { schedule: '* * * * * *', skipUnchanged: false }\n";
const REMOVED = "  app.removed: { schedule: '* * * * * *', skipUnchanged: false }\n";

const ticksOf = (database: TestDatabase, target: string) =>
  database.query<{ outcome: string; reason: string | null; at: Date }>(
    `select outcome, reason, coalesce(finished_at, started_at) as at from partkeeper.runs
      where job = 'refresh' and target = $1 and tick is not null order by tick`,
    [target],
  );

const missedBeforeTheChange = (database: TestDatabase, target: string) =>
  database.query(
    `select tick from partkeeper.runs r join partkeeper.targets t using (job, target)
      where job = 'refresh' and target = $1 and reason like 'missed%' and tick <= scheduled_since`,
    [target],
  );

cliTest.extend('template', 'bookkeeping')(
  'a changed schedule has missed nothing of what it would have come due at before, and a removed one is gone with its jobs',
  async ({ cli, configure, database }) => {
    await database.query(VIEWS);
    const serve = async (yaml: string, until: () => Promise<unknown>) => {
      await configure(yaml);
      const daemon = cli.start(['run']);
      await waitUntil(until, { deadlineMs: 60_000, pollMs: 100, what: 'the ticks of the schedule' }).catch(cause => {
        throw new Error(daemon.output(), { cause });
      });
      daemon.kill('SIGTERM');
      expect((await daemon.exited()).code).toBe(0);
      return daemon.log();
    };
    const isServed = (target: string, ticks: number) => async () =>
      (await ticksOf(database, target)).filter(({ outcome }) => outcome === 'success').length >= ticks;

    await serve(
      policy(YEARLY + REMOVED),
      async () => (await isServed('app.removed', 2)()) && isServed('app.changed', 1)(),
    );
    // As if a run of what is about to be removed still waited.
    const [{ id } = {}] = await database.query<{ id: string }>(
      "select run_id as id from partkeeper.trigger('refresh', 'app.removed')",
    );
    const before = await ticksOf(database, 'app.removed');

    const log = await serve(policy(EVERY_SECOND), isServed('app.changed', 3));
    const changed = await ticksOf(database, 'app.changed');
    // A machine that is busy with others may miss one of the ticks since; none from before may be said to be missed.
    expect(await missedBeforeTheChange(database, 'app.changed')).toEqual([]);
    const told = log.filter(({ msg }) => msg === 'ticks missed').reduce((sum, { ticks }) => sum + Number(ticks), 0);
    expect(told).toBe(changed.filter(({ reason }) => reason?.startsWith('missed')).length);
    expect(await ticksOf(database, 'app.removed')).toEqual(before);
    expect(
      await database.query('select state::text, output from partkeeper_queue.job where id = $1', [id]),
    ).toMatchObject([{ state: 'completed', output: { outcome: 'rejected', reason: 'unknown_target' } }]);
    expect(await database.query("select target, schedule from partkeeper.targets where job = 'refresh'")).toEqual([
      { target: 'app.changed', schedule: '* * * * * *' },
    ]);

    // An unchanged schedule keeps its past: what passed while the service was down was missed.
    const [since] = await database.query("select scheduled_since from partkeeper.targets where job = 'refresh'");
    await waitUntil(
      async () =>
        (await database.query("select from partkeeper.runs having now() > max(tick) + interval '3 s'")).length > 0,
      { what: 'some ticks to pass' },
    );
    const later = await serve(policy(EVERY_SECOND), isServed('app.changed', changed.length + 3));
    expect(await database.query("select scheduled_since from partkeeper.targets where job = 'refresh'")).toEqual([
      since,
    ]);
    expect(later.filter(({ msg }) => msg === 'ticks missed').length).toBeGreaterThan(0);
  },
);
