/** Every command on a real database with the bundled schema, and once each as a process. */
import { describe, expect } from 'vitest';
import type { PlanDocument } from '../../src/cli/plan-output.ts';
import { cliTest, MONTHLY_EVENTS, QUIET_POLICY } from '../support/cli.ts';
import { relation } from '../support/facts.ts';
import { snapshot } from '../support/snapshot.ts';
import { createPartition, exists, partitionsOf } from '../support/tables.ts';

const EVENTS = relation('unified.event_metric_events');
const LONG_AGO = relation('unified.event_metric_events_2020_01');

/** With an expired partition, so that every job has something to do. */
const test = cliTest.extend('template', 'schema').extend('policy', { auto: true }, async ({ database, configure }) => {
  await createPartition(database, EVENTS, LONG_AGO.name, '2020-01-01', '2020-02-01');
  return configure(QUIET_POLICY);
});

const KINDS = ['create-partition', 'drop-partition', 'refresh-view', 'analyze-table'];

test('as a process every command ends by itself, with its exit code and nothing but its own words', async ({ cli }) => {
  const view = 'unified.mv_recent_events';
  for (const [words, code] of [
    ['migrate up', 0],
    ['plan --check', 2],
    ['apply --json', 0],
    ['plan --check', 0],
    ['check', 0],
    [`pause refresh ${view}`, 0],
    ['status', 0],
    [`resume refresh ${view}`, 0],
    ['history --actions', 0],
    ['migrate status', 0],
    ['config validate', 0],
    ['--help', 0],
  ] as const) {
    const exit = await cli.run(words.split(' '), { isProcess: true });
    expect({ words, ...exit }).toEqual({ words, code, signal: null, stdout: expect.stringMatching(/./), stderr: '' });
  }
  const unknown = await cli.run(['plna'], { isProcess: true });
  expect(unknown).toMatchObject({ code: 64, stdout: '', stderr: expect.stringContaining('unknown command') });
});

describe('plan', () => {
  test('gives every action with its reason and SQL, and every skip with its reason, as JSON', async ({ cli }) => {
    const { code, stdout, stderr } = await cli.run(['plan', '--json']);
    const plan: PlanDocument = JSON.parse(stdout);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(Object.keys(plan)).toEqual(['now', 'actions', 'skips', 'findings']);
    expect(Math.abs(Date.now() - Date.parse(plan.now))).toBeLessThan(60_000);
    expect(new Set(plan.actions.map(({ kind }) => kind))).toEqual(new Set(KINDS));
    for (const action of plan.actions)
      expect(action).toEqual({
        job: expect.stringMatching(/^(provision|retire|refresh|analyze)$/),
        target: expect.stringMatching(/^unified\./),
        kind: expect.any(String),
        relation: expect.stringMatching(/^unified\./),
        because: expect.objectContaining({ rule: expect.any(String) }),
        why: expect.stringMatching(/./),
        sql: expect.arrayContaining([expect.stringMatching(/"unified"\./)]),
      });
    expect(plan.actions.find(({ kind }) => kind === 'drop-partition')).toMatchObject({
      job: 'retire',
      target: 'unified.event_metric_events',
      relation: 'unified.event_metric_events_2020_01',
      because: { rule: 'expired', upper: '2020-02-01T00:00:00Z', retention: '90 days' },
    });
    expect(plan.skips).toContainEqual(
      expect.objectContaining({ job: 'retire', target: 'unified.event_metric_events', reason: 'within-retention' }),
    );
    expect(plan.findings).toEqual([]);
  });

  test('says to people what it would do, why, with which SQL, and what it leaves alone', async ({ cli }) => {
    const { code, stdout } = await cli.run(['plan']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^At .+Z, on the database's clock: \d+ actions\.$/m);
    expect(stdout).toMatch(/^\+ drop unified\.event_metric_events_2020_01 /m);
    expect(stdout).toMatch(/^ {2}because its upper bound 2020-02-01T00:00:00Z is at or before the cutoff /m);
    expect(stdout).toContain('    drop table "unified"."event_metric_events_2020_01";');
    expect(stdout).toMatch(/^Left alone \(\d+\):$/m);
    expect(stdout).toContain('Its upper bound is after the retention cutoff');
  });

  test('changes nothing', async ({ cli, database }) => {
    const before = await snapshot(database);
    await cli.run(['plan', '--force']);
    await cli.run(['apply', '--dry-run', '--force']);
    expect(await snapshot(database)).toEqual(before);
  });

  test('looks at one job and one target when asked to', async ({ cli }) => {
    const { stdout } = await cli.run(['plan', '--json', '--job', 'refresh', '--target', 'unified.MV_recent_events']);
    const { actions, skips }: PlanDocument = JSON.parse(stdout);
    expect([...actions, ...skips].map(({ job, target }) => ({ job, target }))).toEqual([
      { job: 'refresh', target: 'unified.mv_recent_events' },
    ]);
  });

  test('tells what another date would bring', async ({ cli }) => {
    const { stdout } = await cli.run(['plan', '--at', '2031-05-06', '--job', 'provision']);
    expect(stdout).toMatch(/^At 2031-05-06T00:00:00Z, as asked: \d+ actions\.$/m);
    expect(stdout).toContain('+ create partition unified.event_metric_events_2031_05');
  });

  test('does not mind that nobody reads it to the end', async ({ cli }) => {
    expect(await cli.run(['plan'], { isUnread: true })).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('apply', () => {
  test('does what is pending and prints each step; then nothing is pending', async ({ cli, database }) => {
    expect(await cli.run(['plan', '--check'])).toMatchObject({ code: 2 });
    const { code, stdout } = await cli.run(['apply']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^… drop unified\.event_metric_events_2020_01 .+, because its upper bound/m);
    expect(stdout).toMatch(/^✓ drop unified\.event_metric_events_2020_01 .+: done in /m);
    expect(stdout).toMatch(/^ {2}retire unified\.event_metric_events: 1 done, /m);
    expect(stdout).toMatch(/^\d+ done, 0 failed, \d+ left alone\.$/m);
    expect(await exists(database, LONG_AGO)).toBe(false);
    const second = await cli.run(['plan', '--check']);
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(/on the database's clock: nothing to do\.$/m);
  });

  test('gives one JSON document about all runs', async ({ cli }) => {
    const { code, stdout } = await cli.run(['apply', '--json']);
    const { runs } = JSON.parse(stdout) as { runs: { job: string; target: string; outcome: string; done: number }[] };
    expect(code).toBe(0);
    const own = runs.filter(({ target }) => target.startsWith('partkeeper.'));
    expect(own.map(({ outcome }) => outcome)).toEqual(own.map(() => 'success'));
    expect(runs.filter(run => !own.includes(run)).map(({ job, target }) => `${job} ${target}`)).toEqual([
      'provision unified.event_metric_events',
      'retire unified.event_metric_events',
      'refresh unified.mv_recent_events',
      'refresh unified.mv_error_summary',
      'refresh unified.mv_performance_metrics',
      'analyze unified.event_metric_events',
    ]);
    const idle = runs.filter(({ outcome, done }) => outcome !== 'success' || done === 0);
    expect(idle.filter(run => !own.includes(run))).toEqual([]);
  });

  test('with --dry-run is plan', async ({ cli }) => {
    const ofNow = (text: string): string => text.replaceAll(/(?<=")\d{4}-[^"]+Z(?=")|(?<=cutoff )[^"]+/g, '<now>');
    const [plan, dryRun] = await Promise.all([cli.run(['plan', '--json']), cli.run(['apply', '--dry-run', '--json'])]);
    expect(JSON.parse(plan.stdout)).toHaveProperty('actions.0.sql');
    expect({ ...dryRun, stdout: ofNow(dryRun.stdout) }).toEqual({ ...plan, stdout: ofNow(plan.stdout) });
    const later = ['--at', '2031-05-06'];
    expect(await cli.run(['apply', '--dry-run', ...later])).toEqual(await cli.run(['plan', ...later]));
  });

  test('refuses to be told that somebody agrees to what nobody is asked, and names what is', async ({
    cli,
    configure,
    database,
  }) => {
    await database.query(`create table public.old (at timestamptz not null) partition by range (at);
      create table public.old_2020_01 partition of public.old for values from ('2020-01-01+00') to ('2020-02-01+00');
      create table public.old_2020_02 partition of public.old for values from ('2020-02-01+00') to ('2020-03-01+00');
      create table public.old_2020_03 partition of public.old for values from ('2020-03-01+00') to ('2020-04-01+00');
      insert into public.old select '2020-01-01+00'::timestamptz + make_interval(hours => i) from generate_series(1, 2000) i;
      analyze public.old`);
    await configure('tables: { public.old: { interval: month, retention: 90 days, analyze: off } }\n');
    const held = await cli.run(['apply', '--json']);
    const [, name = ''] = /--acknowledge ([0-9a-f]{12})`/.exec(held.stdout) ?? [];
    const wrong = name.replace(/.$/, name.endsWith('0') ? '1' : '0');
    for (const args of [
      ['apply', 'retire', '--acknowledge', wrong],
      ['apply', '--acknowledge', name, wrong],
      ['apply', '--dry-run', '--acknowledge', wrong],
    ])
      expect(await cli.run(args), args.join(' ')).toMatchObject({
        code: 64,
        stdout: '',
        stderr: expect.stringContaining(
          `--acknowledge: nothing asks for '${wrong}', or not any more\n  Did you mean ${name}? Asked for now: ${name} (public.old).`,
        ),
      });
    expect(await cli.run(['apply', 'provision', '--acknowledge', name])).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('No plan is held back for want of an acknowledgement.'),
    });
    expect(await database.query(`select from pg_class where relname ~ '^old_2020'`)).toHaveLength(3);
    expect(await cli.run(['apply', 'retire', '--acknowledge', name])).toMatchObject({ code: 0 });
    expect(await database.query(`select from pg_class where relname ~ '^old_2020'`)).toEqual([]);
    // What was agreed to is done: nothing asks for it any more.
    expect(await cli.run(['apply', 'retire', '--acknowledge', name])).toMatchObject({ code: 64 });
  });

  test('refuses --at on a database that is not the demo, whatever whoever connects may claim', async ({
    cli,
    database,
  }) => {
    const before = await snapshot(database);
    const refusal = await cli.run(['apply', '--at', '2031-05-06'], {
      isProcess: true,
      env: { PGOPTIONS: '-c partkeeper.demo=on' },
    });
    expect(refusal.code).toBe(64);
    expect(refusal.stderr).toContain(`${database.name} is not a demo database\n  Use plan --at to see what would be`);
    expect(await snapshot(database)).toEqual(before);
  });

  test('pretends --at on the demo database', async ({ cli, database }) => {
    await database.query(`alter database ${database.name} set partkeeper.demo = 'on'`);
    expect(await cli.run(['apply', '--at', '2031-05-06', '--job', 'provision'])).toMatchObject({ code: 0 });
    expect(Object.keys(await partitionsOf(database, EVENTS))).toEqual(
      expect.arrayContaining(['2031_05', '2031_06', '2031_07'].map(month => `event_metric_events_${month}`)),
    );
  });

  test('stops on Ctrl-C, says so, and leaves nothing half done', async ({ cli, configure, database }) => {
    await configure(`database: { lockTimeout: 60s }\n${MONTHLY_EVENTS}`);
    const blocker = await database.connect();
    await blocker.query('begin; lock table unified.event_metric_events in share mode');
    const before = await snapshot(database);
    const apply = cli.start(['apply']);
    await apply.written('… create partition');
    apply.interrupt();
    const { code, stdout } = await apply.exited();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Stopped before everything was done: 0 done, 1 failed/m);
    await blocker.query('rollback');
    expect(await snapshot(database)).toEqual(before);
    const ours = await database.query(`select from pg_stat_activity where application_name = 'partkeeper'
      and datname = current_database()`);
    expect(ours).toEqual([]);
  });
});

describe('check', () => {
  test('finds nothing wrong with a database in order, but who asks', async ({ cli, database, role }) => {
    const asSuperuser = await cli.run(['check']);
    expect(asSuperuser).toMatchObject({ code: 0, stderr: '' });
    expect(asSuperuser.stdout).toMatch(/^Findings \(1\):\n {2}warning SUPERUSER .* is connected as .*ops\/roles\.sql/);
    // Who may act as everybody that owns something there.
    const service = await role('login', 'service');
    await database.query(`do $$ declare owner name; begin
      for owner in select distinct relowner::regrole from pg_class where relnamespace in ('unified'::regnamespace, 'partkeeper'::regnamespace)
      loop execute format('grant %s to ${service.sql}', owner); end loop; end $$`);
    expect(await cli.run(['check'], { env: { DATABASE_URL: service.url } })).toEqual({
      code: 0,
      signal: null,
      stdout: 'Nothing is wrong.\n',
      stderr: '',
    });
  });

  test('tells what is wrong and what to do, and exits with 3', async ({ cli, configure }) => {
    await configure(`tables: { public.nowhere: { interval: day } }\n`);
    const json = await cli.run(['check', '--json']);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toEqual({
      now: expect.stringMatching(/Z$/),
      findings: [
        {
          target: 'public.nowhere',
          code: 'TARGET_MISSING',
          severity: 'error',
          message: expect.stringContaining('public.nowhere does not exist'),
          hint: expect.stringContaining('Check the spelling'),
        },
        expect.objectContaining({ code: 'SUPERUSER', severity: 'warning' }),
      ],
    });
    const text = await cli.run(['check']);
    expect(text.code).toBe(3);
    expect(text.stdout).toMatch(/^Findings \(2\):\n {2}error {3}TARGET_MISSING {2}public\.nowhere does not exist/);
  });
});
