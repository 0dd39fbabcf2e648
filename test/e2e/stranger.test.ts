/** What a stranger gets wrong: each a message that says what to do, the right exit code, and nothing lost. */

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, inject } from 'vitest';
import type { PlanDocument } from '../../src/cli/plan-output.ts';
import { formatRelationName } from '../../src/domain/relation.ts';
import { cliTest, MONTHLY_EVENTS, QUIET_POLICY } from '../support/cli.ts';
import { relation } from '../support/facts.ts';
import { ownServerTest } from '../support/own-server.ts';
import { snapshot } from '../support/snapshot.ts';
import { createPartition, createTable, exists, months, partitionsOf } from '../support/tables.ts';

const test = cliTest.extend('template', 'schema');

const COMMANDS = ['plan', 'apply', 'check', 'migrate up', 'migrate status', 'run --once'] as const;
const PASSWORD = 'Sesame-öffne-dich-42';

/** What went to the person, whichever way the command tells it. */
const told = ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): string => stdout + stderr;

describe.for(COMMANDS)('partkeeper %s exits with 5', command => {
  const words = command.split(' ');

  test('without a server', async ({ cli }) => {
    const exit = await cli.run(words, { env: { DATABASE_URL: `postgres://me:${PASSWORD}@127.0.0.1:1/db` } });
    expect(exit.code).toBe(5);
    expect(exit.stderr).toMatch(/^partkeeper: could not connect to \S*127\.0\.0\.1:1\/db: connect ECONNREFUSED/m);
    expect(exit.stderr).toContain('Check host and port in DATABASE_URL or PGHOST and PGPORT, and that the server is');
    expect(told(exit)).not.toContain(PASSWORD);
  });

  test.runIf(inject('asksForPassword'))('with a wrong password, which is never repeated', async ({ cli, database }) => {
    const url = new URL(database.url);
    url.password = PASSWORD;
    const exit = await cli.run(words, { env: { DATABASE_URL: url.href } });
    expect(exit.code).toBe(5);
    expect(exit.stderr).toMatch(/password authentication failed for user .*\n {2}Check the user and the password/);
    expect(told(exit)).not.toMatch(/Sesame/);
  });

  test('without the database', async ({ cli, database }) => {
    const exit = await cli.run(words, { env: { DATABASE_URL: `${database.url}_of_others` } });
    expect(exit.code).toBe(5);
    expect(exit.stderr).toContain(`database "${database.name}_of_others" does not exist\n  Check the database name`);
  });
});

describe('a server', () => {
  test('that has no address is said to be unknown', async ({ cli }) => {
    const exit = await cli.run(['plan'], { env: { DATABASE_URL: 'postgres://db.invalid/app' } });
    expect(exit).toMatchObject({ code: 5, stderr: expect.stringContaining('getaddrinfo ENOTFOUND db.invalid') });
  });

  test('that accepts and says nothing is given up in time', async ({ cli, configure }) => {
    await configure(`database: { connectTimeout: 300ms }\n${MONTHLY_EVENTS}`);
    const mute = createServer(() => {}).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const address = mute.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const exit = await cli.run(['plan'], { env: { DATABASE_URL: `postgres://127.0.0.1:${port}/app` } });
    mute.close();
    expect(exit).toMatchObject({ code: 5, stderr: expect.stringMatching(/could not connect to .*: .*timeout/i) });
  });

  test('is found by PG… variables and a file with the password as well', async ({ cli, database, folder }) => {
    const { hostname, port, username, password } = new URL(database.url);
    const file = join(folder, 'password');
    await writeFile(file, `${decodeURIComponent(password)}\n`);
    const env = {
      DATABASE_URL: undefined,
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: decodeURIComponent(username),
      PGDATABASE: database.name,
      PGPASSWORD_FILE: file,
    };
    expect(await cli.run(['check'], { env })).toMatchObject({ code: 0, stdout: expect.stringContaining('SUPERUSER') });
    if (!inject('asksForPassword')) return;
    await writeFile(file, PASSWORD);
    const refused = await cli.run(['check'], { env });
    expect(refused.code).toBe(5);
    expect(told(refused)).not.toContain(PASSWORD);
  });
});

describe('a configuration', () => {
  const FIVE_MISTAKES = `database: { url: 'postgres://me:${PASSWORD}@db/app', pool: many }
tables:
  unified.event_metric_events: { interval: month, retention: 90 }
  orders: { interval: fortnight }
views:
  unified.mv_recent_events: { schedul: '*/5 * * * *' }
`;

  test.for(['config validate', 'plan', 'apply', 'check', 'run', 'migrate up'])(
    'with five mistakes makes %s tell all five with line and column, and exit with 4',
    async (command, { cli, configure, database }) => {
      await configure(FIVE_MISTAKES);
      const before = await snapshot(database);
      const exit = await cli.run(command.split(' '), { env: { DATABASE_URL: undefined } });
      expect({ code: exit.code, stdout: exit.stdout }).toEqual({ code: 4, stdout: '' });
      expect(exit.stderr.split('\n')).toEqual([
        'partkeeper: 5 problems in the configuration',
        expect.stringMatching(/^partkeeper\.yaml:1:\d+: database\.pool: /),
        expect.stringMatching(
          /^partkeeper\.yaml:3:\d+: tables\."unified\.event_metric_events"\.retention: '90' has no/,
        ),
        expect.stringMatching(/^partkeeper\.yaml:4:3: tables\.orders: 'orders' names no schema: write it as schema\./),
        expect.stringMatching(/^partkeeper\.yaml:4:\d+: tables\.orders\.interval: 'fortnight' is not known here: use/),
        expect.stringMatching(/^partkeeper\.yaml:6:\d+: views\."unified\.mv_recent_events"\.schedul: .*'schedule'/),
        '',
      ]);
      expect(told(exit)).not.toMatch(/Sesame/);
      expect(await snapshot(database)).toEqual(before);
    },
  );

  test('with mistakes tells them as data too', async ({ cli, configure }) => {
    await configure(FIVE_MISTAKES);
    const { code, stdout } = await cli.run(['plan', '--json'], { env: { DATABASE_URL: undefined } });
    expect(code).toBe(4);
    expect(JSON.parse(stdout).error.problems).toHaveLength(5);
  });

  test('whose address cannot be read does not repeat the password in it', async ({ cli }) => {
    for (const url of [`postgres://me:${PASSWORD}%@db/app`, `mysql://me:${PASSWORD}@db/app`, `me:${PASSWORD}@db/app`]) {
      const exit = await cli.run(['plan'], { env: { DATABASE_URL: url } });
      expect(exit.code, url).toBe(4);
      expect(exit.stderr).toContain('environment DATABASE_URL: database.url: ');
      expect(told(exit)).not.toMatch(/Sesame/);
    }
  });
});

describe('a target', () => {
  test('that is missing or of another kind is told, and the others have their turn', async ({
    cli,
    configure,
    database,
  }) => {
    await database.query('create table public.plain (at timestamptz)');
    await database.query('create table public.by_list (at timestamptz) partition by list (at)');
    await createTable(database, 'public.events');
    await configure(`tables:
  public.nowhere: { interval: month }
  public.plain: { interval: month }
  public.by_list: { interval: month }
  public.events: { interval: month }
views:
  public.no_view: { schedule: '0 0 1 1 *' }
  unified.mv_recent_events: { schedule: '0 0 1 1 *' }
`);
    const { code, stdout } = await cli.run(['apply']);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^Findings \(4\):$/m);
    expect(stdout).toMatch(/TARGET_MISSING {2}public\.nowhere does not exist in database/);
    expect(stdout).toMatch(/TARGET_MISSING {2}public\.plain exists, but is not a partitioned table/);
    expect(stdout).toMatch(/TARGET_MISSING {2}public\.no_view does not exist in database/);
    expect(stdout).toMatch(/KEY_UNSUPPORTED {2}public\.by_list cannot be kept by time: /);
    expect(Object.keys(await partitionsOf(database, relation('public.events')))).toHaveLength(3);
    expect(stdout).toMatch(/^✓ refresh unified\.mv_recent_events concurrently: done in /m);
  });

  test('that fails keeps none of the others from its turn, and the exit code is 1', async ({
    cli,
    configure,
    database,
  }) => {
    await database.query('create table public.numbers as select 1 as id, 1 as divisor');
    await database.query(
      'create materialized view public.broken as select id, 1 / divisor as share from public.numbers',
    );
    await database.query('create unique index on public.broken (id)');
    await database.query('update public.numbers set divisor = 0');
    await configure(`tables: { unified.event_metric_events: { interval: month } }
views:
  public.broken: { schedule: '0 0 1 1 *' }
  unified.mv_recent_events: { schedule: '0 0 1 1 *' }
`);
    const { code, stdout } = await cli.run(['apply']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^✗ refresh public\.broken concurrently: could not refresh public\.broken: division by zero/m,
    );
    expect(stdout).toMatch(/^✓ refresh unified\.mv_recent_events concurrently: done in /m);
    expect(stdout).toMatch(/^✓ analyze unified\.event_metric_events: done in /m);
    expect(stdout).toMatch(
      /^3 done, 1 failed, \d+ left alone\.\nFailures \(1\):\n {2}refresh public\.broken: could not/m,
    );
    expect(await cli.run(['run', '--once'])).toMatchObject({ code: 1 });
  });

  test('of another owner is left alone, with the grant that would help', async ({ cli, role, database }) => {
    const { url, name } = await role('login');
    const before = await snapshot(database);
    const { code, stdout } = await cli.run(['apply'], { env: { DATABASE_URL: url } });
    expect(code).toBe(3);
    expect(stdout).toMatch(/NOT_OWNER {2}unified\.event_metric_events belongs to /);
    expect(stdout).toContain(`to "${name}"`);
    expect(await snapshot(database)).toEqual(before);
  });
});

ownServerTest('a standby is read, never written, and said to be one', async ({ cli, server, configure }) => {
  await configure(QUIET_POLICY);
  const env = { DATABASE_URL: server.url };
  await server.stop();
  // What makes any server a standby: it waits for a primary that never speaks to it.
  await writeFile(join(server.dataDir, 'standby.signal'), '');
  await server.start();
  for (const command of ['plan', 'check', 'apply', 'run --once']) {
    const exit = await cli.run(command.split(' '), { env });
    expect({ command, code: exit.code }).toEqual({ command, code: 3 });
    expect(told(exit)).toContain('a standby in recovery');
    expect(told(exit)).toContain('Connect to the primary.');
  }
  const plan: PlanDocument = JSON.parse((await cli.run(['plan', '--json'], { env })).stdout);
  expect(plan.actions).toEqual([]);
  expect(new Set(plan.skips.map(({ reason }) => reason))).toEqual(new Set(['read-only']));
  expect(await cli.run(['migrate', 'down'], { env })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /in a read-only transaction\n {2}Connect to the primary, or see where default_transaction_read_only is set\.\n$/,
    ),
  });
});

describe('names', () => {
  const LONG = `${'ä'.repeat(31)}z`;
  const SCHEMA = 'Größe "x" \u001b[31m';
  const TABLES = [LONG, 'say "hi" to; drop table x', 'Ünïcode Täble', "it's 100% %s $1", 'line\nbreak', 'select'];

  const thisMonth = (): readonly [string, string] => {
    const [range = ['', '']] = Object.values(months('any', new Date().toISOString(), 1));
    return range;
  };

  test('F43: with quotes, blanks, umlauts, line ends and 63 bytes are kept as they are, from file to partition', async ({
    cli,
    configure,
    database,
  }) => {
    const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
    const tables = TABLES.map(name => ({ schema: SCHEMA, name }));
    const spelled = tables.map(({ schema, name }) => `${quoted(schema)}.${quoted(name)}`);
    await database.query(`create schema ${quoted(SCHEMA)}`);
    for (const [index, table] of tables.entries()) {
      await database.query(
        `create table ${spelled[index]} (at timestamptz not null, "Wért" text) partition by range (at)`,
      );
      await createPartition(database, table, `now ${index} "é`, ...thisMonth());
      await database.query(`insert into ${spelled[index]} values (now(), 'kept')`);
    }
    const view = `${quoted(SCHEMA)}.${quoted('View of "all" ß')}`;
    await database.query(`create materialized view ${view} as select 1 as "Id"; create unique index on ${view} ("Id")`);
    await configure(
      JSON.stringify({
        tables: Object.fromEntries(spelled.map(name => [name, { interval: 'month' }])),
        views: { [view]: { schedule: '0 0 1 1 *' } },
      }),
    );

    const plan: PlanDocument = JSON.parse((await cli.run(['plan', '--json'])).stdout);
    expect(plan.actions.filter(({ job }) => job === 'provision')).toHaveLength(2 * TABLES.length);
    const { code, stdout } = await cli.run(['apply']);
    expect(code).toBe(0);
    // Whoever may create a table could otherwise write on the terminal of whoever looks after it.
    for (const raw of ['\u001b', 'line\nbreak']) expect(stdout).not.toContain(raw);
    for (const [index, table] of tables.entries()) {
      const partitions = Object.keys(await partitionsOf(database, table));
      expect(partitions).toHaveLength(3);
      for (const name of partitions) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
      expect(await database.query(`select "Wért" as kept from ${spelled[index]}`)).toEqual([{ kept: 'kept' }]);
    }
    expect((await cli.run(['plan', '--check'])).code).toBe(0);
    const one = await cli.run(['plan', '--json', '--job', 'provision', '--target', spelled[0] ?? '']);
    expect(JSON.parse(one.stdout)).toMatchObject({
      actions: [],
      skips: [{ target: formatRelationName(tables[0] ?? relation('none.such')) }, {}, {}],
    });
    expect((await cli.run(['plan', '--target', `${spelled[0]}x`])).code).toBe(64);
    expect((await cli.run(['run', '--once'])).code).toBe(0);
  });

  test('that PostgreSQL would cut are refused', async ({ cli, configure, database }) => {
    await configure(JSON.stringify({ tables: { [`public."${LONG}z"`]: { interval: 'month' } } }));
    const { code, stderr } = await cli.run(['plan']);
    expect(code).toBe(4);
    expect(stderr).toContain('is 64 bytes long');
    expect(await exists(database, relation('public.anything'))).toBe(false);
  });
});
