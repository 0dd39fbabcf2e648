/** ops/roles.sql as a file that is run, and run again: by whom, in which order, and what it says. */
import { escapeIdentifier } from 'pg';
import { expect } from 'vitest';
import { install } from '../support/install.ts';
import { codeOf, DENIED, madeRolesTest as test } from '../support/made-roles.ts';

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
      union all select oid::regprocedure::text, proacl::text from pg_proc where pronamespace::regnamespace::text = 'partkeeper'
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
