/** The insert that is rolled back, after a partition was made: where it lands, what it leaves alone, what it leaves behind. */
import { describe, expect } from 'vitest';
import { KEY_TYPES } from '../../src/domain/time.ts';
import { probeInsert } from '../../src/executor/probe-insert.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { actionsOf, type OpenPartkeeper, partkeeperTest } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { createTable, months } from '../support/tables.ts';

const EVENTS = relation('public.events');
const AT = at('2026-03-15');

const provision = async (open: OpenPartkeeper, { probe = true, url }: { probe?: boolean; url?: string } = {}) => {
  const partkeeper = open({
    tables: [aTablePolicy({ relation: EVENTS, premake: 1, probe })],
    at: AT,
    ...(url === undefined ? {} : { url }),
  });
  const [report] = await partkeeper.run('provision');
  expect(report).toMatchObject({ outcome: 'success', done: 2, error: undefined });
  expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
  return report?.findings.map(({ code, message }) => `${code} ${message}`);
};

/** What was rolled back has its page all the same: 1 where a row was tried, 0 where none was. */
const tried = async (database: TestDatabase): Promise<number> => {
  const [row] = await database.query<{ pages: number }>(
    `select (pg_relation_size('events_2026_03') / current_setting('block_size')::int)::int as pages`,
  );
  return row?.pages ?? -1;
};

describe('a row is tried and taken back', () => {
  partkeeperTest.for(KEY_TYPES)('with a key of type %s', async (key, { database, open }) => {
    await createTable(database, 'public.events', { key });
    expect(await provision(open)).toEqual([]);
    expect(await tried(database)).toBe(1);
    expect(await database.query('select from events')).toEqual([]);
  });

  partkeeperTest('with a key of whole seconds, which would be rounded', async ({ database, open }) => {
    await database.query('create table events (at timestamptz(0) not null) partition by range (at)');
    expect(await provision(open)).toEqual([]);
    expect(await tried(database)).toBe(1);
  });

  partkeeperTest('without asking a sequence, whatever the columns', async ({ database, open }) => {
    await database.query(`
      create sequence hidden;
      create function numbered() returns bigint language sql as $$ select nextval('hidden') $$;
      create type mood as enum ('calm', 'not');
      create domain name_of as varchar(5) not null check (value <> '');
      create table customers (id int primary key);
      create table events (
        identity bigint generated always as identity, serial bigserial, by_text bigint not null default nextval('hidden'::text),
        by_function bigint not null default numbered(), maybe bigint default nextval('hidden'),
        at timestamptz not null, customer int references customers,
        id uuid not null default gen_random_uuid(), made timestamptz not null default now(), state text not null default 'new' check (state in ('new', 'old')),
        feeling mood not null, named name_of, tags text[] not null, more jsonb not null, amount numeric(10, 2) not null check (amount > 0),
        blob bytea not null, day date not null, hour time not null, zoned timetz not null, span interval not null, host inet not null, during tstzrange not null, flag boolean not null,
        twice numeric generated always as (amount * 2) stored,
        primary key (id, at)
      ) partition by range (at)`);
    expect(await provision(open)).toEqual([]);
    expect(await tried(database)).toBe(1);
    expect(await database.query('select sequencename as name from pg_sequences where last_value is not null')).toEqual(
      [],
    );
  });

  roleTest('as the owner, for a member of it', async ({ database, open, role }) => {
    const [owner, keeper] = [await role('nologin', 'owner'), await role('login noinherit', 'keeper')];
    await createTable(database);
    await database.query(
      `grant create on schema public to ${owner.sql}; alter table events owner to ${owner.sql}; grant ${owner.sql} to ${keeper.sql}`,
    );
    expect(await provision(open, { url: keeper.url })).toEqual([]);
    expect(await tried(database)).toBe(1);
  });
});

describe('nothing is tried', () => {
  const trigger = (what: string) => `
    create function f() returns trigger language plpgsql as 'begin return new; end';
    create trigger t ${what} on events execute function f()`;
  partkeeperTest.for([
    ['where a row trigger could do something', trigger('before insert').replace('events', 'events for each row')],
    ['where a statement trigger could', trigger('after insert')],
    ['where a rule could', 'create rule r as on insert to events do also notify inserted'],
    ['where row security is forced', 'alter table events enable row level security, force row level security'],
    ['where no value can be made up', 'alter table events add place point not null'],
    [
      'where another row would have to be there',
      'create table c (id int primary key); alter table events add c int not null references c',
    ],
  ] as const)('%s', async ([, sql], { database, open }) => {
    await createTable(database);
    await database.query(sql);
    expect(await provision(open)).toEqual([]);
    expect(await tried(database)).toBe(0);
  });

  partkeeperTest('where the configuration says no', async ({ database, open }) => {
    await createTable(database);
    expect(await provision(open, { probe: false })).toEqual([]);
    expect(await tried(database)).toBe(0);
  });
});

describe('a row that does not land in the partition', () => {
  /** Tries, as for the partition of March, a row of the last moment of another window. */
  async function probe(database: TestDatabase, open: OpenPartkeeper, lower: string, upper: string, meanwhile?: string) {
    await createTable(database, 'public.events', { partitions: months('events', '2026-04', 1) });
    const partkeeper = open({ tables: [aTablePolicy({ relation: EVENTS, premake: 0, probe: false })], at: AT });
    const [action] = actionsOf(await partkeeper.plan(['provision']), 'create-partition');
    if (!action) throw new Error('nothing was planned');
    await partkeeper.act(action);
    if (meanwhile !== undefined) await database.query(meanwhile);
    const other = { ...action, probe: true, window: { lower: at(lower), upper: at(upper) } };
    const { database: sessions, runner } = partkeeper;
    const findings = await sessions.use(session => probeInsert(session, runner.budget, other));
    return findings.map(({ code, severity, message }) => `${severity} ${code} ${message}`);
  }

  partkeeperTest('but in another one', async ({ database, open }) => {
    expect(await probe(database, open, '2026-04-01', '2026-05-01')).toEqual([
      'error PROBE_FAILED a row of 2026-04-30 23:59:59.999999+00 in public.events lands in public.events_2026_04, not in public.events_2026_03',
    ]);
    expect(await database.query('select from events')).toEqual([]);
  });

  partkeeperTest('nor in any', async ({ database, open }) => {
    expect(await probe(database, open, '2026-05-01', '2026-06-01')).toEqual([
      expect.stringMatching(
        /^error PROBE_FAILED a row of 2026-05-31 23:59:59.999999\+00 in public.events finds no partition: /,
      ),
    ]);
  });

  partkeeperTest.for([
    ['was dropped', 'drop table events_2026_03'],
    ['was detached', 'alter table events detach partition events_2026_03'],
    ['is of another table by now', 'alter table events rename to older; create table events (at timestamptz)'],
  ] as const)('because that %s is nobody’s trouble', async ([, meanwhile], { database, open }) => {
    expect(await probe(database, open, '2026-05-01', '2026-06-01', meanwhile)).toEqual([]);
  });

  partkeeperTest('is not waited for while somebody holds the table', async ({ database, open }) => {
    await createTable(database, 'public.events', { partitions: months('events', '2026-03', 1) });
    const holder = await database.connect();
    await holder.query('begin; lock table events in share mode');
    const partkeeper = open({ tables: [aTablePolicy({ relation: EVENTS })], at: AT });
    const [action] = actionsOf(await partkeeper.plan(['provision']), 'create-partition');
    if (!action) throw new Error('nothing was planned');
    const again = { ...action, relation: relation('public.events_2026_03') };
    const { database: sessions, runner } = partkeeper;
    expect(await sessions.use(session => probeInsert(session, runner.budget, again))).toEqual([]);
    await holder.query('rollback');
  });
});

partkeeperTest('a row that a constraint refuses is told once, and is no failure', async ({ database, open }) => {
  await createTable(database, 'public.events', { more: `, n int not null constraint odd check (n % 2 = 0)` });
  expect(await provision(open)).toEqual([
    'PROBE_REFUSED public.events refuses a made-up row (23514, constraint odd), so whether rows land in new partitions was not tried',
  ]);
});
