/** F12: a pooler between us and the server. Needs Debian's package pgbouncer, which CI installs. */
import { expect } from 'vitest';
import { cliTest, QUIET_POLICY } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import { hasPgbouncer, type Pgbouncer, startPgbouncer } from '../support/pgbouncer.ts';

// A test that is skipped in CI does not exist: there the missing package is an error.
const isToRun = hasPgbouncer() || process.env.CI !== undefined;
if (!isToRun) process.stdout.write('pgbouncer is not installed: the tests of poolers are left out\n');

const poolerTest = cliTest.extend('template', 'schema').extend('pooler', ({ database }, { onCleanup }) => {
  const started: Pgbouncer[] = [];
  onCleanup(async () => {
    for (const { stop } of started) await stop();
  });
  return async (mode: 'transaction' | 'session'): Promise<string> => {
    const pgbouncer = await startPgbouncer(database.url, mode);
    started.push(pgbouncer);
    return pgbouncer.url;
  };
});

poolerTest.runIf(isToRun)(
  'F12: behind a transaction pooler every command refuses, and says what to do',
  async ({ cli, configure, pooler }) => {
    await configure(QUIET_POLICY);
    const env = { DATABASE_URL: await pooler('transaction') };
    for (const command of ['run', 'apply', 'plan', 'check']) {
      const { code, stderr, stdout } = await cli.run([command], { env });
      expect(code, `${command}: ${stdout}${stderr}`).toBe(4);
      expect(stdout + stderr).toContain('is a transaction pooler');
      expect(stdout + stderr).toContain('directUrl');
    }
  },
);

poolerTest.runIf(isToRun)(
  'with a direct address as well, sessions go there and the queue through the pooler',
  async ({ cli, configure, database, pooler }) => {
    await configure(QUIET_POLICY);
    const env = { DATABASE_URL: await pooler('transaction'), DATABASE_DIRECT_URL: database.url };
    const daemon = cli.start(['run'], { env });
    await daemon.written('Ready: the database answers');
    const finished = async () => {
      const rows = await database.query<{ outcome: string }>(
        "select outcome from partkeeper.runs where job = 'provision' and target like 'unified.%'",
      );
      return rows.find(({ outcome }) => outcome !== null)?.outcome;
    };
    expect(await waitUntil(finished, { deadlineMs: 60_000, what: 'a run that the queue handed out' })).toBe('success');
    const names = await database.query<{ name: string; clients: number }>(
      "select application_name as name, count(*)::int as clients from pg_stat_activity where datname = current_database() and application_name like 'partkeeper%' group by 1",
    );
    expect(names.map(({ name }) => name)).toContain('partkeeper queue');
    daemon.kill('SIGTERM');
    expect((await daemon.exited()).code).toBe(0);
  },
);

poolerTest.runIf(isToRun)('a pooler of sessions is as good as the server', async ({ cli, configure, pooler }) => {
  await configure(QUIET_POLICY);
  const { code, stdout, stderr } = await cli.run(['apply'], { env: { DATABASE_URL: await pooler('session') } });
  expect(code, stdout + stderr).toBe(0);
});
