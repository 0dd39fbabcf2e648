/** What keeps rows of a default partition from being moved, and what is said about it. */
import { describe, expect } from 'vitest';
import { reads } from '../../src/executor/default/statements.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { createTable } from '../support/tables.ts';

const test = partkeeperTest.extend('template', 'bookkeeping');

const EVENTS = relation('public.events');
const AT = at('2026-03-15');
const policy = aTablePolicy({ relation: EVENTS, premake: 1, defaultPartition: 'drain' });

/** Few rows of March and of 2020. */
async function prepare(database: TestDatabase): Promise<void> {
  await createTable(database, 'public.events', { more: ', note text, primary key (id, at)' });
  await database.query(`
    create table rest partition of events default;
    insert into events select i, case when i % 2 = 0 then '2026-03-10'::timestamptz else '2020-01-01' end from generate_series(1, 6) i;
    create function nothing() returns trigger language plpgsql as 'begin return null; end'`);
}

/** Each with the ways that it closes: to move rows, to make the whole of it the partition, to swap it. */
const OBSTACLES = [
  ['nothing', 'select', undefined, ''],
  [
    'a foreign key that refers to the table',
    'create table public.lines (id bigint, at timestamptz, foreign key (id, at) references public.events on delete cascade)',
    'the foreign key lines_id_at_fkey of public.lines refers to the table',
    'moving relabelling swapping',
  ],
  [
    'the table published',
    'create publication news for table public.events',
    'it is published by news',
    'moving relabelling swapping',
  ],
  [
    'the default published',
    'create publication news for table public.rest',
    'it is published by news',
    'moving relabelling swapping',
  ],
  ['all published', 'create publication news for all tables', 'it is published by news', 'moving relabelling swapping'],
  [
    'its schema published',
    'create publication news for tables in schema public',
    'it is published by news',
    'moving relabelling swapping',
  ],
  [
    'a rule',
    'create rule keep as on delete to public.rest do instead nothing',
    'the rule keep rewrites what is done to it',
    'moving relabelling swapping',
  ],
  [
    'a trigger of the parent',
    'create trigger told after delete on public.events for each row execute function public.nothing()',
    'the trigger told would take the move for a deletion',
    'moving',
  ],
  [
    'a trigger on inserts',
    'create trigger told after insert on public.events for each row execute function public.nothing()',
    undefined,
    '',
  ],
  [
    'a trigger of its own',
    'create trigger own after insert on public.rest for each row execute function public.nothing()',
    "the trigger own is its own and not the parent's",
    'relabelling swapping',
  ],
  [
    'a policy of its own',
    'create policy mine on public.rest using (true)',
    'the policy mine is its own',
    'relabelling swapping',
  ],
  [
    'a view on it',
    'create view public.seen as select id from public.rest',
    'rule _RETURN on view public.seen depends on it',
    'relabelling swapping',
  ],
  ['a view on the table', 'create view public.seen as select id from public.events', undefined, ''],
  [
    'a column of its type',
    'create table public.kept (one public.rest)',
    'column one of table public.kept depends on it',
    'relabelling swapping',
  ],
  [
    'what belongs to itself',
    `alter table public.events add half bigint generated always as (id / 2) stored, add check (id > 0);
     create statistics public.kinds on id, note from public.rest; create index on public.rest ((id / 3)) where id > 1;
     create trigger told before insert on public.events for each row when (new.id > 0) execute function public.nothing()`,
    undefined,
    '',
  ],
  [
    'a sequence of its own',
    'create sequence public.numbers owned by public.rest.id',
    'the sequence public.numbers belongs to it',
    'relabelling swapping',
  ],
  [
    'a foreign key of the table',
    'create table public.notes (note text primary key); alter table public.events add foreign key (note) references public.notes',
    'the foreign key events_note_fkey would be checked for every row anew',
    'swapping',
  ],
  [
    'a detach pending',
    `update pg_inherits set inhdetachpending = true where inhrelid = 'public.rest'::regclass`,
    'a detach of another partition is pending',
    'moving relabelling swapping',
  ],
] as const;

test('every obstacle is seen, with the ways that it closes', async ({ database }) => {
  await prepare(database);
  const client = await database.connect();
  await client.query('set allow_system_table_mods = on; set search_path = pg_catalog, pg_temp');
  const found: unknown[] = [];
  for (const [name, sql] of OBSTACLES) {
    await client.query(`begin; ${sql}`);
    const { rows } = await client.query<Record<string, unknown>>(
      reads.obstacles.replaceAll(/\$1\b/g, `'public.events'::regclass`).replaceAll(/\$2\b/g, `'public.rest'::regclass`),
    );
    const waysOf = (row: Record<string, unknown>) => Object.keys(row).filter(key => row[key] === true);
    found.push([name, ...rows.flatMap(row => [row.because, waysOf(row).join(' ')])]);
    await client.query('rollback');
  }
  expect(found).toEqual(
    OBSTACLES.map(([name, , because, ways]) => (because === undefined ? [name] : [name, because, ways])),
  );
});

describe('rows that cannot be moved', () => {
  test('stay where they are, and the reasons are told', async ({ database, open }) => {
    await prepare(database);
    await database.query(`
      create trigger told after delete on events for each row execute function nothing();
      alter table events drop constraint events_pkey;
      create view seen as select id from rest`);
    const before = await database.query('select tableoid::regclass::text, * from events order by id');
    const [report] = await open({ tables: [policy], at: AT }).run('provision');
    expect(report).toMatchObject({ outcome: 'partial', done: 1, error: { code: 'DRAIN_REFUSED' } });
    for (const reason of ['the trigger told', 'view public.seen', 'it has no primary key or unique index'])
      expect(report?.error?.message).toContain(reason);
    expect(report?.findings).toContainEqual(expect.objectContaining({ code: 'DRAIN_REFUSED', severity: 'error' }));
    expect(await database.query('select tableoid::regclass::text, * from events order by id')).toEqual(before);
    expect(await database.query('select from partkeeper.drains')).toEqual([]);
  });

  test('without a record of drains, they are reported and the rest goes on', async ({ database, open }) => {
    await prepare(database);
    await database.query('drop table partkeeper.drains');
    const [report] = await open({ tables: [policy], at: AT }).run('provision');
    expect(report).toMatchObject({ outcome: 'partial', done: 1, error: { code: 'DEFAULT_HAS_ROWS' } });
    expect(report?.findings.map(({ code }) => code)).toEqual([
      'DRAIN_UNRECORDED',
      'DEFAULT_PARTITION',
      'DEFAULT_HAS_ROWS',
    ]);
  });
});
