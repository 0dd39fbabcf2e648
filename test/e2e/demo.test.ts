/** `npm start`: the service on a database that it brings itself, which is gone afterwards. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import { type CliOptions, type CliProcess, cliTest } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import { relation } from '../support/facts.ts';
import { snapshot } from '../support/snapshot.ts';
import { partitionsOf } from '../support/tables.ts';

const STOP_MS = 5_000;

interface Demo {
  /** Everything temporary is made here. */
  readonly temporary: string;
  readonly start: (args: readonly string[], options?: CliOptions) => CliProcess;
  /** Fails unless no process and no file is left. */
  readonly expectNothingLeft: () => Promise<void>;
}

const test = cliTest.extend('demo', async ({ cli }, { onCleanup }): Promise<Demo> => {
  const temporary = await mkdtemp(join(tmpdir(), 'partkeeper-demo-'));
  // mkdtemp makes it ours alone, and PostgreSQL may run as another account.
  await chmod(temporary, 0o755);
  const processes = async (): Promise<readonly string[]> => {
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-eo', 'pid=,args=']);
    return stdout.split('\n').filter(line => line.includes(temporary));
  };
  onCleanup(async () => {
    // After a test that failed the guardian cleans up, once the processes are killed.
    await waitUntil(async () => (await processes()).length === 0, { deadlineMs: 60_000, what: 'the servers to end' });
    await rm(temporary, { recursive: true, force: true });
  });
  return {
    temporary,
    start: (args, options) =>
      cli.start(options?.isByNpm ? args : ['demo', ...args], {
        ...options,
        env: { DATABASE_URL: undefined, TMPDIR: temporary, ...options?.env },
      }),
    async expectNothingLeft() {
      expect(await processes()).toEqual([]);
      expect(await readdir(temporary)).toEqual([]);
    },
  };
});

describe('demo', () => {
  test('--once tells what it created, retired, refreshed and analyzed, and why', async ({ demo }) => {
    // What the environment says about other servers is not about this one.
    const env = { PGHOST: 'elsewhere.invalid', PGPORT: '1', PGSSLMODE: 'require', PGUSER: 'nobody' };
    const { code, stdout, stderr } = await demo.start(['--once', '--rows', '20_000'], { env }).exited();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^demo: PostgreSQL 17\.\d+ listens on port \d+$/m);
    expect(stdout).toMatch(/^demo: loaded 20,000 events into 1[45] monthly partitions in /m);
    expect(stdout).toMatch(
      /create partition unified\.event_metric_events_\d{4}_\d\d: done in .*; premake: 1 of 2 windows/,
    );
    expect(stdout).toMatch(
      /drop unified\.event_metric_events_\d{4}_\d\d \(.* rows, .*\): done in .*; its upper bound .*90 days/,
    );
    expect(stdout).toMatch(/refresh unified\.mv_recent_events concurrently: done in .*; no refresh of it is on record/);
    expect(stdout).toMatch(/analyze unified\.event_metric_events: done in .*; it was never analyzed/);
    expect(stdout).toMatch(
      /^demo: first round: 2 partitions created, 1\d partitions retired, 3 views refreshed, 1 ANALYZE statement$/m,
    );
    expect(stdout).toMatch(/^demo: the embedded database is stopped and removed$/m);
    await demo.expectNothingLeft();
  });

  test.for([
    ['while the server starts', 'starting an embedded PostgreSQL', '300_000'],
    ['when the server has just started', 'listens on port', '300_000'],
    ['while events are loaded', 'loading 300,000 events', '300_000'],
    ['in the first round', 'create partition', '20_000'],
  ] as const)('Ctrl-C %s ends it cleanly and soon', async ([, moment, rows], { demo }) => {
    const running = demo.start(['--rows', rows]);
    await running.written(moment);
    const asked = performance.now();
    running.interrupt();
    const { code, stderr } = await running.exited(STOP_MS);
    expect(performance.now() - asked).toBeLessThan(STOP_MS);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(running.output()).toMatch(
      /^demo: (the embedded database is stopped and removed|stopped before it was ready)/m,
    );
    await demo.expectNothingLeft();
  });

  test('by npm start goes on with its schedules, and serves its metrics, until Ctrl-C', async ({ demo }) => {
    const running = demo.start(['--rows', '2_000'], {
      isByNpm: true,
      // That of npm, which keeps it.
      env: { NODE_DISABLE_COMPILE_CACHE: '1' },
    });
    await running.written('stop with Ctrl-C');
    const address = /metrics for Prometheus: (\S+)/.exec(running.output())?.[1] ?? '';
    const text = await (await fetch(address)).text();
    expect(text).toMatch(/^partkeeper_partitions\{target="unified\.event_metric_events",state="future"\} 2$/m);
    expect(text).toMatch(
      /^partkeeper_run_next_timestamp_seconds\{target="unified\.mv_recent_events",operation="refresh"\} 1\d{9}$/m,
    );
    expect(running.hasEnded()).toBe(false);
    // npm passes on what the terminal has sent to everyone already.
    running.interrupt();
    await running.exited(STOP_MS);
    expect(running.output()).toMatch(/^demo: the embedded database is stopped and removed$/m);
    await demo.expectNothingLeft();
  });
});

describe('demo --data-dir', () => {
  test('keeps the database and uses it again, and a load that was interrupted is made anew; --json is a log of JSON lines', async ({
    demo,
  }) => {
    const folder = join(demo.temporary, 'kept', 'here');
    const interrupted = demo.start(['--data-dir', folder, '--rows', '300_000']);
    await interrupted.written('loading 300,000 events');
    interrupted.interrupt();
    // As from npm, which passes on what the terminal has sent to everyone. Another signal: two of one kind may become one.
    interrupted.kill('SIGTERM');
    expect(await interrupted.exited(STOP_MS)).toMatchObject({ code: 0 });

    const args = ['--data-dir', folder, '--rows', '2_000', '--once'];
    const first = await demo.start(args).exited();
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('demo: loaded 2,000 events');
    expect(first.stdout).toContain(`demo: the embedded database is stopped; its data stay in ${folder}`);

    const second = await demo.start([...args, '--json']).exited();
    expect(second.code).toBe(0);
    expect(second.stderr).toContain('demo: the events of an earlier demo are still there');
    expect(second.stderr).toMatch(/^demo: first round: 0 partitions created, 0 partitions retired, /m);
    const log = second.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(log.length).toBeGreaterThan(10);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['data', 'password']));
  });
});

describe('demo with DATABASE_URL', () => {
  test('installs and loads nothing, and starts no server', async ({ demo, database }) => {
    const before = await snapshot(database);
    const { code, stdout } = await demo.start(['--once'], { env: { DATABASE_URL: database.url } }).exited();
    expect(code).toBe(3);
    expect(stdout).toContain('demo: DATABASE_URL is set: working on that database; nothing is loaded');
    expect(stdout).toContain('unified.event_metric_events does not exist in database');
    expect(await snapshot(database)).toEqual(before);
    await demo.expectNothingLeft();
  });
});

describe('demo with DATABASE_URL on the bundled schema', () => {
  test.override('template', 'schema');

  test('looks after what is there', async ({ demo, database }) => {
    const { code } = await demo.start(['--once'], { env: { DATABASE_URL: database.url } }).exited();
    expect(code).toBe(0);
    expect(Object.keys(await partitionsOf(database, relation('unified.event_metric_events')))).toHaveLength(3);
    expect(await database.query('select from unified.event_metric_events limit 1')).toEqual([]);
  });
});
