/** SIGHUP: another configuration takes the place of the one in force while the service goes on, or does not and says why. */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { waitUntil } from '../support/client.ts';
import { daemonTest } from '../support/daemon.ts';
import type { TestDatabase } from '../support/database.ts';
import { GATED_VIEWS, withClosedGate } from '../support/gate.ts';

const test = daemonTest.extend('template', 'queue');

const TABLES = `create schema if not exists app;
  create table app.one (at timestamptz not null) partition by range (at);
  create table app.two (at timestamptz not null) partition by range (at)`;
const ONE = 'tables:\n  app.one: { interval: month, premake: 2 }\n';
const BOTH = `${ONE}  app.two: { interval: month, premake: 2 }\n`;
const TWO = BOTH.replace(/ {2}app\.one.*\n/, '');

const partitionsOf = async (database: TestDatabase, table: string): Promise<number> =>
  (await database.query('select from pg_inherits where inhparent = $1::regclass', [table])).length;

const until = (what: string, isSo: () => Promise<boolean>) => waitUntil(isSo, { deadlineMs: 60_000, what });

const RELOADS = (outcome: string): string => `partkeeper_config_reloads_total{outcome="${outcome}"}`;
const LAST = 'partkeeper_config_last_reload_success';

test('a table that is new is maintained, one that is gone is not, and what is invalid changes nothing', async ({
  configure,
  daemon,
  database,
}) => {
  await database.query(TABLES);
  await configure(ONE);
  const service = await daemon();
  await until('the partitions of app.one', async () => (await partitionsOf(database, 'app.one')) === 3);
  await service.ready(200);
  expect((await service.metrics()).get(LAST)).toBe(1);

  // With the mistake, the new table is there as well: nothing of it may be taken over.
  await configure(BOTH.replace('premake: 2 }\n  app.two', 'premake: 2, retention: ninety days }\n  app.two'));
  service.kill('SIGHUP');
  await service.metric(RELOADS('failure'), value => value === 1);
  const refused = service.log().filter(({ msg }) => msg === 'reload failed');
  expect(refused).toMatchObject([
    { level: 'error', code: 'CONFIG_INVALID', text: expect.stringContaining('partkeeper.yaml:2:') },
  ]);
  expect(refused[0]?.text).toContain(`tables."app.one".retention: 'ninety days'`);
  expect((await service.metrics()).get(LAST)).toBe(0);
  expect((await service.get('/readyz')).code).toBe(200);
  expect(await partitionsOf(database, 'app.two')).toBe(0);

  await configure(`log: { level: debug }\n${BOTH}`);
  service.kill('SIGHUP');
  await until('the partitions of app.two', async () => (await partitionsOf(database, 'app.two')) === 3);
  const reloaded = await service.metrics();
  expect([reloaded.get(LAST), reloaded.get(RELOADS('success'))]).toEqual([1, 1]);
  await service.metric(
    'partkeeper_run_last_success_timestamp_seconds{target="app.two",operation="provision"}',
    at => at > 0,
  );
  await service.written('"level":"debug"');

  await configure(TWO);
  service.kill('SIGHUP');
  await service.metric(RELOADS('success'), value => value === 2);
  await until('app.one to be forgotten', async () =>
    [...(await service.metrics()).keys()].every(series => !series.includes('app.one')),
  );
  const known = async () =>
    (await database.query(`select distinct target from partkeeper.targets where target ~ '^app'`)).map(
      ({ target }) => target,
    );
  await until('partkeeper.targets to follow', async () => (await known()).join() === 'app.two');
  const changes = service
    .log()
    .filter(({ msg }) => msg === 'configuration reloaded')
    .map(({ changes: keys }) => keys);
  expect(changes).toEqual([
    ['tables."app.two"', 'log.level'],
    ['tables."app.one"', 'log.level'],
  ]);

  // The file is away for a moment: the bundled policy is not meant.
  await rm(await configure(''));
  service.kill('SIGHUP');
  await service.metric(RELOADS('failure'), value => value === 2);
  service.kill('SIGTERM');
  // Nobody wants it any more.
  service.kill('SIGHUP');
  expect((await service.exited()).code).toBe(0);
  expect(service.log().filter(({ level, msg }) => level === 'error' && msg !== 'reload failed')).toEqual([]);
});

describe('what is under way', () => {
  test('ends under the configuration that it began with, while the next tick follows the new one', async ({
    configure,
    daemon,
    database,
  }) => {
    await database.query(GATED_VIEWS);
    const gated = `views: { app.first: { schedule: '0 0 1 1 *', skipUnchanged: false } }\n`;
    await configure(gated);
    const runs = () =>
      database.query(
        `select target, outcome, config_hash from partkeeper.runs where job = 'refresh' order by started_at`,
      );
    const service = await withClosedGate(database, 1, async untilSomebodyWaits => {
      const started = await daemon();
      await untilSomebodyWaits();
      await configure(gated.replace('app.first', 'app.second'));
      started.kill('SIGHUP');
      await started.metric(RELOADS('success'), value => value === 1);
      return started;
    });
    await until(
      'both refreshes',
      async () => (await runs()).filter(({ outcome }) => outcome === 'success').length === 2,
    );
    const [first, second] = await runs();
    expect([first?.target, second?.target]).toEqual(['app.first', 'app.second']);
    expect(first?.config_hash).not.toBe(second?.config_hash);
    expect([...(await service.metrics()).keys()].filter(series => series.includes('app.first'))).toEqual([]);
  });
});

/** Linux only: the signals for which a process has a handler. */
const handles = (pid: number, signal: number): boolean => {
  const mask = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
};
const SIGHUP = 1;

describe.skipIf(process.platform !== 'linux')('a hang-up', () => {
  test('that comes before anything is read, or while no database answers, ends nothing', async ({ cli, configure }) => {
    await configure(ONE);
    const service = cli.start(['run'], { env: { DATABASE_URL: 'postgres://u@127.0.0.1:1/none' } });
    await waitUntil(() => handles(service.pid, SIGHUP), { deadlineMs: 60_000, pollMs: 1, what: 'the handler' });
    service.kill('SIGHUP');
    await service.written('"msg":"observation failed"');
    await configure(BOTH);
    service.kill('SIGHUP');
    await service.written('"msg":"configuration reloaded"');
    service.kill('SIGTERM');
    expect((await service.exited()).code).toBe(0);
  });

  test('ends every command that is no service', async ({ cli, configure, database }) => {
    await database.query(GATED_VIEWS);
    await configure(`views: { app.first: { schedule: '0 0 1 1 *' } }\n`);
    await withClosedGate(database, 1, async untilSomebodyWaits => {
      const applying = cli.start(['apply'], { isProcess: true });
      await untilSomebodyWaits();
      applying.kill('SIGHUP');
      expect(await applying.exited()).toMatchObject({ signal: null, stdout: expect.stringContaining('Stopped') });
    });
  });
});
