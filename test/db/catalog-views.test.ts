/** What the catalog says about materialized views: how they can be refreshed, what they read, and whether that changed. */
import { describe, expect } from 'vitest';
import type { MaterializedViewFacts } from '../../src/domain/facts.ts';
import { formatRelationName } from '../../src/domain/relation.ts';
import type { TestDatabase } from '../support/database.ts';
import { aViewPolicy, relation } from '../support/facts.ts';
import { type OpenPartkeeper, partkeeperTest } from '../support/partkeeper.ts';
import { change, createPartition, createTable, months } from '../support/tables.ts';

const policies = (...names: readonly string[]) =>
  names.map(name => aViewPolicy({ relation: relation(`public.${name}`) }));

async function readViews(
  open: OpenPartkeeper,
  ...names: readonly string[]
): Promise<Record<string, MaterializedViewFacts>> {
  const { views } = await open({ views: policies(...names) }).facts();
  return Object.fromEntries(views.map(view => [view.relation.name, view]));
}

const readView = async (open: OpenPartkeeper, name = 'mv'): Promise<MaterializedViewFacts | undefined> =>
  (await readViews(open, name))[name];

partkeeperTest(
  'what is configured but is no materialized view is missing, with the reason',
  async ({ database, open }) => {
    await database.query('create view looker as select 1 as one; create table plain (id int)');
    const { views, missing } = await open({ views: policies('nowhere', 'looker', 'plain') }).facts();
    expect(views).toEqual([]);
    expect(missing.map(({ relation: name, reason }) => [formatRelationName(name), reason])).toEqual([
      ['public.nowhere', 'absent'],
      ['public.looker', 'not-a-materialized-view'],
      ['public.plain', 'not-a-materialized-view'],
    ]);
  },
);

describe('a concurrent refresh', () => {
  partkeeperTest('needs a view that was populated', async ({ database, open }) => {
    await database.query('create materialized view mv as select 1 as id with no data');
    expect(await readView(open)).toMatchObject({ isPopulated: false });
    await database.query('refresh materialized view mv');
    expect(await readView(open)).toMatchObject({ isPopulated: true });
  });

  partkeeperTest('needs a unique index on plain columns and all rows', async ({ database, open }) => {
    const indexes = {
      none: '',
      plain: 'create index plain_k on plain (id)',
      one_column: 'create unique index one_column_k on one_column (id)',
      two_columns: 'create unique index two_columns_k on two_columns (name, id)',
      included: 'create unique index included_k on included (id) include (name)',
      partial: 'create unique index partial_k on partial (id) where id > 0',
      expression: 'create unique index expression_k on expression (lower(name))',
      mixed: 'create unique index mixed_k on mixed (id, lower(name))',
      several: 'create index several_a on several (id); create unique index several_k on several (id)',
    };
    for (const [view, sql] of Object.entries(indexes))
      await database.query(`create materialized view ${view} as select 1 as id, 'A'::text as name; ${sql}`);
    const views = await readViews(open, ...Object.keys(indexes));
    const usable = Object.values(views).map(({ concurrentIndex }) => concurrentIndex);
    expect(usable.filter(index => index !== undefined).sort()).toEqual([
      'included_k',
      'one_column_k',
      'several_k',
      'two_columns_k',
    ]);
  });

  partkeeperTest(
    'F47: cannot use what a failed CREATE UNIQUE INDEX CONCURRENTLY left behind',
    async ({ database, open }) => {
      await database.query('create materialized view mv as select n / 2 as id from generate_series(2, 3) n');
      await expect(database.query('create unique index concurrently k on mv (id)')).rejects.toThrow(/could not create/);
      expect((await readView(open))?.concurrentIndex).toBeUndefined();
    },
  );
});

describe('the order', () => {
  partkeeperTest('follows who reads whom, through plain views too', async ({ database, open }) => {
    await database.query(`
      create table base (id int);
      create materialized view bottom as select * from base;
      create view window_1 as select * from bottom;
      create view window_2 as select * from window_1;
      create materialized view middle as select * from window_2;
      create materialized view top as select m.id from middle m join bottom b using (id);
      create materialized view apart as select 1 as id;`);
    const views = await readViews(open, 'top', 'apart', 'middle', 'bottom');
    const levels = Object.entries(views).map(([name, { level }]) => [name, level]);
    expect(Object.fromEntries(levels)).toEqual({ bottom: 0, middle: 1, top: 2, apart: 0 });
    expect(views.middle?.reads).toEqual([views.bottom?.oid]);
    expect(new Set(views.top?.reads)).toEqual(new Set([views.bottom?.oid, views.middle?.oid]));
  });

  partkeeperTest('knows nothing of views that are not configured', async ({ database, open }) => {
    await database.query(`
      create materialized view bottom as select 1 as id;
      create materialized view top as select * from bottom;`);
    expect((await readViews(open, 'top')).top).toMatchObject({ level: 0 });
  });
});

describe('the clock', () => {
  const FUNCTIONS = `
    create function stable_of_mine() returns int language sql stable as 'select 1';
    create function volatile_of_mine() returns int language sql volatile as 'select 1';
    create function immutable_of_mine(int) returns int language sql immutable as 'select $1';
    create sequence numbers;
    create view recent_events as select * from events where at > now() - interval '1 hour';`;

  /** Which of the queries would make a view that changes with the clock. */
  async function timeDependent(queries: readonly string[], database: TestDatabase, open: OpenPartkeeper) {
    await createTable(database);
    await database.query(FUNCTIONS);
    for (const [index, query] of queries.entries())
      await database.query(`create materialized view mv_${index} as ${query}`);
    const views = await readViews(open, ...queries.map((_, index) => `mv_${index}`));
    expect(Object.keys(views)).toHaveLength(queries.length);
    return queries.filter((_, index) => views[`mv_${index}`]?.isTimeDependent);
  }

  partkeeperTest('changes what a query shows that asks it, or chance, or the session', async ({ database, open }) => {
    const queries = [
      `select count(*) from events where at > now() - interval '1 day'`,
      'select current_date as today',
      'select localtimestamp as here',
      'select statement_timestamp() as s',
      'select clock_timestamp() as c',
      `select age('2026-01-01'::timestamp) as a`,
      'select id from events order by at < now()',
      'select id, (select max(at) < now() from events) as late from events',
      'with recent as (select * from events where at > now()) select count(*) from recent',
      'select count(*) from recent_events',
      'select count(*) from events where random() < 0.5',
      'select count(*) from events tablesample bernoulli (50)',
      `select current_setting('my.tenant', true) as tenant`,
    ];
    expect(await timeDependent(queries, database, open)).toEqual(queries);
  });

  partkeeperTest('may change what comes from where nobody can tell', async ({ database, open }) => {
    const queries = [
      'select stable_of_mine() as s',
      'select volatile_of_mine() as v',
      'select * from generate_series(1, volatile_of_mine()) as g',
      'select count(*) from events, pg_class',
      'select n_live_tup, id from pg_stat_user_tables, events',
      'select table_name::text, id from information_schema.tables, events',
      'select last_value from numbers',
    ];
    expect(await timeDependent(queries, database, open)).toEqual(queries);
  });

  partkeeperTest('does not change what tables alone decide', async ({ database, open }) => {
    const queries = [
      'select id, count(*) from events group by id',
      `select date_trunc('day', at at time zone 'UTC') as day, count(*) from events group by 1`,
      `select count(*) from events where at >= '2026-01-01 00:00+00'`,
      'select immutable_of_mine(1) as one, upper($$a$$) as a',
      'select id, row_number() over (order by at) from events',
      `select at::date as day, at + interval '1 day' as next from events`,
      `select 'now()' as text_only, $$:funcid 1299$$ as another`,
    ];
    expect(await timeDependent(queries, database, open)).toEqual([]);
  });

  partkeeperTest('may as well have changed what a foreign table shows', async ({ database, open }) => {
    await createTable(database, 'public.events', { partitions: months('events', '2026-01', 1) });
    await database.query('create materialized view mv as select count(*) from events');
    expect((await readView(open))?.isTimeDependent).toBe(false);
    await database.query(`
      create foreign data wrapper dummy; create server elsewhere foreign data wrapper dummy;
      create foreign table far partition of events for values from ('2026-02-01+00') to ('2026-03-01+00') server elsewhere`);
    expect((await readView(open))?.isTimeDependent).toBe(true);
  });
});

async function prepare(database: TestDatabase): Promise<void> {
  await createTable(database, 'public.events', { partitions: months('events', '2026-01', 2) });
  await createPartition(database, relation('public.events'), 'detachable', '2026-06-01', '2026-07-01');
  await change(
    database,
    `insert into events select n, '2026-01-05' from generate_series(1, 10) n;
     create table other (id int);
     create table joined (id int);
     create view indirect as select * from joined;
     create materialized view lower_mv as select id from joined;
     create unique index on lower_mv (id);
     create materialized view mv as
       select e.id from events e left join indirect i using (id) left join lower_mv l using (id)`,
  );
}

describe('the fingerprint', () => {
  partkeeperTest('moves with whatever changes what the view could show', async ({ database, open }) => {
    await prepare(database);
    const changes = [
      `insert into events values (11, '2026-02-05')`,
      'update events set id = 12 where id = 1',
      'delete from events where id = 2',
      'truncate events_2026_01',
      'insert into joined values (1)',
      `create table p partition of events for values from ('2026-03-01+00') to ('2026-04-01+00')`,
      'alter table events detach partition detachable',
      'refresh materialized view lower_mv',
      'insert into joined values (2); refresh materialized view concurrently lower_mv',
      'select pg_stat_reset()',
    ];
    const partkeeper = open({ views: policies('mv') });
    const fingerprint = async () => (await partkeeper.facts()).views[0]?.fingerprint;
    let before = await fingerprint();
    const unnoticed: string[] = [];
    for (const sql of changes) {
      await change(database, sql);
      const after = await fingerprint();
      expect(after).toBeDefined();
      if (after === before) unnoticed.push(sql);
      before = after;
    }
    expect(unnoticed).toEqual([]);
  });

  partkeeperTest('stays the same while nothing of it changes', async ({ database, open }) => {
    await prepare(database);
    const before = (await readView(open))?.fingerprint;
    await change(database, 'insert into other values (1)');
    await change(database, 'select count(*) from events; analyze events; refresh materialized view mv');
    expect((await readView(open))?.fingerprint).toBe(before);
  });
});
