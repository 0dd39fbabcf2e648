/** The queue's schema: who may make it, what the service needs there, and how it is taken back. */
import { escapeIdentifier } from 'pg';
import { describe, expect } from 'vitest';
import { grantedRights, grantTo } from '../../src/queue/grants.ts';
import { isUpToDate } from '../../src/queue/install.ts';
import { removeQueue } from '../../src/queue/remove.ts';
import { migrateDown } from '../../src/schema/migrate.ts';
import type { TestDatabase } from '../support/database.ts';
import { install } from '../support/install.ts';
import { configure, jobsInQueue, queueTest } from '../support/queue.ts';
import { snapshot } from '../support/snapshot.ts';

const hasSchema = async (database: TestDatabase, name: string): Promise<boolean> =>
  (await database.query('select from pg_namespace where nspname = $1', [name])).length > 0;

/** What `migrate down --all` does with partkeeper's own things. */
async function takeBack(database: TestDatabase, schema = 'partkeeper_queue'): Promise<readonly string[]> {
  const client = await database.connect();
  await migrateDown(client, ['bookkeeping'], { count: 99 });
  return removeQueue(client, schema);
}

describe('installing', () => {
  queueTest.override('template', 'empty');

  queueTest('and taking back leaves the database as it was', async ({ database }) => {
    const before = await snapshot(database);
    await install(database);
    await database.query(`insert into partkeeper_queue.job (name, data) values ('partkeeper', '{}')`);
    expect(await takeBack(database)).toEqual([
      'removed the queue partkeeper from schema partkeeper_queue',
      'dropped schema partkeeper_queue',
    ]);
    expect(await snapshot(database)).toEqual(before);
    expect(await takeBack(database)).toEqual([]);
  });

  queueTest('changes nothing the second time', async ({ database }) => {
    await install(database);
    const before = await snapshot(database);
    await install(database);
    expect(await snapshot(database)).toEqual(before);
  });

  queueTest('by a later version adds what an earlier one did not have', async ({ database, open }) => {
    await install(database);
    const { database: opened } = open();
    expect(await opened.use(isUpToDate)).toBe(true);
    await migrateDown(await database.connect(), ['bookkeeping'], { count: 1 });
    expect(await opened.use(isUpToDate)).toBe(false);
    await install(database);
    expect(await opened.use(isUpToDate)).toBe(true);
  });

  queueTest('may be done by several at once', async ({ database }) => {
    await Promise.all([install(database), install(database), install(database)]);
    expect(await database.query('select name, policy from partkeeper_queue.queue')).toEqual([
      { name: 'partkeeper', policy: 'exclusive' },
    ]);
  });

  queueTest('needs no right to create schemas where an administrator has made both', async ({ database, role }) => {
    const migrator = await role('login', 'migrator');
    await database.query(
      `create schema partkeeper authorization ${migrator.sql}; create schema jobs authorization ${migrator.sql}`,
    );
    await install({ url: migrator.url }, 'jobs');
    expect(await takeBack(database, 'jobs')).toEqual([
      'removed the queue partkeeper from schema jobs',
      'kept schema jobs: it was not made by partkeeper',
    ]);
    expect(await hasSchema(database, 'partkeeper')).toBe(true);
  });

  queueTest('without that right says who should do it, and how', async ({ database, role }) => {
    const service = await role('login', 'service');
    await expect(install({ url: service.url })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      hint: expect.stringContaining('partkeeper migrate up --grant-to'),
    });
    expect(await hasSchema(database, 'partkeeper_queue')).toBe(false);
  });
});

describe('taking back', () => {
  queueTest('leaves other queues and their jobs alone', async ({ database, boss }) => {
    const service = await boss();
    await service.createQueue('mail');
    await service.send('mail', { to: 'somebody' });
    await service.send('partkeeper', { job: 'refresh', target: 'app.first' });
    expect(await takeBack(database)).toEqual([
      'removed the queue partkeeper from schema partkeeper_queue',
      'kept schema partkeeper_queue: it holds other queues (mail)',
    ]);
    expect(await database.query('select name from partkeeper_queue.job')).toEqual([{ name: 'mail' }]);
    expect(await hasSchema(database, 'partkeeper')).toBe(false);
  });

  queueTest.for([
    ['table', 'create table partkeeper_queue.notes ()', 'notes'],
    ['function', 'create function partkeeper_queue.help() returns int language sql as $$ select 1 $$', 'help'],
    ['type', `create type partkeeper_queue.mood as enum ('fine')`, 'mood'],
  ] as const)('keeps the schema for somebody’s %s in it', async ([, sql, name], { database }) => {
    await database.query(sql);
    expect(await takeBack(database)).toContain(
      `kept schema partkeeper_queue: it holds what is not the queue's (${name})`,
    );
    expect(await database.query('select from partkeeper_queue.queue')).toEqual([]);
  });

  queueTest(
    'stops at a view of somebody’s that reads the queue, and takes nothing of it back',
    async ({ database }) => {
      await database.query('create view waiting as select * from partkeeper_queue.job');
      await expect(takeBack(database)).rejects.toMatchObject({
        code: 'STILL_REFERENCED',
        message: expect.stringContaining('waiting'),
      });
      expect(await database.query('select name from partkeeper_queue.queue')).toEqual([{ name: 'partkeeper' }]);
    },
  );
});

describe('--grant-to', () => {
  const rightsOf = async (database: TestDatabase, role: string): Promise<Record<string, string[]>> => {
    const rows = await database.query<{ table: string; rights: string[] }>(
      `select table_schema || '.' || table_name as table, array_agg(lower(privilege_type) order by privilege_type) as rights
       from information_schema.role_table_grants where grantee = $1 group by 1`,
      [role],
    );
    return Object.fromEntries(rows.map(({ table, rights }) => [table, rights]));
  };

  queueTest('grants what it says on two schemas and nothing more, however often', async ({ database, role }) => {
    const service = await role('login', 'service');
    const client = await database.connect();
    for (let time = 0; time < 2; time += 1) await grantTo(client, service.name, 'partkeeper_queue');
    const wanted = Object.entries(grantedRights('partkeeper_queue')).map(([table, rights]) => [
      table,
      [...rights].sort(),
    ]);
    expect(await rightsOf(database, service.name)).toEqual(Object.fromEntries(wanted));
    const [may] = await database.query(
      `select has_schema_privilege($1, 'partkeeper', 'usage') as ledger, has_schema_privilege($1, 'partkeeper_queue', 'usage') as queue,
         has_schema_privilege($1, 'partkeeper', 'create') or has_schema_privilege($1, 'partkeeper_queue', 'create')
           or has_database_privilege($1, current_database(), 'create') as create`,
      [service.name],
    );
    expect(may).toEqual({ ledger: true, queue: true, create: false });
  });

  queueTest(
    'says that a stranger to the owner cannot make the ledger’s partitions, and of a member nothing',
    async ({ database, role }) => {
      const [stranger, member] = [await role('login', 'stranger'), await role('login noinherit', 'member')];
      const owner = await role('nologin', 'owner');
      await database.query(`grant ${owner.sql} to ${member.sql}; grant usage on schema partkeeper to ${owner.sql};
      alter table partkeeper.runs owner to ${owner.sql}; alter table partkeeper.actions owner to ${owner.sql}`);
      const client = await database.connect();
      const [note, ...more] = await grantTo(client, stranger.name, 'partkeeper_queue');
      expect(note).toContain(`${stranger.name} cannot act as ${owner.name}, who owns the ledger`);
      expect(more).toEqual([]);
      expect(await grantTo(client, member.name, 'partkeeper_queue')).toEqual([]);
    },
  );

  queueTest('of a role that does not exist grants nothing', async ({ database }) => {
    const client = await database.connect();
    await expect(
      grantTo(client, `nobody"; drop schema partkeeper cascade; --`, 'partkeeper_queue'),
    ).rejects.toMatchObject({
      code: 'USAGE',
    });
    expect(await hasSchema(database, 'partkeeper')).toBe(true);
  });

  queueTest(
    'is enough to trigger, which nobody may by nature, whatever the right to insert into the queue',
    async ({ database, role }) => {
      const service = await role('login', 'service');
      await grantTo(await database.connect(), service.name, 'partkeeper_queue');
      await configure(database, [['refresh', 'app.first']]);
      const connection = await database.connect({ connectionString: service.url });
      await connection.query(`select * from partkeeper.trigger('refresh', 'app.first')`);
      expect(await jobsInQueue(database)).toHaveLength(1);
      await database.query(`revoke execute on function partkeeper.trigger from ${escapeIdentifier(service.name)}`);
      await expect(connection.query(`select * from partkeeper.trigger('refresh')`)).rejects.toMatchObject({
        code: '42501',
      });
    },
  );
});
