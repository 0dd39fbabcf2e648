/** The service under a role that may create nothing: not in its database, nor in partkeeper's schema or the queue's. */
import { describe, expect } from 'vitest';
import { createClient } from '../../src/index.ts';
import { waitUntil } from '../support/client.ts';
import { daemonTest } from '../support/daemon.ts';
import type { TestDatabase } from '../support/database.ts';
import { runsOnRecord } from '../support/ledger.ts';
import type { TestRole } from '../support/roles.ts';

const POLICY = `tables:
  app.events: { interval: month, retention: 90 days, retire: drop, analyze: { after: [provision] } }
views:
  app.totals: { schedule: '0 0 1 1 *', skipUnchanged: false }
`;

/** The owner migrates and owns everything; the service's role logs in, and inherits nothing. */
const test = daemonTest.extend('roles', async ({ database, role }) => {
  const owner = await role('login', 'owner');
  const service = await role('login noinherit', 'service');
  await database.query(`grant create on database ${database.name} to ${owner.sql}`);
  const asOwner = await database.connect({ connectionString: owner.url });
  await asOwner.query(`
    create schema app;
    create table app.events (at timestamptz not null) partition by range (at);
    create table app.events_2020_01 partition of app.events for values from ('2020-01-01+00') to ('2020-02-01+00');
    create materialized view app.totals as select count(*) as n from app.events with no data;
    create unique index on app.totals (n);
    grant usage on schema app to ${service.sql}`);
  return { owner, service };
});

const rightsToCreate = async (database: TestDatabase, { name }: TestRole) =>
  database.query(
    `select nspname from pg_namespace where has_schema_privilege($1, oid, 'create') and nspname !~ '^pg_'
     union all select datname from pg_database where datname = current_database() and has_database_privilege($1, oid, 'create')`,
    [name],
  );

describe('migrate up as the owner, with --grant-to', () => {
  test('is enough for a service whose role may act as the owner', async ({
    cli,
    configure,
    daemon,
    database,
    roles: { owner, service },
  }) => {
    await configure(POLICY);
    await database.query(`grant ${owner.sql} to ${service.sql}`);
    const up = ['migrate', 'up', '--grant-to', service.name];
    const migrated = await cli.run(up, { env: { DATABASE_URL: owner.url } });
    expect(migrated).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining(`granted ${service.name} what the service needs`),
    });
    expect(migrated.stdout).not.toContain('note:');
    const again = await cli.run([...up, '--json'], { env: { DATABASE_URL: owner.url } });
    expect(JSON.parse(again.stdout)).toEqual({ applied: [], grantedTo: service.name, notes: [] });
    expect(await rightsToCreate(database, service)).toEqual([]);

    const running = await daemon({ env: { DATABASE_URL: service.url } });
    await running.ready(200);
    // Two tables of the ledger and ours with provision and retire each, the view, and what follows from provision.
    await waitUntil(async () => (await runsOnRecord(database)).filter(({ outcome }) => outcome !== null).length >= 8, {
      deadlineMs: 60_000,
      what: 'the first runs',
    });
    expect(
      (await runsOnRecord(database)).map(({ job, target, outcome }) => `${job} ${target} ${outcome}`).sort(),
    ).toEqual([
      'analyze app.events success',
      'provision app.events success',
      'provision partkeeper.actions success',
      'provision partkeeper.runs success',
      'refresh app.totals success',
      'retire app.events success',
      'retire partkeeper.actions success',
      'retire partkeeper.runs success',
    ]);
    // Its own partitions, too, when the time comes.
    await database.query(`do $$ declare name text; begin
      for name in select inhrelid::regclass::text from pg_inherits where inhparent = 'partkeeper.runs'::regclass order by 1 desc limit 1
      loop execute 'drop table ' || name; end loop; end $$`);
    const env = { DATABASE_URL: service.url };
    for (const args of [
      ['trigger', 'provision', 'partkeeper.runs', '--wait', '--reason', 'a month is missing'],
      ['trigger', 'refresh', '--wait'],
      ['pause', 'refresh'],
      ['status'],
      ['resume'],
      ['history', '--actions'],
    ])
      expect(await cli.run(args, { env }), args.join(' ')).toMatchObject({ code: 0, stderr: '' });
    const made = await database.query(
      `select relation from partkeeper.actions where kind = 'create-partition' and target = 'partkeeper.runs' and outcome = 'done'`,
    );
    expect(made).toHaveLength(1);
    const pool = await database.connect({ connectionString: service.url });
    expect(await createClient({ pool }).trigger({ job: 'analyze', target: 'app.events' })).toMatchObject([
      { status: 'queued' },
    ]);

    // A job whose worker died is given up and tried again, and old ones are deleted: the queue's own upkeep works as well.
    await database.query(`insert into partkeeper_queue.job (name, data, state, singleton_key, policy, retry_limit, started_on, heartbeat_on, heartbeat_seconds)
      values ('partkeeper', '{"job":"refresh","target":"app.totals"}', 'active', 'refresh/app.totals', 'exclusive', 3, now(), now() - interval '1 minute', 10)`);
    await waitUntil(
      async () =>
        (await database.query(`select from partkeeper_queue.job where retry_count = 1 and state = 'completed'`))
          .length === 1,
      { deadlineMs: 60_000, what: 'the job of the dead worker to be done' },
    );
    running.kill('SIGTERM');
    expect((await running.exited()).code).toBe(0);
    const troubles = running.log().filter(({ level, msg }) => level === 'error' || /troubled|failed/.test(msg));
    expect(troubles.map(({ text }) => text)).toEqual([]);
    expect(await rightsToCreate(database, service)).toEqual([]);
  });

  test('tells the owner of a service whose role may not act as the owner, which then works on what is its own', async ({
    cli,
    configure,
    daemon,
    database,
    roles: { owner, service },
  }) => {
    await configure(`views: { app.own: { schedule: '0 0 1 1 *', skipUnchanged: false } }\n`);
    await database.query(`create materialized view app.own as select 1 as n with no data; create unique index on app.own (n);
      alter materialized view app.own owner to ${service.sql}`);
    const migrated = await cli.run(['migrate', 'up', '--grant-to', service.name], { env: { DATABASE_URL: owner.url } });
    expect(migrated.stdout).toContain(`note: ${service.name} cannot act as ${owner.name}, who owns the ledger`);

    const running = await daemon({ env: { DATABASE_URL: service.url } });
    await running.ready(200);
    await waitUntil(
      async () =>
        (await runsOnRecord(database)).some(({ target, outcome }) => target === 'app.own' && outcome === 'success'),
      {
        deadlineMs: 60_000,
        what: 'the refresh',
      },
    );
    expect(await cli.run(['trigger', 'refresh', '--wait'], { env: { DATABASE_URL: service.url } })).toMatchObject({
      code: 0,
    });
  });

  test('without it the service says what to do, and is not ready', async ({
    configure,
    daemon,
    database,
    roles: { service },
  }) => {
    await configure(POLICY);
    const running = await daemon({ env: { DATABASE_URL: service.url } });
    await waitUntil(async () => (await running.get('/readyz')).text.includes('permission denied'), {
      deadlineMs: 60_000,
    });
    await running.written('partkeeper migrate up --grant-to ROLE');
    expect(await database.query(`select from pg_namespace where nspname like 'partkeeper%'`)).toEqual([]);
  });

  test('lets nobody trigger but who is granted the function, and says what that takes', async ({
    cli,
    configure,
    role,
    roles: { owner },
  }) => {
    await configure(POLICY);
    await cli.run(['migrate', 'up'], { env: { DATABASE_URL: owner.url } });
    const { url } = await role('login', 'stranger');
    expect(await cli.run(['trigger', 'refresh'], { env: { DATABASE_URL: url } })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/permission denied.*execute on partkeeper\.trigger.*ops\/roles\.sql/s),
    });
  });

  test('of a role that does not exist is refused', async ({ cli, configure, roles: { owner } }) => {
    await configure(POLICY);
    const refusal = await cli.run(['migrate', 'up', '--grant-to', 'nobody of this name'], {
      env: { DATABASE_URL: owner.url },
    });
    expect(refusal).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('there is no role nobody of this name'),
    });
  });
});

describe('migrate down --all', () => {
  test('as the owner takes back the ledger and the queue, and what the owner had stays', async ({
    cli,
    configure,
    database,
    roles: { owner },
  }) => {
    await configure(POLICY);
    const env = { DATABASE_URL: owner.url };
    await cli.run(['migrate', 'up'], { env });
    const down = await cli.run(['migrate', 'down', '--all'], { env });
    expect(down).toMatchObject({ code: 0, stderr: '' });
    expect(down.stdout).toMatch(
      /^took back 0004_drains\ntook back 0003_retirements\ntook back 0002_ledger\ntook back 0001_view_refreshes\nremoved the queue partkeeper from schema partkeeper_queue\ndropped schema partkeeper_queue\n$/,
    );
    expect(await database.query(`select nspname from pg_namespace where nspname like 'partkeeper%'`)).toEqual([]);
    expect(await database.query('select from app.events')).toEqual([]);
    expect((await cli.run(['migrate', 'down', '--all'], { env })).stdout).toBe('Nothing was applied.\n');
    expect(await cli.run(['migrate', 'up'], { env })).toMatchObject({ code: 0 });
  });
});
