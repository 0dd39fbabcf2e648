/** As whom partitions are made, and to whom they belong afterwards. */
import { describe, expect } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { roleTest, type TestRole } from '../support/roles.ts';
import { createPartition, createTable, partitionsOf } from '../support/tables.ts';

const EVENTS = relation('app.events');
const policy = aTablePolicy({ relation: EVENTS, premake: 1 });
const AT = at('2026-03-15');

/** Schema and table of an owner who cannot log in, readable by `reader`; February is there. */
async function prepare(database: TestDatabase, owner: TestRole, reader: TestRole): Promise<void> {
  await database.query(`create schema app authorization ${owner.sql}; set role ${owner.sql}`);
  await createTable(database, 'app.events', { more: ', note text, primary key (id, at)' });
  await createPartition(database, EVENTS, 'events_2026_02', '2026-02-01', '2026-03-01');
  await database.query(
    `grant select on app.events to ${reader.sql}; grant update (note) on app.events to ${reader.sql}; reset role`,
  );
}

const partitionsWithOwners = (database: TestDatabase) =>
  database.query<{ name: string; owner: string }>(
    `select c.relname as name, pg_get_userbyid(c.relowner) as owner from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'app.events'::regclass order by 1`,
  );

const ownedBy = (owner: TestRole) =>
  ['events_2026_02', 'events_2026_03', 'events_2026_04'].map(name => ({ name, owner: owner.name }));

/** Who gave which right to whom, on the table and on its columns. */
const rightsOf = async (database: TestDatabase, name: string) => {
  const rows = await database.query(
    `select relacl::text[] as table, (select attacl::text[] from pg_attribute where attrelid = c.oid and attname = 'note') as note
       from pg_class c where oid = $1::regclass`,
    [name],
  );
  return rows;
};

/** A member that gets nothing of the owner's rights until it says SET ROLE. */
async function member(database: TestDatabase, owner: TestRole, options: string, name: TestRole): Promise<void> {
  const [{ version } = { version: 0 }] = await database.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  await database.query(`grant ${owner.sql} to ${name.sql} ${version >= 160000 ? options : ''}`);
}

describe('a new partition belongs to the owner of the table', () => {
  roleTest('when the owner makes it', async ({ database, open, role }) => {
    const [owner, reader] = [await role('login', 'owner'), await role()];
    await prepare(database, owner, reader);
    const partkeeper = open({ tables: [policy], at: AT, url: owner.url });
    const { actions } = await partkeeper.plan(['provision']);
    expect(actions.map(({ actAs }) => actAs.how)).toEqual(['self', 'self']);
    expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await partitionsWithOwners(database)).toEqual(ownedBy(owner));
  });

  roleTest('when a superuser makes it, and so do its grants', async ({ database, open, role }) => {
    const [owner, reader] = [await role('nologin', 'owner'), await role()];
    await prepare(database, owner, reader);
    const partkeeper = open({ tables: [policy], at: AT });
    const { actions } = await partkeeper.plan(['provision']);
    expect(actions.map(({ actAs }) => actAs)).toEqual([
      { owner: owner.name, how: 'superuser' },
      { owner: owner.name, how: 'superuser' },
    ]);
    expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await partitionsWithOwners(database)).toEqual(ownedBy(owner));
    expect(await rightsOf(database, 'app.events_2026_03')).toEqual(await rightsOf(database, 'app.events'));
  });

  roleTest('when a member makes it that inherits nothing', async ({ database, open, role }) => {
    const [owner, reader, keeper] = [
      await role('nologin', 'owner'),
      await role(),
      await role('login noinherit', 'keeper'),
    ];
    await prepare(database, owner, reader);
    await member(database, owner, 'with inherit false, set true', keeper);
    const partkeeper = open({ tables: [policy], at: AT, url: keeper.url, pool: 1 });
    const { actions } = await partkeeper.plan(['provision']);
    expect(actions.map(({ actAs }) => actAs.how)).toEqual(['set-role', 'set-role']);
    expect(await partkeeper.run('provision')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await partitionsWithOwners(database)).toEqual(ownedBy(owner));
    expect(await rightsOf(database, 'app.events_2026_03')).toEqual(await rightsOf(database, 'app.events'));
    // On the same connection, after acting as the owner.
    const [row] = await partkeeper.database.use(session =>
      session.query<{ user: string }>('select current_user::text as user', [], 'see who we are'),
    );
    expect(row?.user).toBe(keeper.name);
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  });

  roleTest('when default privileges of the member would give rights away', async ({ database, open, role }) => {
    const [owner, reader, keeper] = [
      await role('nologin', 'owner'),
      await role(),
      await role('login noinherit', 'keeper'),
    ];
    await prepare(database, owner, reader);
    await member(database, owner, 'with inherit false, set true', keeper);
    await database.query(`
      alter default privileges for role ${owner.sql} grant all on tables to public;
      alter default privileges for role ${owner.sql} in schema app grant insert on tables to ${reader.sql};
      alter default privileges for role ${keeper.sql} grant all on tables to ${reader.sql}`);
    await open({ tables: [policy], at: AT, url: keeper.url }).run('provision');
    expect(await rightsOf(database, 'app.events_2026_03')).toEqual(await rightsOf(database, 'app.events'));
  });
});

describe('nothing is made', () => {
  roleTest('by a stranger, who is told', async ({ database, open, role }) => {
    const [owner, stranger] = [await role('nologin', 'owner'), await role('login', 'stranger')];
    await prepare(database, owner, stranger);
    const partkeeper = open({ tables: [policy], at: AT, url: stranger.url });
    const [report] = await partkeeper.run('provision');
    expect(report).toMatchObject({
      outcome: 'success',
      done: 0,
      failed: 0,
      skips: [{ reason: 'not-owner' }],
      findings: [{ code: 'NOT_OWNER', severity: 'error' }],
    });
    expect(report?.findings[0]?.hint).toContain(`grant "${owner.name}" to "${stranger.name}"`);
    expect(partkeeper.eventsOf('action-started')).toEqual([]);
    expect(Object.keys(await partitionsOf(database, EVENTS))).toEqual(['events_2026_02']);
  });

  roleTest('by a member who may inherit but not SET ROLE', async ({ database, open, role, skip }) => {
    const [{ version } = { version: 0 }] = await database.query<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    );
    skip(version < 160000, 'before 16, every member may SET ROLE');
    const [owner, heir] = [await role('nologin', 'owner'), await role('login', 'heir')];
    await prepare(database, owner, heir);
    await database.query(`grant ${owner.sql} to ${heir.sql} with inherit true, set false`);
    const [report] = await open({ tables: [policy], at: AT, url: heir.url }).run('provision');
    expect(report).toMatchObject({ done: 0, findings: [{ code: 'NOT_OWNER' }] });
  });

  roleTest('where the owner may not create, and the other tables have their turn', async ({ database, open, role }) => {
    const [owner, keeper] = [await role('nologin', 'owner'), await role('login noinherit', 'keeper')];
    await prepare(database, owner, keeper);
    await member(database, owner, 'with inherit false, set true', keeper);
    await database.query(`create schema closed; grant usage on schema closed to ${owner.sql}`);
    const closed = await createTable(database, 'closed.events');
    await database.query(`alter table closed.events owner to ${owner.sql}`);
    const tables = [aTablePolicy({ relation: closed }), policy];
    const reports = await open({ tables, at: AT, url: keeper.url }).run('provision');
    expect(reports).toMatchObject([
      { outcome: 'failure', error: { code: 'PERMISSION_DENIED', sqlstate: '42501' } },
      { outcome: 'success', done: 2 },
    ]);
    expect(await partitionsOf(database, closed)).toEqual({});
  });
});
