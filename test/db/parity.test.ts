/** Partitions against their table and each other, on a real server: what differs is found, and what we make never does. */
import { expect } from 'vitest';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { type OpenPartkeeper, partkeeperTest } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { createTable, months } from '../support/tables.ts';

const EVENTS = relation('public.events');
/** Later than any clock that these tests meet: partitions of the past are not compared. */
const AT = at('2040-03-15');
const open2040 = (open: OpenPartkeeper, premake = 1) =>
  open({ tables: [aTablePolicy({ relation: EVENTS, premake })], at: AT });

const provision = async (open: OpenPartkeeper, premake = 1) => {
  const partkeeper = open2040(open, premake);
  const [report] = await partkeeper.run('provision');
  expect(report).toMatchObject({ outcome: 'success', error: undefined });
  expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  return report;
};

const told = async (open: OpenPartkeeper): Promise<readonly string[]> => {
  const { findings } = await open2040(open, 0).plan(['provision']);
  return findings.map(({ code, message }) => `${code} ${message}`);
};

/** Everything that a table can have, and a role that is given rights on it. */
async function prepare(database: TestDatabase, role: string): Promise<void> {
  await createTable(database, 'public.events', {
    more: ', note text, "Größe" int, code int not null, primary key (id, at), unique (code, at)',
    partitions: months('events', '2040-02', 1),
  });
  await database.query(`
    create index on events (lower(note)) where note is not null;
    create unique index "The Identity" on events (code, at) include (note);
    create function stamp() returns trigger language plpgsql as 'begin return new; end';
    create trigger stamping before insert on events for each row execute function stamp();
    create trigger quiet before update on events for each row execute function stamp();
    create trigger told after insert on events for each statement execute function stamp();
    alter table events enable always trigger stamping, disable trigger quiet;
    create table customers (id int primary key);
    alter table events add customer int references customers;
    alter table events replica identity using index "The Identity",
      enable row level security, force row level security, alter note set statistics 500, alter "Größe" set statistics 0;
    grant select, insert on events to ${role} with grant option;
    grant update (note, "Größe") on events to ${role};
    grant select on events to public`);
}

roleTest('a partition that partkeeper made differs in nothing', async ({ database, open, role }) => {
  const app = await role();
  await prepare(database, app.sql);
  // February was made by hand, so it is like its table only once it is mended.
  await database.query(`
    grant select, insert on events_2040_02 to ${app.sql} with grant option;
    grant update (note, "Größe") on events_2040_02 to ${app.sql};
    grant select on events_2040_02 to public;
    alter table events_2040_02 enable row level security, force row level security,
      alter note set statistics 500, alter "Größe" set statistics 0;
    alter table events_2040_02 set (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_vacuum_threshold = 9);
    create publication "Some, of them" for table events_2040_02;
    create publication by_root for table events with (publish_via_partition_root);
    create publication by_schema for tables in schema public;
    create publication everything for all tables`);
  const report = await provision(open, 2);
  expect(report).toMatchObject({ done: 3, findings: [] });
  expect(
    await database.query(
      `select prrelid::regclass::text as name from pg_publication_rel join pg_publication p on p.oid = prpubid where pubname = 'Some, of them' order by 1`,
    ),
  ).toEqual(['02', '03', '04', '05'].map(month => ({ name: `events_2040_${month}` })));
});

roleTest('and what was made by hand does, until it is mended as the hint says', async ({ database, open, role }) => {
  const [app, stranger] = [await role(), await role()];
  await prepare(database, app.sql);
  await database.query(`
    create table events_2040_03 partition of events for values from ('2040-03-01+00') to ('2040-04-01+00');
    grant delete on events_2040_03 to ${stranger.sql};
    alter table events_2040_03 disable trigger stamping, alter id set statistics 7, set (fillfactor = 50)`);
  await database.query(`alter table events_2040_03 owner to ${stranger.sql}`);
  const partkeeper = open2040(open);
  const mend = async () => {
    const { findings } = await partkeeper.plan(['provision']);
    for (const { hint } of findings)
      for (const sql of hint.replace('To make it like the others: ', '').split('; ')) await database.query(sql);
    return findings;
  };
  const [first, ...others] = await mend();
  expect(others).toEqual([]);
  expect(first).toMatchObject({ code: 'PARTITION_DIFFERS', severity: 'warning', target: EVENTS });
  for (const part of [
    `it belongs to ${stranger.name}, not to `,
    'row level security is off; row level security is not forced',
    `it lacks SELECT for everyone, INSERT for ${app.name} with grant option, SELECT for ${app.name} with grant option, `,
    `UPDATE (note) for ${app.name}`,
    `UPDATE (Größe) for ${app.name}`,
    "its replica identity is default, the table's index The Identity",
    'its trigger stamping fires otherwise (disabled, not always)',
    'the statistics target of note is the default, not 500',
    'the statistics target of id is 7, not the default',
  ])
    expect(first?.message).toContain(part);
  // As its owner it had rights that are its own no more.
  await mend();
  expect((await partkeeper.plan(['provision'])).findings).toEqual([]);
});

partkeeperTest('indexes and triggers that only a sibling has are told', async ({ database, open }) => {
  await createTable(database, 'public.events', { more: ', code int', partitions: months('events', '2040-03', 2) });
  await database.query(`
    create unique index on events_2040_04 (code) where code > 0;
    create index on events_2040_04 (abs(code), id);
    create function stamp() returns trigger language plpgsql as 'begin return new; end';
    create trigger "own one" before insert on events_2040_04 for each row execute function stamp();
    create publication partly for table events_2040_04`);
  expect(await told(open)).toEqual([
    'PARTITION_DIFFERS public.events_2040_03 differs: it lacks an index that siblings have: btree (expression, id); it lacks an index that siblings have: unique btree (code) where …; it is not in the publication partly, as siblings are',
    'PARTITION_DIFFERS public.events_2040_04 differs: it has triggers of its own: own one',
  ]);
});

partkeeperTest('a publication of somebody else keeps no partition away', async ({ database, open }) => {
  await createTable(database, 'public.events', { partitions: months('events', '2040-02', 1) });
  await database.query('create publication partly for table events_2040_02');
  const partkeeper = open2040(open, 0);
  const { actions } = await partkeeper.plan(['provision']);
  await database.query('alter publication partly rename to other');
  const [action] = actions;
  if (!action) throw new Error('nothing was planned');
  expect(await partkeeper.act(action)).toMatchObject({ outcome: 'done' });
  expect(await told(open)).toEqual([
    'PARTITION_DIFFERS public.events_2040_03 differs: it is not in the publication other, as siblings are',
  ]);
});

partkeeperTest('a row filter or a list of columns is nobody’s to copy', async ({ database, open }) => {
  await createTable(database, 'public.events', {
    more: ', primary key (id, at)',
    partitions: months('events', '2040-02', 1),
  });
  await database.query(`
    create publication filtered for table events_2040_02 where (id > 0);
    create publication narrow for table events_2040_02 (id, at)`);
  expect(await provision(open, 0)).toMatchObject({
    done: 1,
    findings: [
      {
        message:
          'public.events_2040_03 differs: it is not in the publication filtered, as siblings are; it is not in the publication narrow, as siblings are',
      },
    ],
  });
});

partkeeperTest('an index that could not be built is told, until it is there', async ({ database, open }) => {
  await createTable(database, 'public.events', { partitions: months('events', '2040-03', 1) });
  await database.query(`insert into events values (1, '2040-03-01'), (1, '2040-03-01')`);
  await expect(database.query('create unique index concurrently broken on events_2040_03 (id, at)')).rejects.toThrow(
    /duplicate|could not create unique index/,
  );
  await database.query('create index whole on only events (id)');
  expect(await told(open)).toEqual([
    'PARTITION_DIFFERS public.events_2040_03 differs: it lacks the index whole, btree (id)',
    'INVALID_INDEX index public.broken of public.events_2040_03 is invalid, and no query uses it: building it failed',
    'INVALID_INDEX index public.whole of public.events is invalid, and no query uses it: 1 partition has no valid index attached to it',
  ]);
  await database.query('drop index concurrently broken');
  await database.query('create index part on events_2040_03 (id)');
  await database.query('alter index whole attach partition part');
  expect(await told(open)).toEqual([]);
});

partkeeperTest('an index that is being built is not told', async ({ database, open }) => {
  await createTable(database, 'public.events', { partitions: months('events', '2040-03', 1) });
  const [reader, builder] = [await database.connect(), await database.connect()];
  await reader.query('begin; lock table events_2040_03 in row exclusive mode');
  const building = builder.query('create index concurrently on events_2040_03 (id)');
  const invalid = `select from pg_index where not indisvalid`;
  await waitUntil(async () => (await database.query(invalid)).length > 0, { what: 'the index to be begun' });
  expect(await told(open)).toEqual([]);
  await reader.query('commit');
  await building;
  expect(await told(open)).toEqual([]);
});
