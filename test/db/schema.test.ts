/** The migrations: what they make, that they may be repeated, and that the way back leaves no trace. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { describe, expect } from 'vitest';
import { MaintenanceError } from '../../src/domain/errors.ts';
import { type ChecklistItem, readChecklist } from '../../src/schema/checklist.ts';
import { migrateDown, migrateUp, migrationStatus } from '../../src/schema/migrate.ts';
import { waitUntilBlocked } from '../support/client.ts';
import { databaseTest } from '../support/database.ts';
import { snapshot } from '../support/snapshot.ts';

const checklistOf = (client: Client) =>
  readChecklist(async (sql, parameters) => (await client.query<ChecklistItem>(sql, [...parameters])).rows);

const BOTH = ['bookkeeping', 'bundled'] as const;

const TABLES_HERE_BEFORE = `
  create schema unified;
  create table unified.event_metric_events (id uuid primary key, event_timestamp timestamptz);
  insert into unified.event_metric_events values (gen_random_uuid(), now());`;

/** The names in a folder of migrations, in the order in which they are applied. */
const namesIn = (folder: string): readonly string[] =>
  readdirSync(new URL(`../../sql/${folder}/`, import.meta.url))
    .filter(file => file.endsWith('.up.sql'))
    .map(file => file.replace('.up.sql', ''))
    .toSorted();

const ownFiles = namesIn('bookkeeping');
const upFiles = namesIn('schema');
const readUp = (name: string) => readFile(new URL(`../../sql/schema/${name}.up.sql`, import.meta.url), 'utf8');

const failureOf = async (work: Promise<unknown>): Promise<MaintenanceError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof MaintenanceError) return error;
  throw new Error('It did not fail as expected.', { cause: error });
};

describe('what the migrations make', () => {
  databaseTest('every object of the checklist is there afterwards, and none before', async ({ database }) => {
    const client = await database.connect();
    const before = await checklistOf(client);
    await migrateUp(client, BOTH);
    const after = await checklistOf(client);

    expect(before.filter(item => item.present)).toEqual([]);
    expect(after.filter(item => !item.present)).toEqual([]);
    expect(after.length).toBe(31);
  });

  databaseTest('the checklist notices what is there but does no work', async ({ database }) => {
    const client = await database.connect();
    await migrateUp(client, ['bundled']);
    await database.query(`
      alter table public.sessions disable row level security;
      alter table unified.event_metric_events disable trigger trigger_apply_metadata_validation;
      drop function unified.cleanup_old_partitions();
      drop index public.idx_sessions_user_id`);
    const missing = (await checklistOf(client)).filter(item => !item.present).map(item => item.object);
    expect(missing).toEqual([
      'public.idx_sessions_user_id',
      'unified.cleanup_old_partitions()',
      'trigger_apply_metadata_validation on unified.event_metric_events',
      'Allow service role full access on public.sessions',
      'Allow authenticated users to read own sessions on public.sessions',
    ]);
  });

  databaseTest('the events have eight indexes beside the primary key, and no two are alike', async ({ database }) => {
    await migrateUp(await database.connect(), ['bundled']);
    const indexes = await database.query<{ definition: string }>(`
      select regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') as definition from pg_index
      where indrelid = 'unified.event_metric_events'::regclass and not indisprimary and indisvalid`);
    expect(indexes.length).toBe(8);
    expect(new Set(indexes.map(index => index.definition)).size).toBe(8);
  });

  databaseTest(
    'every function runs with the rights of its caller and a search path of its own',
    async ({ database }) => {
      await migrateUp(await database.connect(), BOTH);
      const functions = await database.query<{ name: string; definer: boolean; settings: string[] }>(`
      select oid::regprocedure::text as name, prosecdef as definer, coalesce(proconfig, '{}') as settings
      from pg_proc where pronamespace in ('unified'::regnamespace, 'partkeeper'::regnamespace)`);
      expect(functions.length).toBe(10);
      expect(functions.filter(fn => fn.definer || !fn.settings.includes('search_path=pg_catalog, pg_temp'))).toEqual(
        [],
      );
    },
  );

  databaseTest('every table, column, view and function says what it is for', async ({ database }) => {
    await migrateUp(await database.connect(), BOTH);
    const silent = await database.query(`
      select c.oid::regclass::text as object from pg_class c
      where relnamespace in ('unified'::regnamespace, 'public'::regnamespace) and relkind in ('p', 'm')
        and obj_description(oid, 'pg_class') is null
      union all
      select c.oid::regclass || '.' || attname from pg_class c join pg_attribute on attrelid = c.oid and attnum > 0
      where c.oid in ('unified.event_metric_events'::regclass, 'public.sessions'::regclass, 'partkeeper.view_refreshes'::regclass)
        and col_description(attrelid, attnum) is null
      union all
      select oid::regprocedure::text from pg_proc
      where pronamespace = 'unified'::regnamespace and obj_description(oid, 'pg_proc') is null`);
    expect(silent).toEqual([]);
  });
});

describe('again and back', () => {
  databaseTest('a second run applies nothing', async ({ database }) => {
    const client = await database.connect();
    const lines: string[] = [];
    expect(await migrateUp(client, BOTH, line => lines.push(line))).toEqual([...ownFiles, ...upFiles]);
    expect(await migrateUp(client, BOTH, line => lines.push(line))).toEqual([]);
    expect(lines).toEqual([
      ...ownFiles.map(name => `applied bookkeeping migration ${name}`),
      ...upFiles.map(name => `applied bundled migration ${name}`),
    ]);
  });

  databaseTest('the SQL, run once more by hand, changes nothing', async ({ database }) => {
    await migrateUp(await database.connect(), ['bundled']);
    const before = await snapshot(database);
    for (const name of upFiles) await database.query(await readUp(name));
    expect(await snapshot(database)).toEqual(before);
  });

  databaseTest('down leaves the database as it was found, and up works again', async ({ database }) => {
    const client = await database.connect();
    const before = await snapshot(database);
    await migrateUp(client, BOTH);
    await database.query(
      "insert into unified.event_metric_events (event_type, event_category, source_system) values ('a', 'b', 'c')",
    );

    expect(await migrateDown(client, BOTH, { count: 99 })).toEqual([...upFiles.toReversed(), ...ownFiles.toReversed()]);
    expect(await snapshot(database)).toEqual(before);
    await migrateUp(client, BOTH);
    expect((await checklistOf(client)).every(item => item.present)).toBe(true);
  });

  databaseTest(
    'down takes back one migration unless told otherwise, and each can be applied again',
    async ({ database }) => {
      const client = await database.connect();
      await migrateUp(client, BOTH);
      const before = (await snapshot(database)).length;
      for (const name of upFiles.toReversed()) {
        expect(await migrateDown(client, BOTH)).toEqual([name]);
        expect((await migrationStatus(client, ['bundled'])).find(status => status.name === name)?.appliedAt).toBeNull();
      }
      expect(await migrateUp(client, BOTH)).toEqual(upFiles);
      expect((await snapshot(database)).length).toBe(before);
    },
  );

  databaseTest('asking for the status creates nothing', async ({ database }) => {
    const client = await database.connect();
    const before = await snapshot(database);
    const pending = await migrationStatus(client, BOTH);
    expect(pending.map(status => [status.name, status.appliedAt])).toEqual(
      [...ownFiles, ...upFiles].map(name => [name, null]),
    );
    expect(await snapshot(database)).toEqual(before);
  });

  databaseTest('the time of a migration does not depend on the time zone of the session', async ({ database }) => {
    const client = await database.connect();
    await client.query("set timezone = 'Pacific/Auckland'");
    const [clock] = await database.query<{ now: Date }>('select clock_timestamp() as now');
    await migrateUp(client, ['bundled']);
    const [status] = await migrationStatus(client, ['bundled']);
    expect(Math.abs(Number(status?.appliedAt) - Number(clock?.now))).toBeLessThan(60_000);
  });
});

describe('what belongs to others', () => {
  databaseTest.for([
    ['a plain table of events', TABLES_HERE_BEFORE, 'unified.event_metric_events exists already: a plain table'],
    [
      'a partitioned table of events',
      'create schema unified; create table unified.event_metric_events (event_timestamp timestamptz) partition by range (event_timestamp)',
      'unified.event_metric_events exists already: a partitioned table',
    ],
    ['a table of sessions', 'create table public.sessions (id int)', 'public.sessions exists already'],
  ] as const)(
    '%s that was here before stops the migration, and is left as it is',
    async ([, sql, message], { database }) => {
      await database.query(sql);
      const before = await snapshot(database);
      const error = await failureOf(migrateUp(await database.connect(), ['bundled']));
      expect(error).toMatchObject({ code: 'NAME_TAKEN', message: expect.stringContaining(message) });
      expect(error.hint).toMatch(/^Rename it/);
      expect(await snapshot(database)).toEqual(before);
    },
  );

  databaseTest('a schema that was here before stays when the migrations are taken back', async ({ database }) => {
    await database.query('create schema unified; create table unified.notes (note text); create schema partkeeper');
    const before = await snapshot(database);
    const client = await database.connect();
    await migrateUp(client, BOTH);
    await migrateDown(client, BOTH, { count: 99 });
    expect(await snapshot(database)).toEqual(before);
  });

  databaseTest('down stops at what others keep in the schema, and takes nothing back', async ({ database }) => {
    const client = await database.connect();
    await migrateUp(client, ['bundled']);
    await database.query('create table unified.kept_for_the_auditors ()');
    const before = await snapshot(database);
    const error = await failureOf(migrateDown(client, ['bundled'], { count: 99 }));
    expect(error.code).toBe('STILL_REFERENCED');
    expect(error.message).toContain('unified.kept_for_the_auditors');
    expect(error.hint).not.toMatch(/cascade/i);
    expect(await snapshot(database)).toEqual(before);
  });

  databaseTest("down does not drop a table that has taken our table's name", async ({ database }) => {
    const client = await database.connect();
    await migrateUp(client, ['bundled']);
    await migrateDown(client, ['bundled'], { count: 4 });
    await database.query(`drop table unified.event_metric_events; create table unified.event_metric_events (id int)`);
    expect((await failureOf(migrateDown(client, ['bundled']))).message).toContain('does not carry the comment');
    expect(await database.query('select from unified.event_metric_events')).toEqual([]);
  });
});

const pidOf = async (client: Client): Promise<number> =>
  (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;

describe('several at once', () => {
  databaseTest('of three migrations one applies, the others wait and find nothing to do', async ({ database }) => {
    const clients = await Promise.all([database.connect(), database.connect(), database.connect()]);
    const applied = await Promise.all(clients.map(client => migrateUp(client, BOTH)));
    expect(applied.map(names => names.length).toSorted((a, b) => a - b)).toEqual([
      0,
      0,
      ownFiles.length + upFiles.length,
    ]);
  });

  databaseTest('waiting has no time limit, and the session is given back as it was', async ({ database }) => {
    const [bystander, first, second] = await Promise.all([database.connect(), database.connect(), database.connect()]);
    const settings = async () =>
      (await second.query("select current_setting('lock_timeout'), current_setting('search_path') as path")).rows;
    await second.query("set lock_timeout = '1ms'; set search_path = unified, public");
    const [firstPid, secondPid, before] = [await pidOf(first), await pidOf(second), await settings()];

    await bystander.query('begin; create schema unified');
    const one = migrateUp(first, ['bundled']);
    await waitUntilBlocked(bystander, firstPid);
    const other = migrateUp(second, ['bundled']);
    await waitUntilBlocked(bystander, secondPid);
    await bystander.query('rollback');

    expect(await one).toEqual(upFiles);
    expect(await other).toEqual([]);
    expect(await settings()).toEqual(before);
  });
});
