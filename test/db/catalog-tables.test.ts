/** What the catalog says about partitioned tables and their partitions, for every kind that there is. */
import { describe, expect } from 'vitest';
import type { PartitionedTableFacts, PartitionFacts } from '../../src/domain/facts.ts';
import { formatRelationName, type RelationName } from '../../src/domain/relation.ts';
import { KEY_TYPES } from '../../src/domain/time.ts';
import { aRange, aTablePolicy, at, relation } from '../support/facts.ts';
import { type OpenPartkeeper, partkeeperTest } from '../support/partkeeper.ts';
import { createPartition, createTable, leaveDetachPending, months, sqlName } from '../support/tables.ts';

const EVENTS = relation('public.events');
const policyFor = (name: RelationName) => aTablePolicy({ relation: name });

async function readTable(open: OpenPartkeeper, name: RelationName = EVENTS): Promise<PartitionedTableFacts> {
  const { tables } = await open({ tables: [policyFor(name)] }).facts();
  const [table] = tables;
  if (!table) throw new Error(`${formatRelationName(name)} was not found`);
  return table;
}

const named = ({ partitions }: PartitionedTableFacts, name: string): PartitionFacts | undefined =>
  partitions.find(({ relation: { name: found } }) => found === name);

describe('the partition key', () => {
  partkeeperTest('can be a moment, a wall clock reading or a date', async ({ database, open }) => {
    for (const type of KEY_TYPES) {
      const table = await createTable(database, `public.${type}s`, {
        key: type,
        partitions: months(`${type}s`, '2026-01', 1),
      });
      const { key, partitions } = await readTable(open, table);
      expect(key).toEqual({ kind: 'time', column: 'at', type });
      expect(partitions.map(({ bound }) => bound)).toEqual([aRange('2026-01-01', '2026-02-01')]);
    }
  });

  partkeeperTest('that is not one column of time is not supported, with the reason', async ({ database, open }) => {
    const reasons = {
      'list (at)': 'it is partitioned by list, not by range',
      'hash (at)': 'it is partitioned by hash, not by range',
      'range (at, id)': 'its key has 2 columns',
      'range (date_trunc($$month$$, at at time zone $$UTC$$))': 'its key is an expression',
      'range (id)': 'its key id is of type bigint',
      'range (name)': 'its key name is of type character varying(20)',
      'range (birthday)': 'its key birthday is of type public.birthday',
      'range (at backwards)': 'its key at is ordered by an operator class of its own',
    };
    await database.query(`
      create function after(timestamptz, timestamptz) returns int language sql immutable as 'select timestamptz_cmp($2, $1)';
      create operator class backwards for type timestamptz using btree as
        operator 1 >, operator 2 >=, operator 3 =, operator 4 <=, operator 5 <, function 1 after(timestamptz, timestamptz)`);
    await database.query('create domain birthday as date');
    const clauses = Object.keys(reasons);
    for (const [index, clause] of clauses.entries())
      await database.query(
        `create table t${index} (id bigint, at timestamptz, name varchar(20), birthday birthday) partition by ${clause}`,
      );
    const tables = clauses.map((_, index) => policyFor(relation(`public.t${index}`)));
    const facts = await open({ tables }).facts();
    expect(facts.tables.map(({ key }) => key)).toEqual(
      Object.values(reasons).map(because => ({ kind: 'unsupported', because })),
    );
  });

  partkeeperTest('a time with another precision is a time all the same', async ({ database, open }) => {
    await database.query('create table events (at timestamptz(3)) partition by range (at)');
    expect((await readTable(open)).key).toEqual({ kind: 'time', column: 'at', type: 'timestamptz' });
  });
});

describe('a partition', () => {
  partkeeperTest('is a table, a partitioned table or a foreign table', async ({ database, open }) => {
    const table = await createTable(database, 'public.events', { partitions: { plain: ['2026-01-01', '2026-02-01'] } });
    await database.query(`
      create table sub partition of events for values from ('2026-02-01+00') to ('2026-03-01+00') partition by hash (id);
      create table sub_0 partition of sub for values with (modulus 1, remainder 0);
      create foreign data wrapper dummy; create server elsewhere foreign data wrapper dummy;
      create foreign table far partition of events for values from ('2026-03-01+00') to ('2026-04-01+00') server elsewhere;
      create table half partition of events for values from ('2026-04-01+00') to ('2026-05-01+00') partition by hash (id);
      create foreign table half_0 partition of half for values with (modulus 1, remainder 0) server elsewhere;`);
    const facts = await readTable(open, table);
    expect(Object.fromEntries(facts.partitions.map(({ relation: { name }, kind }) => [name, kind]))).toEqual({
      plain: 'table',
      sub: 'partitioned',
      far: 'foreign',
      half: 'foreign',
    });
    expect(named(facts, 'sub')?.bound).toEqual(aRange('2026-02-01', '2026-03-01'));
  });

  partkeeperTest('may have no end on one side, or be the default', async ({ database, open }) => {
    const table = await createTable(database, 'public.events', {
      partitions: { old: ['MINVALUE', '2026-01-01'], future: ['2027-01-01', 'MAXVALUE'] },
    });
    await database.query('create table rest partition of events default');
    const facts = await readTable(open, table);
    expect(named(facts, 'old')?.bound).toEqual(aRange('MINVALUE', '2026-01-01'));
    expect(named(facts, 'future')?.bound).toEqual(aRange('2027-01-01', 'MAXVALUE'));
    expect(named(facts, 'rest')).toMatchObject({ bound: { kind: 'default' }, boundText: 'DEFAULT' });
  });

  partkeeperTest('up to infinity has no end', async ({ database, open }) => {
    await createTable(database);
    await database.query(`create table late partition of events for values from ('-infinity') to ('infinity')`);
    expect(named(await readTable(open), 'late')?.bound).toEqual(aRange('MINVALUE', 'MAXVALUE'));
  });

  partkeeperTest('keeps microseconds, and years before Christ', async ({ database, open }) => {
    await createTable(database, 'public.events', {
      partitions: { odd: ['2026-01-01 00:00:00.000001', '2026-01-01 12:34:56.123456'] },
    });
    await database.query(
      `create table old partition of events for values from ('0044-03-15 BC+00') to ('0043-03-15 BC+00')`,
    );
    const facts = await readTable(open);
    expect(named(facts, 'odd')?.bound).toEqual(aRange('2026-01-01T00:00:00.000001Z', '2026-01-01T12:34:56.123456Z'));
    expect(named(facts, 'old')?.bound).toEqual(aRange('-000043-03-15T00:00:00Z', '-000042-03-15T00:00:00Z'));
  });

  partkeeperTest('beyond the years that can be reckoned with is opaque', async ({ database, open }) => {
    await createTable(database, 'public.events', {
      key: 'date',
      partitions: { remote: ['300000-01-01', '300001-01-01'] },
    });
    const bound = named(await readTable(open), 'remote')?.bound;
    expect(bound).toMatchObject({ kind: 'range', lower: { kind: 'opaque' }, upper: { kind: 'opaque' } });
  });

  partkeeperTest('says how large it is and when it was analysed', async ({ database, open }) => {
    await createTable(database, 'public.events', { partitions: months('events', '2026-01', 2) });
    await database.query(`insert into events select n, '2026-01-15' from generate_series(1, 1000) n`);
    await database.query('analyze events_2026_01');
    const facts = await readTable(open);
    const analyzed = named(facts, 'events_2026_01');
    expect(analyzed?.size.rowsEstimate).toBe(1000);
    expect(analyzed?.size.bytesEstimate).toBeGreaterThan(1000 * 16);
    expect(analyzed?.statistics.analyzedAt).toBeDefined();
    expect(named(facts, 'events_2026_02')).toMatchObject({
      size: { rowsEstimate: undefined, bytesEstimate: 0 },
      statistics: { analyzedAt: undefined, changedRows: 0 },
    });
  });

  partkeeperTest('whose detach was begun and cancelled is pending', async ({ database, open }) => {
    const table = await createTable(database, 'public.events', { partitions: months('events', '2026-01', 2) });
    await leaveDetachPending(database, 'events', 'events_2026_01');
    const facts = await readTable(open, table);
    expect(facts.partitions.map(({ relation: { name }, isDetachPending }) => [name, isDetachPending])).toEqual([
      ['events_2026_01', true],
      ['events_2026_02', false],
    ]);
    // The evidence is still readable, although rows no longer find the partition.
    expect(named(facts, 'events_2026_01')?.bound).toEqual(aRange('2026-01-01', '2026-02-01'));
  });
});

describe('names', () => {
  const ODD_NAMES = [
    'with spaces',
    'with "quotes" and \'apostrophes\'',
    'Größe in °C',
    'new\nline',
    'back\\slash.and.dots',
    '{table}',
    '[a-z]+(^$|?*)',
    `${'ü'.repeat(31)}x`, // 63 bytes
  ];

  partkeeperTest('may be anything', async ({ database, open }) => {
    await database.query('create schema "Odd Schema"');
    const tables = ODD_NAMES.map(name => ({ schema: 'Odd Schema', name }));
    for (const [index, table] of tables.entries()) {
      await createTable(database, formatRelationName(table));
      await createPartition(database, table, `part "${index}" of it`, '2026-01-01', '2026-02-01');
    }
    const partkeeper = open({ tables: tables.map(policyFor), at: at('2026-01-15') });
    const before = await partkeeper.facts();
    expect(before.missing).toEqual([]);
    expect(before.tables.map(({ relation: { name } }) => name).toSorted()).toEqual(ODD_NAMES.toSorted());

    await partkeeper.run('provision');
    const after = await partkeeper.facts();
    for (const { partitions, takenNames } of after.tables) {
      const names = partitions.map(({ relation: { name } }) => name);
      expect(names).toEqual([expect.stringMatching(/^part "\d" of it$/), expect.any(String), expect.any(String)]);
      // What was made now counts as taken, so the pattern matches the names that it stands for.
      expect(new Set(names.slice(1))).toEqual(new Set(takenNames));
      for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    }
  });

  partkeeperTest('of types, indexes and sequences are taken too', async ({ database, open }) => {
    await createTable(database);
    await database.query(`
      create table plain (id int);
      create type events_2026_01 as (a int);
      create index events_2026_02 on plain (id);
      create sequence events_2026_03;
      create view events_2026_04_2 as select 1 as one;
      create table events_2026_05_from_0115 (id int);
      create table events_archive (id int);
      create schema other; create table other.events_2026_06 (id int);`);
    expect([...(await readTable(open)).takenNames].sort()).toEqual([
      'events_2026_01',
      'events_2026_02',
      'events_2026_03',
      'events_2026_04_2',
      'events_2026_05_from_0115',
    ]);
  });
});

partkeeperTest(
  'what is configured but is no partitioned table is missing, with the reason',
  async ({ database, open }) => {
    await createTable(database, 'public.events', { partitions: months('events', '2026-01', 1) });
    await database.query(`
    create table plain (at timestamptz);
    create view looker as select 1 as one;
    create table outer_table (id int, at timestamptz) partition by range (at);
    create table inner_table partition of outer_table default partition by hash (id);`);
    const wanted = ['public.nowhere', 'nowhere.events', 'public.plain', 'public.looker', 'public.inner_table'].map(
      relation,
    );
    const { tables, missing } = await open({ tables: [...wanted, EVENTS].map(policyFor) }).facts();
    expect(tables.map(table => sqlName(table.relation))).toEqual(['"public"."events"']);
    expect(missing.map(({ relation: name, reason }) => [formatRelationName(name), reason])).toEqual([
      ['public.nowhere', 'absent'],
      ['nowhere.events', 'absent'],
      ['public.plain', 'not-partitioned'],
      ['public.looker', 'not-partitioned'],
      ['public.inner_table', 'is-a-partition'],
    ]);
  },
);
