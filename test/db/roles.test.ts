/** With the roles that ops/roles.sql makes the service does all its jobs, and nobody can do anything else. */
import { type Client, escapeIdentifier } from 'pg';
import { describe, expect } from 'vitest';
import { createClient } from '../../src/index.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, aViewPolicy, relation } from '../support/facts.ts';
import { install } from '../support/install.ts';
import { codeOf, DENIED, type MadeRoles, refusals, madeRolesTest as test } from '../support/made-roles.ts';
import { configure } from '../support/queue.ts';

const EVENTS = relation('app.events');
const TOTALS = relation('app.totals');
const ALSO_FUTURE = `date_trunc('month', now() at time zone 'UTC') + interval '1 month 3 days'`;

/** What is to be maintained: one expired partition, the current month, and a row of the next in the default partition. */
const makeTargets = (database: TestDatabase, owner: string) =>
  database.query(`
    set role ${escapeIdentifier(owner)};
    create table app.events (id bigint generated always as identity, at timestamptz not null) partition by range (at);
    create table app.events_2020_01 partition of app.events for values from ('2020-01-01+00') to ('2020-02-01+00');
    do $$ declare month timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'; begin
      execute format('create table app.events_now partition of app.events for values from (%L) to (%L)', month, month + interval '1 month');
    end $$;
    create table app.events_rest partition of app.events default;
    create materialized view app.totals as select count(*) as n from app.events with no data;
    create unique index on app.totals (n);
    reset role;
    create schema other;
    create table other.secret (n int);
    insert into app.events (at) values ('2020-01-05+00'), (now()), ((${ALSO_FUTURE}) at time zone 'UTC')`);

const prepare = async (database: TestDatabase, made: MadeRoles, admin: Client) => {
  await database.query('create schema app');
  await made.run(admin);
  await makeTargets(database, made.names.owner);
  const url = await made.serviceUrl();
  await install({ url });
  await configure(database, [['refresh', 'app.totals']]);
  await made.run(admin);
  return url;
};

const allDenied = (statements: readonly string[]) => Object.fromEntries(statements.map(sql => [sql, DENIED]));

/** What nobody but an administrator may do. */
const ADMINISTRATION = [
  'create role intruder',
  'create schema intruder',
  'create database intruder',
  'create extension file_fdw',
  'create table public.intruder ()',
  'alter system set work_mem = 4096',
  'select pg_read_file($$PG_VERSION$$)',
  "copy (select 1) to program 'true'",
  "copy (select 1) to '/tmp/intruder'",
  'set session authorization postgres',
  'select from other.secret',
  'drop schema other cascade',
  'create table other.intruder ()',
];

const OTHERS_DATA = [
  'select from app.events',
  'select from app.events_2020_01',
  'select from app.totals',
  'insert into app.events (at) values (now())',
  'update app.events set at = now()',
  'delete from app.events',
  'truncate app.events',
  'lock app.events in access share mode',
];

const CHANGES_OF_SHAPE = [
  'drop table app.events',
  'drop table app.events_2020_01',
  'alter table app.events detach partition app.events_2020_01',
  'alter table app.events add column x int',
  'create table app.intruder ()',
  'refresh materialized view app.totals',
];

describe('the service', () => {
  test('does all its jobs, and a second plan is empty', async ({ database, made, open }) => {
    const url = await prepare(database, made, await database.connect());
    const partkeeper = open({
      url,
      tables: [
        aTablePolicy({
          relation: EVENTS,
          premake: 1,
          maxShare: 1,
          defaultPartition: 'drain',
          analyze: { changedShare: 0 },
        }),
      ],
      views: [aViewPolicy({ relation: TOTALS })],
    });
    const reports = await partkeeper.apply(['provision', 'retire', 'refresh', 'analyze'], { isAskedFor: true });
    expect(reports.map(({ run, outcome, error }) => `${run.job}: ${error?.message ?? outcome}`)).toEqual([
      'provision: success',
      'retire: success',
      'refresh: success',
      'analyze: success',
    ]);
    const rows = await database.query(
      `select tableoid::regclass::text as at, count(*)::int as n from app.events group by 1 order by 1`,
    );
    expect(rows).toEqual([
      { at: expect.stringMatching(/^app\.event_?s?.*\d{4}_\d\d$/), n: 1 },
      { at: 'app.events_now', n: 1 },
    ]);
    expect((await partkeeper.plan(['provision', 'retire'])).actions).toEqual([]);
    expect(await database.query('select from app.totals')).toHaveLength(1);
    const owners = await database.query(
      `select distinct pg_get_userbyid(relowner) as owner from pg_class where relnamespace = 'app'::regnamespace`,
    );
    expect(owners).toEqual([{ owner: made.names.owner }]);
  });

  test('can do nothing else, neither by itself nor as the owner', async ({ database, made }) => {
    const client = await database.connect({
      connectionString: await prepare(database, made, await database.connect()),
    });
    const byItself = [
      ...ADMINISTRATION,
      ...OTHERS_DATA,
      ...CHANGES_OF_SHAPE,
      'alter table app.events owner to current_user',
    ];
    expect(await refusals(client, byItself)).toEqual(allDenied(byItself));
    await client.query(`set role ${escapeIdentifier(made.names.owner)}`);
    expect(await refusals(client, ADMINISTRATION)).toEqual(allDenied(ADMINISTRATION));
    await client.query('reset role');
    const others = [
      `set role postgres`,
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres' and datname = current_database()`,
    ];
    expect(await refusals(client, others)).toEqual(allDenied(others));
  });

  test('has sessions that end by themselves, in this database', async ({ database, made }) => {
    const client = await database.connect({
      connectionString: await prepare(database, made, await database.connect()),
    });
    const { rows } = await client.query(
      `select name, setting from pg_settings where name in ('search_path', 'TimeZone', 'client_connection_check_interval', 'idle_in_transaction_session_timeout') order by 1`,
    );
    expect(rows).toEqual([
      { name: 'TimeZone', setting: 'UTC' },
      { name: 'client_connection_check_interval', setting: '5000' },
      { name: 'idle_in_transaction_session_timeout', setting: '60000' },
      { name: 'search_path', setting: 'pg_catalog, pg_temp' },
    ]);
  });
});

describe('the others', () => {
  test('may ask for runs, and change or see nothing', async ({ database, made, role }) => {
    await prepare(database, made, await database.connect());
    const asker = await role('login', 'asker');
    await database.query(`grant ${escapeIdentifier(made.names.trigger)} to ${asker.sql}`);
    const client = await database.connect({ connectionString: asker.url });
    const [first] = await createClient({ pool: client }).trigger({ job: 'refresh', target: 'app.totals' });
    expect(first).toMatchObject({ status: 'queued', target: 'app.totals' });
    expect(await createClient({ pool: client }).trigger({ job: 'refresh' })).toMatchObject([
      { status: 'already queued', runId: first?.runId },
    ]);
    const [job] = await database.query<{ by: string }>(`select data->>'requestedBy' as by from partkeeper_queue.job`);
    expect(job?.by).toBe(asker.name);
    const statements = [
      ...ADMINISTRATION,
      ...OTHERS_DATA,
      ...CHANGES_OF_SHAPE,
      'select from partkeeper.runs',
      'select from partkeeper.retirements',
      'select from partkeeper.targets',
      'insert into partkeeper.targets (job, target, priority) values ($$retire$$, $$other.secret$$, 0)',
      'select id from partkeeper_queue.job',
      // The id of a coming tick, or a place that is held for ever.
      'insert into partkeeper_queue.job (id, name, singleton_key) values (gen_random_uuid(), $$partkeeper$$, $$provision/app.events$$)',
      'update partkeeper_queue.job set data = null',
      'delete from partkeeper_queue.job',
      "insert into partkeeper_queue.job (name, state) values ('partkeeper', 'completed')",
      'update partkeeper_queue.queue set policy = $$standard$$',
      `set role ${escapeIdentifier(made.names.owner)}`,
    ];
    expect(await refusals(client, statements)).toEqual(allDenied(statements));
  });

  test('may read the record, and ask for nothing', async ({ database, made, role }) => {
    await prepare(database, made, await database.connect());
    const reader = await role('login', 'reader');
    await database.query(`grant ${escapeIdentifier(made.names.reader)} to ${reader.sql}`);
    const client = await database.connect({ connectionString: reader.url });
    for (const table of ['runs', 'actions', 'pauses', 'targets', 'retirements', 'view_refreshes'])
      expect(await codeOf(client, `select from partkeeper.${table}`), table).toBe('allowed');
    const statements = [
      ...ADMINISTRATION,
      ...OTHERS_DATA,
      ...CHANGES_OF_SHAPE,
      "select partkeeper.trigger('refresh')",
      'delete from partkeeper.runs',
      'insert into partkeeper.pauses default values',
      'select from partkeeper_queue.job',
    ];
    expect(await refusals(client, statements)).toEqual(allDenied(statements));
  });
});
