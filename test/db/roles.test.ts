/** ops/roles.sql: with the roles that it makes the service does all its jobs, and nobody can do anything else. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { describe, expect } from 'vitest';
import { createClient } from '../../src/index.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, aViewPolicy, relation } from '../support/facts.ts';
import { install } from '../support/install.ts';
import { configure } from '../support/queue.ts';
import { roleTest } from '../support/roles.ts';

const ROLES = readFileSync(new URL('../../ops/roles.sql', import.meta.url), 'utf8');

type Name = 'owner' | 'service' | 'trigger' | 'reader';
interface Made {
  readonly names: Readonly<Record<Name, string>>;
  /** Runs the file. @returns what it had to say */
  readonly run: (client: Client) => Promise<readonly string[]>;
  /** The database as the service; only once there is the role. */
  readonly serviceUrl: () => Promise<string>;
}

/** Names of the file's roles, which go at the end with everything they own. */
const test = roleTest.extend('template', 'empty').extend('made', async ({ database }, { onCleanup }): Promise<Made> => {
  const suffix = randomBytes(6).toString('hex');
  const names = {
    owner: `pk made Owner ${suffix}`,
    service: `pk made service ${suffix}`,
    trigger: `pk made trigger ${suffix}`,
    reader: `pk made reader ${suffix}`,
  };
  onCleanup(async () => {
    await database.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    const there = await database.query<{ name: string }>(
      'select rolname as name from pg_roles where rolname = any ($1)',
      [Object.values(names)],
    );
    for (const { name } of there)
      await database.query(
        `reassign owned by ${escapeIdentifier(name)} to current_user; drop owned by ${escapeIdentifier(name)} cascade`,
      );
    for (const { name } of there) await database.query(`drop role ${escapeIdentifier(name)}`);
  });
  return {
    names,
    async run(client) {
      const said: string[] = [];
      const onNotice = ({ message }: { message?: string | undefined }): void => void said.push(message ?? '');
      client.on('notice', onNotice);
      for (const [name, value] of Object.entries(names))
        await client.query(`select set_config('partkeeper.${name}', $1, false)`, [value]);
      await client.query(ROLES);
      client.off('notice', onNotice);
      return said;
    },
    async serviceUrl() {
      const password = randomBytes(12).toString('hex');
      await database.query(`alter role ${escapeIdentifier(names.service)} password '${password}'`);
      const url = new URL(database.url);
      url.username = encodeURIComponent(names.service);
      url.password = password;
      return url.href;
    },
  };
});

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

const prepare = async (database: TestDatabase, made: Made, admin: Client) => {
  await database.query('create schema app');
  await made.run(admin);
  await makeTargets(database, made.names.owner);
  const url = await made.serviceUrl();
  await install({ url });
  await configure(database, [['refresh', 'app.totals']]);
  await made.run(admin);
  return url;
};

/** The SQLSTATE with which it is refused; what is allowed is taken back. */
const codeOf = async (client: Client, sql: string): Promise<string> => {
  // These two are for nobody's transaction.
  const isAlone = /^(create database|alter system)/.test(sql);
  if (!isAlone) await client.query('begin');
  try {
    await client.query(sql);
    return 'allowed';
  } catch (error) {
    return error instanceof DatabaseError ? `${error.code}` : String(error);
  } finally {
    if (!isAlone) await client.query('rollback');
  }
};

const refusals = async (client: Client, statements: readonly string[]): Promise<Record<string, string>> => {
  const codes: Record<string, string> = {};
  for (const sql of statements) codes[sql] = await codeOf(client, sql);
  return codes;
};
const DENIED = '42501';
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

describe('the file', () => {
  test('says what is still to be done, and changes nothing the third time', async ({ database, made }) => {
    const admin = await database.connect();
    expect(await made.run(admin)).toEqual([
      'there is no schema app yet: run this again when there is',
      `the service has not made its tables yet: run this again once it was started, for ${made.names.trigger} and ${made.names.reader}`,
    ]);
    await database.query(`create schema app; create table app.strange (at timestamptz) partition by range (at)`);
    const rights = () =>
      database.query(`select nspname as name, nspacl::text as acl from pg_namespace
        union all select oid::regclass::text, relacl::text from pg_class where relnamespace::regnamespace::text ~ 'partkeeper|app'
        union all select attrelid::regclass::text || '.' || attname, attacl::text from pg_attribute where attacl is not null
        union all select rolname, null from pg_roles where rolname ~ '^pk made'
        union all select roleid::regrole || ' to ' || member::regrole, null from pg_auth_members where roleid::regrole::text ~ 'pk made'
        order by 1, 2`);
    await install({ url: await made.serviceUrl() });
    expect(await made.run(admin)).toEqual([
      `not maintained while it belongs to somebody else; to change that: alter table app.strange owner to "${made.names.owner}"`,
    ]);
    const before = await rights();
    await made.run(admin);
    expect(await rights()).toEqual(before);
  });

  test('is enough for an administrator who is no superuser, who is left with no rights of the service', async ({
    database,
    made,
    role,
  }) => {
    const admin = await role('login createrole', 'admin');
    await database.query(
      `grant create on database ${database.name} to ${admin.sql}; create schema app authorization ${admin.sql}`,
    );
    const client = await database.connect({ connectionString: admin.url });
    await made.run(client);
    const url = await made.serviceUrl();
    await install({ url });
    await made.run(client);
    expect(await codeOf(client, 'select from partkeeper.runs')).toBe(DENIED);
    const owners = await database.query(
      `select nspname as name, pg_get_userbyid(nspowner) as owner from pg_namespace where nspname ~ '^partkeeper' order by 1`,
    );
    expect(owners).toEqual([
      { name: 'partkeeper', owner: made.names.service },
      { name: 'partkeeper_queue', owner: made.names.service },
    ]);
    const service = await database.connect({ connectionString: url });
    expect(await codeOf(service, 'create schema intruder')).toBe(DENIED);
    expect(await codeOf(service, `set role ${escapeIdentifier(made.names.owner)}; create table app.one ()`)).toBe(
      'allowed',
    );
    // Its roles go before it does, because it has granted them.
    await database.query(`reassign owned by ${admin.sql} to current_user`);
  });

  test('warns of a service that has more than it needs, and of a record that belongs to somebody else', async ({
    database,
    made,
  }) => {
    await database.query(`create role ${escapeIdentifier(made.names.service)} login createdb; create schema app`);
    await install(database);
    const said = await made.run(await database.connect());
    expect(said).toContain(`${made.names.service} was there before and has more than it needs`);
    expect(said.filter(line => line.startsWith('schema partkeeper'))).toHaveLength(2);
  });
});
