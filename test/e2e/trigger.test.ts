/** Asking a running service for a job, in each of the four ways; and what it does with what it is not to do. */
import { userInfo } from 'node:os';
import type { PgBoss } from 'pg-boss';
import { describe, expect } from 'vitest';
import { createClient } from '../../src/index.ts';
import { waitUntil } from '../support/client.ts';
import { type Daemon, daemonTest } from '../support/daemon.ts';
import type { TestDatabase } from '../support/database.ts';
import { GATED_VIEWS, QUIET_VIEWS, withClosedGate } from '../support/gate.ts';
import { runsOnRecord } from '../support/ledger.ts';
import { anotherService, configure as configureTargets } from '../support/queue.ts';

const test = daemonTest
  .extend('template', 'queue')
  .extend('views', { auto: true }, async ({ database }) => void (await database.query(GATED_VIEWS)))
  .extend('boss', async ({ database }, { onCleanup }): Promise<PgBoss> => {
    const boss = await anotherService(database.url);
    onCleanup(() => boss.stop({ graceful: false }));
    return boss;
  });

/** Starts it and waits until everything that was due at the start is done. */
async function settled(start: () => Promise<Daemon>, database: TestDatabase, views: number): Promise<Daemon> {
  const daemon = await start();
  await daemon.ready(200);
  // Two tables of the ledger with two jobs each, and the views.
  await untilRuns(database, `trigger = 'schedule' and outcome is not null`, 4 + views);
  return daemon;
}

const untilRuns = (database: TestDatabase, condition: string, count: number) =>
  waitUntil(
    async () => {
      const [row] = await database.query<{ n: number }>(
        `select count(distinct run_id)::int as n from partkeeper.runs where ${condition}`,
      );
      return (row?.n ?? 0) >= count;
    },
    { deadlineMs: 60_000, what: `${count} runs where ${condition}` },
  );

const jobOf = async (database: TestDatabase, id: string) =>
  (await database.query('select state::text, output from partkeeper_queue.job where id = $1', [id]))[0];

const untilOver = (database: TestDatabase, id: string) =>
  waitUntil(
    async () => {
      const job = await jobOf(database, id);
      return ['completed', 'failed', 'cancelled'].includes(job?.state) && job;
    },
    { deadlineMs: 60_000, what: `job ${id} to be over` },
  );

const idIn = (stdout: string): string => /run (?<id>[0-9a-f-]{36})/.exec(stdout)?.groups?.id ?? 'none';

describe('four ways', () => {
  test('to ask for a run, each with its id, and with the id of the same run while it goes on', async ({
    cli,
    configure,
    daemon,
    database,
    boss,
  }) => {
    await configure(QUIET_VIEWS);
    await settled(daemon, database, 2);
    const client = createClient({ pool: await database.connect() });
    const target = 'app.first';
    const ways = {
      'command line': async () => {
        const { code, stdout } = await cli.run(['trigger', 'refresh', target, '--reason', 'command line']);
        expect(code).toBe(0);
        return { id: idIn(stdout), answer: /: (?<status>[a-z ]+), run /.exec(stdout)?.groups?.status };
      },
      'client of the library': async () => {
        const [answer] = await client.trigger({ job: 'refresh', target, reason: 'client of the library' });
        return { id: answer?.runId ?? 'none', answer: answer?.status };
      },
      'plain send': async () => {
        const key = `refresh/${target}`;
        const sent = await boss.send(
          'partkeeper',
          { job: 'refresh', target, reason: 'plain send' },
          { singletonKey: key },
        );
        if (sent !== null) return { id: sent, answer: 'queued' };
        const [busy] = (await boss.findJobs('partkeeper', { key })).filter(({ state }) => state === 'active');
        return { id: busy?.id ?? 'none', answer: busy && 'already running' };
      },
      'SQL function': async () => {
        const [row] = await database.query(`select * from partkeeper.trigger('refresh', $1, 'SQL function')`, [target]);
        return { id: row?.run_id as string, answer: row?.status as string };
      },
    };

    for (const [way, ask] of Object.entries(ways)) {
      const { id, answer } = await ask();
      expect({ way, answer }).toEqual({ way, answer: 'queued' });
      expect(await untilOver(database, id)).toMatchObject({
        state: 'completed',
        output: { outcome: 'success', done: 1 },
      });
      expect(await runsOnRecord(database)).toContainEqual(
        expect.objectContaining({ run_id: id, trigger: 'manual', reason: way, outcome: 'success', done: 1 }),
      );
    }
    expect((await runsOnRecord(database)).find(({ reason }) => reason === 'command line')?.requested_by).toBe(
      userInfo().username,
    );

    await withClosedGate(database, 1, async untilSomebodyWaits => {
      const [first] = await client.trigger({ job: 'refresh', target });
      await untilSomebodyWaits();
      for (const [way, ask] of Object.entries(ways))
        expect({ way, ...(await ask()) }).toEqual({ way, id: first?.runId, answer: 'already running' });
      // Another target is not in the way, and waits in the queue.
      const [other] = await client.trigger({ job: 'refresh', target: 'app.second' });
      expect(other?.status).toBe('queued');
      expect(await client.trigger({ job: 'refresh', target: 'app.second' })).toEqual([
        { ...other, status: 'already queued' },
      ]);
    });
    await untilRuns(database, `trigger = 'manual' and outcome = 'success'`, 6);
  });
});

describe('--wait', () => {
  test('shows progress and ends with 0 when the run succeeds, also for who came second', async ({
    cli,
    configure,
    daemon,
    database,
  }) => {
    await configure(QUIET_VIEWS);
    await settled(daemon, database, 2);
    const [first, second] = await withClosedGate(database, 1, async untilSomebodyWaits => {
      const one = cli.start(['trigger', 'refresh', 'app.first', '--wait']);
      await untilSomebodyWaits();
      await one.written('refresh-view app.first: intended, because it was asked for');
      const other = cli.start(['trigger', 'refresh', 'app.first', '--wait']);
      await other.written('app.first: already running, run');
      return [one, other];
    });
    const { code, stdout } = await first.exited();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^refresh app\.first: queued, run [0-9a-f-]{36}$/m);
    expect(stdout).toMatch(/^ {2}attempt 1 on \S+\/\d+$/m);
    expect(stdout).toMatch(/^ {2}refresh-view app\.first: done in .+, because it was asked for$/m);
    expect(stdout).toMatch(/^refresh app\.first: success, 1 done, 0 failed$/m);
    const later = await second.exited();
    expect(later.code).toBe(0);
    expect(idIn(later.stdout)).toBe(idIn(stdout));
    expect(later.stdout).toMatch(/^refresh app\.first: success, 1 done, 0 failed$/m);
  });

  test('ends with the failure’s own code, for a run that fails and for one that finds what is wrong', async ({
    cli,
    configure,
    daemon,
    database,
  }) => {
    await configure(
      `${QUIET_VIEWS}  app.broken: { schedule: '0 0 1 1 *' }\n  app.nowhere: { schedule: '0 0 1 1 *' }\n`,
    );
    await settled(daemon, database, 4);
    const broken = await cli.run(['trigger', 'refresh', 'app.broken', '--wait']);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toMatch(/^refresh app\.broken: failure, 0 done, 1 failed: .*division by zero$/m);

    const json = await cli.run(['trigger', 'refresh', 'app.broken', '--wait', '--json']);
    expect(json.code).toBe(1);
    const { triggered, runs } = JSON.parse(json.stdout);
    expect(triggered).toEqual([{ runId: expect.any(String), job: 'refresh', target: 'app.broken', status: 'queued' }]);
    expect(runs).toMatchObject([
      {
        state: 'failed',
        output: { outcome: 'failure', code: 'UNEXPECTED' },
        run: { outcome: 'failure', error_code: 'UNEXPECTED' },
      },
    ]);

    expect(await cli.run(['trigger', 'refresh', 'app.nowhere', '--wait'])).toMatchObject({ code: 3 });
    // Of all targets, the worst end counts.
    const all = await cli.run(['trigger', 'refresh', '--wait']);
    expect(all.code).toBe(3);
    expect(all.stdout).toMatch(/^refresh app\.first: success/m);
    expect(all.stdout).toMatch(/^refresh app\.broken: failure/m);
  });

  test('ends with 64 when the service does not know what it is asked for', async ({
    cli,
    configure,
    daemon,
    database,
  }) => {
    await configure(QUIET_VIEWS);
    await settled(daemon, database, 2);
    // This command line has another configuration than the service.
    await configure(`${QUIET_VIEWS}  app.broken: {}\n`);
    const unknown = await cli.run(['trigger', 'refresh', 'app.broken', '--wait']);
    expect(unknown.code).toBe(64);
    expect(unknown.stderr).toContain('app.broken is not configured for refresh');
    expect(unknown.stderr).toMatch(/Configured: .*refresh app\.first, refresh app\.second,/);
    // And so has the table of what is configured, as after a change that the service has not been restarted for.
    await database.query(
      `insert into partkeeper.targets (job, target, config_hash) values ('refresh', 'app.broken', 'none')`,
    );
    const rejected = await cli.run(['trigger', 'refresh', 'app.broken', '--wait']);
    expect(rejected.code).toBe(64);
    expect(rejected.stdout).toMatch(/^refresh app\.broken: rejected: app\.broken is not configured for refresh$/m);
    expect(await database.query(`select from partkeeper.runs where target = 'app.broken'`)).toEqual([]);
  });

  test('stops waiting on Ctrl-C, and the run goes on', async ({ cli, configure, daemon, database }) => {
    await configure(QUIET_VIEWS);
    await settled(daemon, database, 2);
    const id = await withClosedGate(database, 1, async untilSomebodyWaits => {
      const waiting = cli.start(['trigger', 'refresh', 'app.first', '--wait']);
      await untilSomebodyWaits();
      waiting.interrupt();
      const { code, stdout, stderr } = await waiting.exited();
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(idIn(stdout)) });
      return idIn(stdout);
    });
    expect(await untilOver(database, id)).toMatchObject({ state: 'completed', output: { outcome: 'success' } });
  });

  test.for([
    ['a job that is none', ['trigger', 'vacuum'], 64, `Allowed choices are`],
    ['a target that is none', ['trigger', 'refresh', 'app.third'], 64, 'app.third is not configured for refresh'],
    ['SQL for a target', ['trigger', 'refresh', `app.first'; drop schema app cascade; --`], 64, 'is not a table name'],
    [
      'a reason that is too long',
      ['trigger', 'refresh', 'app.first', '--reason', 'x'.repeat(501)],
      64,
      'at most 500 characters',
    ],
  ] as const)('is not reached by %s', async ([, args, code, message], { cli, configure, database }) => {
    await configure(QUIET_VIEWS);
    await configureTargets(database, [['refresh', 'app.first']]);
    const refusal = await cli.run([...args, '--wait']);
    expect(refusal).toMatchObject({ code, stderr: expect.stringContaining(message) });
    expect(await database.query('select from partkeeper_queue.job')).toEqual([]);
  });
});

describe('what another service sends', () => {
  const payloads: readonly (readonly [string, object | null, string])[] = [
    ['nothing', null, 'payload_invalid'],
    ['a list', ['refresh', 'app.first'], 'payload_invalid'],
    ['more than the schema has', { job: 'refresh', target: 'app.first', retention: '1 day' }, 'payload_invalid'],
    ['a key of its own making', { job: 'refresh', target: 'app.first', __proto__x: 1 }, 'payload_invalid'],
    ['a job that is none', { job: 'vacuum', target: 'app.first' }, 'payload_invalid'],
    ['no target', { job: 'refresh' }, 'payload_invalid'],
    ['a list for a target', { job: 'refresh', target: ['app.first'] }, 'payload_invalid'],
    ['SQL for a target', { job: 'refresh', target: 'app.first; drop schema app cascade' }, 'payload_invalid'],
    ['SQL in quotes', { job: 'refresh', target: 'app."first; drop schema app cascade"' }, 'unknown_target'],
    ['a target of another job', { job: 'retire', target: 'app.first' }, 'unknown_target'],
    ['a target that is none', { job: 'refresh', target: 'app.third' }, 'unknown_target'],
    ['a forged tick', { job: 'refresh', target: 'app.first', tick: '2026-01-01T00:00:00Z' }, 'forged_tick'],
    ['a huge reason', { job: 'refresh', target: 'app.first', reason: 'x'.repeat(3_000_000) }, 'payload_invalid'],
    ['a huge key', { job: 'refresh', target: 'app.first', ['k'.repeat(1_000_000)]: 1 }, 'payload_invalid'],
  ];

  test('and is not to be had is rejected with the reason, before any of it reaches the database', async ({
    configure,
    daemon,
    database,
    boss,
  }) => {
    await configure(QUIET_VIEWS);
    const service = await settled(daemon, database, 2);
    const before = (await runsOnRecord(database)).length;
    const counts: Record<string, number> = {};
    const sent = new Map<string, string>();
    for (const [what, payload] of payloads)
      sent.set(what, (await boss.send('partkeeper', payload, { singletonKey: what })) ?? 'none');
    for (const [what, , rejection] of payloads) {
      const job = await untilOver(database, sent.get(what) ?? 'none');
      expect({ what, job }).toEqual({
        what,
        job: {
          state: 'completed',
          output: { outcome: 'rejected', reason: rejection, because: expect.stringMatching(/./) },
        },
      });
      expect(job.output.because.length, what).toBeLessThanOrEqual(500);
      counts[rejection] = (counts[rejection] ?? 0) + 1;
    }
    for (const [rejection, count] of Object.entries(counts))
      await service.metric(`partkeeper_queue_jobs_rejected_total{rejection="${rejection}"}`, value => value === count);
    expect(await runsOnRecord(database)).toHaveLength(before);
    expect(service.log().filter(({ msg }) => msg === 'job rejected')).toHaveLength(payloads.length);
    expect(service.output().length).toBeLessThan(100_000);

    const id = await boss.send(
      'partkeeper',
      { job: 'refresh', target: 'APP.First' },
      { singletonKey: 'refresh/app.first' },
    );
    expect(await untilOver(database, id ?? 'none')).toMatchObject({ output: { outcome: 'success' } });
  });
});
