/** `trigger --wait`: until the run that was asked for is over, or whoever waits has seen enough. */
import { describe, expect } from 'vitest';
import { QUIET_VIEWS, withClosedGate } from '../support/gate.ts';
import { configure as configureTargets } from '../support/queue.ts';
import { idIn, settled, triggerTest as test, untilOver } from '../support/triggering.ts';

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
