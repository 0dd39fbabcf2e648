/** What outlives a process: pauses, the history, the status and the metrics of the last runs. */
import { describe, expect } from 'vitest';
import { waitUntil } from '../support/client.ts';
import { daemonTest } from '../support/daemon.ts';
import type { TestDatabase } from '../support/database.ts';
import { GATED_VIEWS, QUIET_VIEWS, withClosedGate } from '../support/gate.ts';

const test = daemonTest
  .extend('template', 'queue')
  .extend('views', { auto: true }, async ({ database }) => void (await database.query(GATED_VIEWS)));

const EACH_SECOND = `views:
  app.first: { schedule: '* * * * * *', skipUnchanged: false }
  app.second: { schedule: '* * * * * *', skipUnchanged: false }
`;
const PAUSED_FIRST = 'partkeeper_paused{target="app.first",operation="refresh"}';
const PAUSED_SECOND = 'partkeeper_paused{target="app.second",operation="refresh"}';

const count = async (database: TestDatabase, condition: string): Promise<number> =>
  (await database.query<{ n: number }>(`select count(*)::int as n from partkeeper.runs where ${condition}`))[0]?.n ?? 0;

const untilMore = async (database: TestDatabase, condition: string, more = 2): Promise<void> => {
  const before = await count(database, condition);
  await waitUntil(async () => (await count(database, condition)) >= before + more, {
    deadlineMs: 60_000,
    what: `${more} more runs where ${condition}`,
  });
};

const RUN_OF_FIRST = `target = 'app.first' and trigger = 'schedule' and outcome = 'success'`;
const RUN_OF_SECOND = `target = 'app.second' and trigger = 'schedule' and outcome = 'success'`;
const LEFT_OUT = `target = 'app.first' and outcome = 'skipped' and reason = 'paused'`;

describe('a pause', () => {
  test('of one target stops its schedule, survives a restart, shows everywhere, and ends with resume', async ({
    cli,
    configure,
    daemon,
    database,
  }) => {
    await configure(EACH_SECOND);
    const before = await daemon();
    await untilMore(database, RUN_OF_FIRST);
    await before.metric(PAUSED_FIRST, value => value === 0);

    const paused = await cli.run(['pause', 'refresh', 'app.first', '--reason', 'the import runs']);
    expect(paused).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^paused: refresh on app\.first, since .+ by \S+ \(the import runs\)$/m),
    });
    await before.metric(PAUSED_FIRST, value => value === 1);
    expect((await before.metrics()).get(PAUSED_SECOND)).toBe(0);
    // The last one that was under way is over as soon as ticks are left out.
    await untilMore(database, LEFT_OUT);
    const runs = await count(database, RUN_OF_FIRST);
    await untilMore(database, RUN_OF_SECOND);

    before.kill('SIGTERM');
    expect((await before.exited()).code).toBe(0);
    const after = await daemon();
    await after.metric(PAUSED_FIRST, value => value === 1);
    await untilMore(database, LEFT_OUT);
    await untilMore(database, RUN_OF_SECOND);
    expect(await count(database, RUN_OF_FIRST)).toBe(runs);

    const status = await cli.run(['status', '--job', 'refresh']);
    expect(status.stdout).toMatch(/^refresh app\.first: success at .+, next .+Z \(paused\)$/m);
    expect(status.stdout).toMatch(/^refresh app\.second: success at .+, next .+Z$/m);
    expect(status.stdout).toMatch(/^paused: refresh on app\.first, since .+ \(the import runs\)$/m);
    // What is asked for by hand runs all the same.
    expect(await cli.run(['trigger', 'refresh', 'app.first', '--wait'])).toMatchObject({ code: 0 });

    const resumed = await cli.run(['resume', 'refresh', 'app.first', '--json']);
    expect(JSON.parse(resumed.stdout)).toEqual({ pauses: [] });
    await after.metric(PAUSED_FIRST, value => value === 0);
    await untilMore(database, RUN_OF_FIRST);
  });

  test('covers a job, a target or everything, and is ended by a resume that covers it', async ({
    cli,
    configure,
    database,
  }) => {
    await configure(QUIET_VIEWS);
    const pauses = async () =>
      (await database.query('select job, target from partkeeper.pauses order by job, target')).map(
        ({ job, target }) => `${job}/${target}`,
      );
    const isPaused = async () =>
      JSON.parse((await cli.run(['status', '--json'])).stdout)
        .jobs.filter((row: { paused: boolean }) => row.paused)
        .map((row: { job: string; target: string }) => `${row.job} ${row.target}`);

    expect(await isPaused()).toEqual([]);
    await cli.run(['pause', 'retire']);
    expect(await isPaused()).toEqual(['retire partkeeper.runs', 'retire partkeeper.actions']);
    await cli.run(['pause', 'refresh', 'APP.First']);
    expect(await pauses()).toEqual(['refresh/app.first', 'retire/']);
    await cli.run(['resume', 'refresh']);
    expect(await pauses()).toEqual(['retire/']);
    await cli.run(['pause']);
    expect(await isPaused()).toHaveLength(8);
    const still = await cli.run(['resume', 'retire']);
    expect(still.stdout).toMatch(/^paused: every job on every target/);
    expect((await cli.run(['resume'])).stdout).toBe('Nothing is paused.\n');
    expect(await pauses()).toEqual([]);
    expect(await cli.run(['pause', 'refresh', 'app.third'])).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('app.third is not configured'),
    });
  });
});

describe('history', () => {
  test('tells each run with why and for whom, and each action with its SQL, as text and as JSON', async ({
    cli,
    configure,
  }) => {
    await configure(`${QUIET_VIEWS}  app.broken: { schedule: '0 0 1 1 *' }\n`);
    expect((await cli.run(['history'])).stdout).toBe('Nothing is on record.\n');
    expect(await cli.run(['apply', '--job', 'refresh'])).toMatchObject({ code: 1 });

    const text = (await cli.run(['history', '--actions'])).stdout;
    expect(text).toMatch(/^\S+ \S+ {2}refresh app\.first: success in .+, 1 done, 0 failed; manual/m);
    expect(text).toMatch(/^ {4}refresh-view app\.first: done in .+; it was never populated, so nobody can read it$/m);
    expect(text).toContain('      refresh materialized view "app"."first";');
    expect(text).toMatch(
      /^\S+ \S+ {2}refresh app\.broken: failure in .+, 0 done, 1 failed; manual.*\n {4}UNEXPECTED: .*division by zero/m,
    );

    const all = JSON.parse((await cli.run(['history', '--json'])).stdout).runs;
    expect(all.map(({ target }: { target: string }) => target).sort()).toEqual([
      'app.broken',
      'app.first',
      'app.second',
    ]);
    expect(all.map((run: { started_at: string }) => run.started_at)).toEqual(
      all
        .map((run: { started_at: string }) => run.started_at)
        .toSorted()
        .toReversed(),
    );
    const one = JSON.parse((await cli.run(['history', '--json', '--actions', '--target', 'app.first'])).stdout).runs;
    expect(one).toEqual([
      expect.objectContaining({
        job: 'refresh',
        target: 'app.first',
        attempt: 1,
        trigger: 'manual',
        outcome: 'success',
        done: 1,
        replica: expect.stringMatching(/\/\d+$/),
        config_hash: expect.stringMatching(/^[0-9a-f]{12}$/),
        actions: [
          expect.objectContaining({
            kind: 'refresh-view',
            relation: 'app.first',
            because: { rule: 'never-populated' },
            statements: ['refresh materialized view "app"."first"'],
            outcome: 'done',
            attempts: 1,
          }),
        ],
      }),
    ]);
  });

  test('shows what it is asked for', async ({ cli, configure, database }) => {
    await configure(QUIET_VIEWS);
    await database.query(`
      insert into partkeeper.runs (run_id, started_at, finished_at, job, target, trigger, replica, version, config_hash, outcome)
      select gen_random_uuid(), at, at, job, 'app.first', 'schedule', 'r', 'v', 'c', 'success'
      from (values ('refresh', now() - interval '3 hours'), ('refresh', now() - interval '1 hour'), ('analyze', now())) v (job, at)
      where at >= date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'`);
    const here = await count(database, 'true');
    const jobs = async (...args: string[]): Promise<readonly string[]> =>
      JSON.parse((await cli.run(['history', '--json', ...args])).stdout).runs.map(({ job }: { job: string }) => job);
    expect(await jobs()).toHaveLength(here);
    expect(await jobs('--limit', '1')).toEqual(['analyze']);
    expect(await jobs('--job', 'analyze')).toEqual(['analyze']);
    expect(await jobs('--since', '30 minutes')).toEqual(['analyze']);
    expect(await jobs('--since', '2999-01-01')).toEqual([]);
    expect(await jobs('--target', 'app.second')).toEqual([]);
    expect(await cli.run(['history', '--since', 'lately'])).toMatchObject({
      code: 64,
      stderr: expect.stringContaining(`'lately' is neither`),
    });
  });
});

describe('status', () => {
  test('shows what runs and where, what never ran, and what is wrong', async ({ cli, configure, daemon, database }) => {
    await configure(`${QUIET_VIEWS}  app.nowhere: { schedule: '0 0 1 1 *' }\n`);
    const before = await cli.run(['status']);
    expect(before.code).toBe(3);
    expect(before.stdout).toMatch(/^refresh app\.first: has not run yet, next \d{4}-01-01T00:00:00Z$/m);
    expect(before.stdout).toMatch(/error {3}TARGET_MISSING {2}app\.nowhere does not exist/);
    await withClosedGate(database, 1, async untilSomebodyWaits => {
      const service = await daemon();
      await untilSomebodyWaits();
      const [run] = await database.query(`select run_id, replica from partkeeper.runs where finished_at is null`);
      const { jobs, findings } = JSON.parse((await cli.run(['status', '--json'])).stdout);
      const running = jobs.filter((row: { running?: object }) => row.running);
      expect(running).toMatchObject([
        { job: 'refresh', target: 'app.first', running: { run: run?.run_id, replica: run?.replica } },
      ]);
      expect(run?.replica).toMatch(new RegExp(`/${service.pid}$`));
      expect(findings).toMatchObject([{ code: 'TARGET_MISSING', target: 'app.nowhere' }]);

      // Of a process that is gone nothing runs any more, although nobody has said so on record yet.
      service.kill('SIGKILL');
      await service.exited();
      await waitUntil(async () => !/running since/.test((await cli.run(['status'])).stdout), { deadlineMs: 60_000 });
      expect(await count(database, 'finished_at is null')).toBe(1);
    });
    await daemon();
    await waitUntil(async () => (await count(database, `outcome = 'interrupted'`)) === 1, { deadlineMs: 60_000 });
    // The queue gives it to whoever is there.
    await waitUntil(
      async () => (await count(database, `target = 'app.first' and outcome = 'success' and attempt = 2`)) === 1,
      {
        deadlineMs: 60_000,
        what: 'the second attempt',
      },
    );
    expect((await cli.run(['history', '--target', 'app.first'])).stdout).toMatch(/refresh app\.first: interrupted in /);
  });
});

describe('where nothing is installed', () => {
  test.override('template', 'empty');

  test.for([['history'], ['status'], ['pause'], ['resume'], ['trigger', 'refresh']])(
    '%s says what to do where nothing is installed',
    async (args, { cli, configure }) => {
      await configure(QUIET_VIEWS);
      expect(await cli.run(args)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`run 'partkeeper migrate up'`),
      });
    },
  );
});

describe('the metrics of the last runs', () => {
  const names = [
    'last_attempt_timestamp_seconds',
    'last_success_timestamp_seconds',
    'last_duration_seconds',
    'consecutive_failures',
  ];
  const series = (name: string, target: string): string =>
    `partkeeper_run_${name}{target="${target}",operation="refresh"}`;

  test('are the same after a restart', async ({ cli, configure, daemon, database }) => {
    await configure(`${QUIET_VIEWS}  app.broken: { schedule: '0 0 1 1 *' }\n`);
    const before = await daemon();
    await before.ready(200);
    for (let times = 1; times <= 2; times += 1) await cli.run(['trigger', 'refresh', 'app.broken', '--wait']);
    expect(await cli.run(['trigger', 'refresh', 'app.first', '--wait'])).toMatchObject({ code: 0 });
    // The tick that was due at the start is a run of its own, or the one that was asked for first.
    await waitUntil(async () => (await count(database, 'finished_at is null')) === 0, { what: 'the last run to end' });
    const runs = await count(database, 'true');
    const failures = await count(database, `target = 'app.broken' and outcome = 'failure'`);
    expect(failures).toBeGreaterThanOrEqual(2);
    await before.metric(series('consecutive_failures', 'app.broken'), value => value === failures);
    const known = await before.metrics();
    before.kill('SIGKILL');
    await before.exited();

    const after = await daemon();
    await after.metric(series('consecutive_failures', 'app.broken'), value => value === failures);
    const restored = await after.metrics();
    for (const target of ['app.first', 'app.broken'])
      for (const name of names) {
        const [was, is] = [known.get(series(name, target)), restored.get(series(name, target))];
        // The process's clock before, the database's after; and a duration seen from either side.
        expect(Math.abs((was ?? Number.NaN) - (is ?? Number.NaN)), `${name} of ${target}`).toBeLessThan(2);
      }
    expect(restored.get(series('last_success_timestamp_seconds', 'app.broken'))).toBe(0);
    expect(restored.get(series('last_success_timestamp_seconds', 'app.first'))).toBeGreaterThan(1_700_000_000);
    expect(restored.get(series('last_duration_seconds', 'app.first'))).toBeGreaterThan(0);
    // They come from the ledger: nothing has run since.
    expect(await count(database, 'true')).toBe(runs);
  });
});
