/** What a new partition takes over from its parent and siblings. */
import { describe, expect } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { type OpenPartkeeper, partkeeperTest } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { createPartition, createTable } from '../support/tables.ts';

const EVENTS = relation('public.events');
/** The partition that {@link provision} makes. */
const MADE = 'events_2026_03';

/** Makes the partition of March 2026, and finds nothing more to do afterwards. */
async function provision(open: OpenPartkeeper): Promise<void> {
  const partkeeper = open({ tables: [aTablePolicy({ relation: EVENTS, premake: 0 })], at: at('2026-03-15') });
  const [report] = await partkeeper.run('provision');
  expect(report).toMatchObject({ outcome: 'success', done: 1, error: undefined });
  expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
}

/** Columns, constraints, indexes and triggers as the catalog has them; names that the server chose are left out. */
async function structureOf(database: TestDatabase, name: string): Promise<readonly string[]> {
  const rows = await database.query<{ line: string }>(
    `select concat_ws(' ', 'column', a.attname, a.atttypid::regtype, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated,
                      a.attstorage, a.attcompression, a.attislocal, a.attinhcount, pg_get_expr(d.adbin, d.adrelid)) as line
       from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
     union all
     select concat_ws(' ', 'constraint', contype, condeferrable, convalidated, conislocal, coninhcount, pg_get_constraintdef(oid))
       from pg_constraint where conrelid = $1::regclass
     union all
     select concat_ws(' ', 'index', indisunique, indisprimary, indisvalid, indisreplident,
                      regexp_replace(pg_get_indexdef(indexrelid), ' \\S+ ON \\S+ ', ' ON '), inhparent::regclass)
       from pg_index left join pg_inherits on inhrelid = indexrelid where indrelid = $1::regclass
     union all
     select concat_ws(' ', 'trigger', tgname, tgenabled, tgfoid::regproc, tgtype) from pg_trigger
      where tgrelid = $1::regclass and not tgisinternal
     order by line`,
    [name],
  );
  return rows.map(({ line }) => line);
}

partkeeperTest('it has what CREATE TABLE … PARTITION OF would have given it', async ({ database, open }) => {
  await database.query(`
    create table customers (id int primary key);
    insert into customers values (7);
    create function stamp() returns trigger language plpgsql as 'begin new.stamped = 1; return new; end';
    create table events (
      id bigint generated always as identity,
      at timestamptz not null default now(),
      customer int references customers,
      amount numeric(10, 2) check (amount >= 0),
      doubled numeric generated always as (amount * 2) stored,
      note text compression pglz collate "C" default 'none',
      gone int,
      stamped int,
      primary key (id, at),
      constraint sane check (at > '2000-01-01')
    ) partition by range (at);
    alter table events drop column gone;
    alter table events alter note set storage external;
    create index on events (lower(note)) where note is not null;
    create unique index on events (customer, at);
    create trigger stamping before insert on events for each row execute function stamp();
    create table lines (event bigint, event_at timestamptz, foreign key (event, event_at) references events)`);
  await createPartition(database, EVENTS, 'by_server', '2026-02-01', '2026-03-01');
  await provision(open);
  expect(await structureOf(database, MADE)).toEqual(await structureOf(database, 'by_server'));

  const [row] = await database.query(
    `insert into events (at, customer, amount) values ('2026-03-10', 7, 1.5) returning tableoid::regclass::text as stored, id, doubled, note, stamped`,
  );
  expect(row).toEqual({ stored: MADE, id: '1', doubled: '3.00', note: 'none', stamped: 1 });
  await database.query(`insert into lines values (1, '2026-03-10')`);
  await expect(database.query('delete from events')).rejects.toThrow(/violates foreign key constraint/);
  await expect(database.query(`insert into events (at, customer) values ('2026-03-11', 8)`)).rejects.toThrow(
    /violates foreign key constraint/,
  );
  await database.query('alter table events drop column note');
  expect((await structureOf(database, MADE)).filter(line => line.startsWith('column note'))).toEqual([]);
});

describe('rights', () => {
  const rightsOf = async (database: TestDatabase, name: string) => {
    const [row] = await database.query<{
      acl: string[] | null;
      columns: Record<string, string[]> | null;
      owner: string;
    }>(
      `select (select array_agg(i::text order by i::text) from unnest(c.relacl) i) as acl, c.relowner::regrole::text as owner,
              (select json_object_agg(attname, (select array_agg(i::text order by i::text) from unnest(attacl) i) order by attname) from pg_attribute where attrelid = c.oid and attacl is not null) as columns
         from pg_class c where c.oid = $1::regclass`,
      [name],
    );
    return row;
  };

  roleTest('are the parent’s: of roles, of PUBLIC, of columns, with grant option', async ({ database, role, open }) => {
    const [reader, writer] = [await role(), await role()];
    await createTable(database, 'public.events', { more: ', note text' });
    await database.query(`
      grant select on events to public;
      grant select, insert, update, delete, truncate, references, trigger on events to ${writer.sql} with grant option;
      grant update (note) on events to ${reader.sql};
      grant select (id, note), insert (id) on events to ${reader.sql} with grant option;
      grant references (id) on events to public`);
    await provision(open);
    expect(await rightsOf(database, MADE)).toEqual(await rightsOf(database, 'events'));
  });

  roleTest('are taken from those who only have them by default', async ({ database, role, open }) => {
    const [stranger, reader] = [await role(), await role()];
    await createTable(database);
    await database.query(`
      grant select on events to ${reader.sql};
      alter default privileges grant all on tables to ${stranger.sql}, public;
      alter default privileges in schema public grant all on tables to ${reader.sql}`);
    await provision(open);
    const [row] = await database.query(
      `select has_table_privilege($1, $2, 'select') as stranger, has_table_privilege($3, $2, 'select') as reader,
              has_table_privilege($3, $2, 'insert') as too_much`,
      [stranger.name, MADE, reader.name],
    );
    expect(row).toEqual({ stranger: false, reader: true, too_much: false });
    expect(await rightsOf(database, MADE)).toEqual(await rightsOf(database, 'events'));
  });

  partkeeperTest('to maintain exist from PostgreSQL 17 on', async ({ database, open, skip }) => {
    const [{ version } = { version: 0 }] = await database.query<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    );
    skip(version < 170000, 'there is no MAINTAIN before 17');
    await createTable(database);
    await database.query('grant maintain on events to public');
    await provision(open);
    expect(await rightsOf(database, MADE)).toEqual(await rightsOf(database, 'events'));
  });
});

describe('row level security', () => {
  const securityOf = (database: TestDatabase) =>
    database.query(
      'select relrowsecurity as on, relforcerowsecurity as forced from pg_class where oid = $1::regclass',
      [MADE],
    );

  partkeeperTest('is off where it is off for the parent', async ({ database, open }) => {
    await createTable(database);
    await provision(open);
    expect(await securityOf(database)).toEqual([{ on: false, forced: false }]);
  });

  partkeeperTest('is on, and forced, where it is for the parent', async ({ database, open }) => {
    await createTable(database);
    await database.query('alter table events enable row level security, force row level security');
    await provision(open);
    expect(await securityOf(database)).toEqual([{ on: true, forced: true }]);
  });
});

describe('the replica identity', () => {
  const identityOf = async (database: TestDatabase) => {
    const [row] = await database.query<{ kind: string; index: string | null }>(
      `select relreplident as kind, (select pg_get_indexdef(indexrelid) from pg_index where indrelid = c.oid and indisreplident) as index
         from pg_class c where oid = $1::regclass`,
      [MADE],
    );
    return row;
  };

  partkeeperTest.for([
    ['default', 'd'],
    ['full', 'f'],
    ['nothing', 'n'],
  ] as const)('can be %s', async ([identity, kind], { database, open }) => {
    await createTable(database, 'public.events', { more: ', primary key (id, at)' });
    await database.query(`alter table events replica identity ${identity}`);
    await provision(open);
    expect(await identityOf(database)).toEqual({ kind, index: null });
  });

  partkeeperTest('can be an index, which is the partition’s own one', async ({ database, open }) => {
    await createTable(database, 'public.events', { more: ', primary key (id, at), code int not null' });
    await database.query(`
      create unique index other on events (at, id);
      create unique index "The Identity" on events (code, at);
      alter table events replica identity using index "The Identity"`);
    await provision(open);
    expect(await identityOf(database)).toEqual({
      kind: 'i',
      index: expect.stringMatching(/ ON public\.events_2026_03 .*\(code, at\)$/),
    });
  });
});

partkeeperTest('storage parameters are those of the newest sibling', async ({ database, open }) => {
  const table = await createTable(database, 'public.events', { more: ', note text' });
  // Made in another order than that of their bounds.
  await createPartition(database, table, 'newest', '2026-02-01', '2026-03-01');
  await createPartition(database, table, 'older', '2026-01-01', '2026-02-01');
  await database.query(`
    alter table newest set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_enabled = false);
    alter table older set (fillfactor = 20)`);
  await provision(open);
  const optionsOf = (name: string) =>
    database.query(
      `select c.reloptions as own, t.reloptions as toast from pg_class c left join pg_class t on t.oid = c.reltoastrelid
        where c.oid = $1::regclass`,
      [name],
    );
  expect(await optionsOf(MADE)).toEqual(await optionsOf('newest'));
  expect(await optionsOf(MADE)).toEqual([
    { own: ['fillfactor=70', 'autovacuum_vacuum_scale_factor=0.02'], toast: ['autovacuum_enabled=false'] },
  ]);
});

partkeeperTest('statistics targets are those of the parent’s columns', async ({ database, open }) => {
  await createTable(database, 'public.events', { more: ', note text' });
  await database.query('alter table events alter note set statistics 1234, alter id set statistics 0');
  await provision(open);
  expect(
    await database.query(
      `select attname as name, attstattarget::int as target from pg_attribute
        where attrelid = $1::regclass and attnum > 0 and attstattarget >= 0 order by attnum`,
      [MADE],
    ),
  ).toEqual([
    { name: 'id', target: 0 },
    { name: 'note', target: 1234 },
  ]);
});

partkeeperTest('the tablespace is the parent’s', async ({ database, open }) => {
  const name = `pk_test_${database.name.slice(-12)}`;
  // Directly in the data directory: no folder has to be prepared.
  await database.query('set allow_in_place_tablespaces = on');
  await database.query(`create tablespace ${name} location ''`);
  await database.query(`create table events (at timestamptz) partition by range (at) tablespace ${name}`);
  await provision(open);
  expect(
    await database.query(
      'select spcname as name from pg_class c join pg_tablespace t on t.oid = c.reltablespace where c.oid = $1::regclass',
      [MADE],
    ),
  ).toEqual([{ name }]);
  await database.query('drop table events');
  await database.query(`drop tablespace ${name}`);
});
