/** What the command line understands and what it refuses, with and without a database. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect } from 'vitest';
import { parse } from 'yaml';
import { buildProgram } from '../../src/cli/program.ts';
import { MONTHLY_EVENTS, QUIET_POLICY, cliTest as test } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import { relation } from '../support/facts.ts';
import { snapshot } from '../support/snapshot.ts';
import { exists } from '../support/tables.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const NO_DATABASE = { env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nowhere' } };

/** The words that lead to each command, and the command. */
const commandsOf = (command: Command, words: readonly string[]): readonly (readonly [string, Command])[] => [
  [words.join(' '), command],
  ...command.commands.flatMap(inner => commandsOf(inner, [...words, inner.name()])),
];
const COMMANDS = commandsOf(
  buildProgram(command => command),
  [],
);
/** Every command that does something, as the documents list them. */
const ACTING =
  'run, plan, apply, check, demo, migrate, migrate up, migrate down, migrate status, config validate, config print, config schema'.split(
    ', ',
  );

describe('help', () => {
  test('there are these commands', () => {
    expect(COMMANDS.map(([words]) => words)).toEqual(expect.arrayContaining(['', 'config', ...ACTING]));
  });

  test.for(COMMANDS)('partkeeper %s --help exits with 0 and names every option', async ([words, command], { cli }) => {
    const { code, stdout, stderr } = await cli.run([...words.split(' ').filter(Boolean), '--help'], NO_DATABASE);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { long } of command.options) expect(stdout).toContain(` ${long}`);
    for (const inner of command.commands) expect(stdout).toContain(`\n  ${inner.name()} `);
    if (ACTING.includes(words))
      for (const flag of ['--help', '--json', '--config <file>']) expect(stdout).toContain(flag);
  });

  test('without a command it is shown, with the exit codes, and that is an error', async ({ cli }) => {
    const { code, stderr } = await cli.run([], NO_DATABASE);
    expect(code).toBe(64);
    expect(stderr).toContain('Usage: partkeeper');
    expect(stderr).toMatch(/^ {3}5 {2}the database could not be reached$/m);
  });

  test('--version is the one of the package', async ({ cli }) => {
    expect(await cli.run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});

describe('a command line that is not understood exits with 64, says why, and asks nothing of a database', () => {
  test.for([
    ['an unknown command', 'plna', "error: unknown command 'plna'\n(Did you mean plan?)"],
    [
      'an unknown subcommand',
      'migrate stats',
      "'stats' is invalid for argument 'command'. Allowed choices are up, down",
    ],
    ['an unknown option', 'plan --targt x', "error: unknown option '--targt'\n(Did you mean --target?)"],
    ['a word too many', 'plan everything', "error: too many arguments for 'plan'"],
    ['a job that does not exist', 'plan --job retier', 'Allowed choices are provision, retire, refresh, analyze.'],
    ['a date that is none', 'plan --at tomorrow', 'Write a date (2027-01-01, midnight in UTC) or an instant'],
    ['an instant without a zone', 'plan --at 2027-01-01T06:00:00', 'Write a date (2027-01-01, midnight in UTC)'],
    ['a count that is none', 'migrate down --count some', 'Write a whole number, at least 1.'],
    ['a target with a slip', 'plan --target unified.mv_recent_event', 'Did you mean unified.mv_recent_events?'],
    ['a target without its schema', 'check --target mv_recent_events', "'mv_recent_events' names no schema"],
    ['a target that is far off', 'apply --target public.x', 'Configured: unified.event_metric_events, '],
    [
      'a target of another kind than the job',
      'plan --job retire --target unified.mv_recent_events',
      'unified.mv_recent_events is not configured for retire\n  Configured: unified.event_metric_events, ',
    ],
  ] as const)('%s', async ([, words, message], { cli }) => {
    const { code, stdout, stderr } = await cli.run(words.split(' '), NO_DATABASE);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('with --json, a target that is not configured is told as JSON', async ({ cli }) => {
    const { code, stdout } = await cli.run(['plan', '--json', '--target', 'unified.mv_recent_event'], NO_DATABASE);
    expect(code).toBe(64);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'USAGE',
        message: '--target: unified.mv_recent_event is not configured',
        hint: 'Did you mean unified.mv_recent_events?',
      },
    });
  });
});

describe('migrate', () => {
  const BOTH = ['bookkeeping', 'schema']
    .flatMap(set => readdirSync(`sql/${set}`))
    .filter(name => name.endsWith('.up.sql')).length;

  test('shows, installs and takes back both schemas', async ({ cli, database }) => {
    const empty = await snapshot(database);
    const status = async () => (await cli.run(['migrate', 'status'])).stdout.match(/^(applied|pending)/gm);
    expect(await status()).toEqual(Array.from({ length: BOTH }, () => 'pending'));
    const up = await cli.run(['migrate', 'up']);
    expect(up.code).toBe(0);
    expect(up.stdout).toMatch(new RegExp(`^applied bundled migration 0001_events$[^]*^${BOTH} applied\\.$`, 'm'));
    expect(await status()).toEqual(Array.from({ length: BOTH }, () => 'applied'));
    expect(await cli.run(['migrate', 'up'])).toMatchObject({ code: 0, stdout: 'Nothing is pending.\n' });
    expect(await cli.run(['migrate', 'down', '--all'])).toMatchObject({ code: 0 });
    expect(await snapshot(database)).toEqual(empty);
  });

  test('alone is migrate up, and gives JSON', async ({ cli, database }) => {
    const { code, stdout } = await cli.run(['migrate', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).applied).toHaveLength(BOTH);
    expect(await exists(database, relation('unified.event_metric_events'))).toBe(true);
    const status = JSON.parse((await cli.run(['migrate', '--json', 'status'])).stdout);
    expect(status.migrations[0]).toEqual({
      set: 'bookkeeping',
      name: '0001_view_refreshes',
      appliedAt: expect.stringMatching(/Z$/),
    });
  });

  test('brings only its own schema to somebody who maintains other tables', async ({ cli, configure, database }) => {
    await configure('tables: { public.mine: { interval: day } }\n');
    expect(await cli.run(['migrate', 'up'])).toMatchObject({ code: 0 });
    expect(await exists(database, relation('partkeeper.view_refreshes'))).toBe(true);
    expect(await exists(database, relation('unified.event_metric_events'))).toBe(false);
  });

  test('stops on Ctrl-C while it waits, and has changed nothing', async ({ cli, database }) => {
    const blocker = await database.connect();
    await blocker.query('begin; create schema partkeeper');
    const migrate = cli.start(['migrate', 'up']);

    await waitUntil(async () => {
      const waiting = await database.query(`select from pg_stat_activity where application_name = 'partkeeper'
        and datname = current_database() and wait_event_type = 'Lock'`);
      return waiting.length === 1;
    });
    migrate.interrupt();
    const { code, stderr } = await migrate.exited();
    expect(code).toBe(1);
    expect(stderr).toContain('could not apply the bookkeeping migrations: canceling statement due to user request');
    await blocker.query('rollback');
    expect(await exists(database, relation('partkeeper.view_refreshes'))).toBe(false);
  });
});

describe('config, which needs no database,', () => {
  test('validates the bundled policy, or the file in the working directory', async ({ cli, configure }) => {
    expect(await cli.run(['config', 'validate'], NO_DATABASE)).toMatchObject({
      code: 0,
      stdout: 'the bundled policy is valid: 1 table, 3 views, 6 schedules.\n',
    });
    await configure(MONTHLY_EVENTS);
    const { stdout } = await cli.run(['config', 'validate', '--json'], NO_DATABASE);
    expect(JSON.parse(stdout)).toEqual({ valid: true, origin: 'partkeeper.yaml', tables: 1, views: 0, schedules: 2 });
  });

  test('prints what is in force as YAML that is valid again, or as JSON of the same', async ({ cli, configure }) => {
    await configure(QUIET_POLICY);
    const yaml = await cli.run(['config', 'print'], NO_DATABASE);
    const json = await cli.run(['config', 'print', '--json'], NO_DATABASE);
    expect(yaml.code).toBe(0);
    expect(JSON.parse(json.stdout)).toEqual(parse(yaml.stdout));
    expect(parse(yaml.stdout)).toHaveProperty(['tables', 'unified.event_metric_events', 'retention'], '90 days');
    await configure(yaml.stdout);
    expect((await cli.run(['config', 'print'], NO_DATABASE)).stdout).toBe(yaml.stdout);
  });

  test('prints the JSON Schema of the file', async ({ cli }) => {
    const { code, stdout } = await cli.run(['config', 'schema']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('properties.tables');
  });

  test('takes another file by --config or PARTKEEPER_CONFIG', async ({ cli, configure, folder }) => {
    const file = await configure(MONTHLY_EVENTS);
    const origin = `${file} is valid: 1 table, 0 views, 2 schedules.\n`;
    expect((await cli.run(['config', 'validate', '--config', file], { cwd: '/' })).stdout).toBe(origin);
    const env = { PARTKEEPER_CONFIG: file };
    expect((await cli.run(['config', 'validate'], { cwd: '/', env })).stdout).toBe(origin);
    expect(await cli.run(['plan', '--config', `${folder}/other.yaml`])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("other.yaml', which does not exist"),
    });
  });
});
