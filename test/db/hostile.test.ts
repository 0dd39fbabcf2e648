/** Surroundings that nobody asked for: tables that vanish, partitions by other hands, other tools, odd names, too many, too few rights. */
import { describe, expect } from 'vitest';
import type { JobName } from '../../src/domain/plan.ts';
import { formatRelationName } from '../../src/domain/relation.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, aViewPolicy, relation } from '../support/facts.ts';
import { actionsOf } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { createPartition, createTable, months, partitionsOf, sqlName } from '../support/tables.ts';

const test = roleTest.extend('template', 'bookkeeping');

const EVENTS = relation('public.events');
const OTHER = relation('public.other');
/** Later than any clock that these tests meet. */
const AT = at('2040-03-15');
const JOBS = ['provision', 'refresh', 'analyze'] as const satisfies readonly JobName[];
const policies = {
  tables: [EVENTS, OTHER].map(name => aTablePolicy({ relation: name, premake: 1 })),
  views: ['mv', 'other_mv'].map(name => aViewPolicy({ relation: relation(`public.${name}`) })),
  at: AT,
};

/** Two tables and two views, with something to do for every job. */
async function prepare(database: TestDatabase): Promise<void> {
  for (const name of ['events', 'other'])
    await createTable(database, `public.${name}`, { partitions: months(name, '2040-02', 1) });
  await database.query(`
    insert into events select 1, '2040-02-01'; insert into other select 1, '2040-02-01';
    create materialized view mv as select id from events with no data; create unique index on mv (id);
    create materialized view other_mv as select id from other with no data; create unique index on other_mv (id)`);
}

describe('between plan and act, somebody', () => {
  test.for([
    ['dropped table and view', 'drop table events cascade'],
    ['renamed them', 'alter table events rename to attic; alter materialized view mv rename to attic_mv'],
    [
      'put others in their place',
      `alter table events rename to attic; alter materialized view mv rename to attic_mv;
       create table events (at timestamptz) partition by range (at); create materialized view mv as select 1 as id`,
    ],
  ] as const)('%s: they are left alone, and the others have their turn', async ([, meanwhile], { database, open }) => {
    await prepare(database);
    const partkeeper = open(policies);
    // Each job on its own: what one of them makes in thought, the next one would have to find.
    const plans = await Promise.all(JOBS.map(job => partkeeper.plan([job])));
    // From 18 on, partitions are analysed one by one; they keep their names.
    const actions = plans
      .flatMap(plan => plan.actions)
      .filter(({ kind, relation: { name } }) => kind !== 'analyze-table' || !name.endsWith('_2040_02'));
    const hit = ({ target }: (typeof actions)[number]) => ['events', 'mv'].includes(target.name);
    expect(new Set(actions.filter(hit).map(({ kind }) => kind))).toEqual(
      new Set(['create-partition', 'refresh-view', 'analyze-table']),
    );
    await database.query(meanwhile);
    const now = `select c.oid, relname, relispopulated, (select count(*)::int from pg_inherits where inhparent = c.oid) as partitions
      from pg_class c where relname in ('events', 'mv', 'attic', 'attic_mv') order by relname`;
    const before = await database.query(now);
    for (const action of actions) {
      const done = partkeeper.act(action);
      if (hit(action))
        await expect(done).rejects.toMatchObject({ code: expect.stringMatching(/^(STALE_PLAN|RELATION_MISSING)$/) });
      else expect(await done).toMatchObject({ outcome: 'done' });
    }
    expect(await database.query(now)).toEqual(before);
    expect(Object.keys(await partitionsOf(database, OTHER))).toEqual([
      'other_2040_02',
      'other_2040_03',
      'other_2040_04',
    ]);
  });

  test('dropped one before the run: it is told, and the other is kept', async ({ database, open }) => {
    await prepare(database);
    await database.query('drop table events cascade');
    const partkeeper = open(policies);
    const reports = await partkeeper.apply(JOBS);
    for (const { run, outcome, findings } of reports) {
      const isGone = ['events', 'mv'].includes(run.target.name);
      expect({ run, outcome, isGone: findings.some(({ code }) => code === 'TARGET_MISSING') }).toEqual({
        run,
        outcome: 'success',
        isGone,
      });
    }
    expect((await partkeeper.plan(JOBS)).actions).toEqual([]);
  });
});

describe('partitions that were attached by hand', () => {
  test.for([
    ['wider than a window', { wide: ['2040-02-10', '2040-04-20'] }, ['2040-04-20']],
    ['without an end', { endless: ['2040-04-10', 'MAXVALUE'] }, ['2040-03-01', '2040-04-01']],
    ['in the middle of a window', { island: ['2040-03-10', '2040-03-20'] }, ['2040-03-01', '2040-03-20', '2040-04-01']],
    ['of another name and the right bounds', { whatever: ['2040-03-01', '2040-04-01'] }, ['2040-04-01']],
  ] as const)('%s are planned around', async ([, by, lowers], { database, open }) => {
    await createTable(database);
    for (const [name, [lower, upper]] of Object.entries(by)) {
      await database.query(`create table ${name} (like events including all)`);
      const end = upper === 'MAXVALUE' ? 'maxvalue' : `'${upper}+00'`;
      await database.query(`alter table events attach partition ${name} for values from ('${lower}+00') to (${end})`);
    }
    const partkeeper = open({ tables: [aTablePolicy({ relation: EVENTS, premake: 1 })], at: AT });
    const [report] = await partkeeper.run('provision');
    expect(report).toMatchObject({ outcome: 'success', failed: 0 });
    const made = partkeeper
      .eventsOf('action-finished')
      .flatMap(({ action }) => actionsOf({ actions: [action] }, 'create-partition'));
    expect(made.map(({ window }) => window.lower.toString().slice(0, 10))).toEqual(lowers);
    expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
    // What the hand made is as it was.
    expect(await partitionsOf(database, EVENTS)).toMatchObject(
      Object.fromEntries(Object.keys(by).map(name => [name, expect.any(String)])),
    );
  });
});

describe('another tool that manages the same table', () => {
  /** As pg_partman has it, as far as it is read. */
  const managed = (schema: string, ...names: readonly string[]) => `
    create schema ${schema};
    create table ${schema}.part_config (parent_table text primary key, control text not null, premake int default 4);
    insert into ${schema}.part_config select name, 'at' from unnest(array[${names.map(name => `'${name.replaceAll("'", "''")}'`).join(', ')}]) name`;

  test('is found by what it has written down, whatever its schema and the name', async ({ database, open }) => {
    const odd = { schema: 'public', name: `Big "table's"` };
    for (const name of [EVENTS, OTHER, odd]) await createTable(database, formatRelationName(name));
    await database.query(managed('"Extensions, mine"', 'public.events', `public.Big "table's"`, 'public.gone'));
    const partkeeper = open({ tables: [EVENTS, OTHER, odd].map(name => aTablePolicy({ relation: name })), at: AT });
    const { findings } = await partkeeper.plan(['provision']);
    expect(findings.map(({ code, severity, target }) => [code, severity, target.name])).toEqual([
      ['OTHER_MANAGER', 'warning', 'events'],
      ['OTHER_MANAGER', 'warning', odd.name],
    ]);
    expect(findings[1]?.hint).toContain(`where parent_table = 'public.Big "table''s"'`);
    expect((await partkeeper.run('provision')).map(({ outcome }) => outcome)).toEqual([
      'success',
      'success',
      'success',
    ]);
  });

  test('is none of our business where we may not look', async ({ database, open, role }) => {
    const keeper = await role('login', 'keeper');
    await createTable(database);
    await database.query(`${managed('partman', 'public.events')}; alter table events owner to ${keeper.sql}`);
    const options = { tables: [aTablePolicy({ relation: EVENTS })], at: AT };
    expect((await open({ ...options, url: keeper.url }).plan(['provision'])).findings).toEqual([]);
    await database.query(
      `grant usage on schema partman to ${keeper.sql}; grant select on partman.part_config to ${keeper.sql}`,
    );
    expect((await open({ ...options, url: keeper.url }).plan(['provision'])).findings).toMatchObject([
      { code: 'OTHER_MANAGER' },
    ]);
  });

  test('is not waited for', async ({ database, open }) => {
    await createTable(database);
    await database.query(managed('partman', 'public.events'));
    const holder = await database.connect();
    await holder.query('begin; lock table partman.part_config in access exclusive mode');
    const partkeeper = open({ tables: [aTablePolicy({ relation: EVENTS })], at: AT });
    expect((await partkeeper.plan(['provision'])).findings).toEqual([]);
    await holder.query('rollback');
    expect((await partkeeper.plan(['provision'])).findings).toMatchObject([{ code: 'OTHER_MANAGER' }]);
  });
});

test('names with quotes, line breaks and umlauts, of 63 bytes, go all the way', async ({ database, open }) => {
  const name = `Größe "x"\n'${'ü'.repeat(26)}`;
  expect(Buffer.byteLength(name)).toBe(65);
  const table = { schema: `Sch"ema\n'ä`, name: name.slice(0, -1) };
  expect(Buffer.byteLength(table.name)).toBe(63);
  const view = { schema: table.schema, name: `v${table.name.slice(1)}` };
  await database.query(`create schema "Sch""ema\n'ä"`);
  await createTable(database, formatRelationName(table), { more: ', "Spalte ""1""\n" text, primary key (id, at)' });
  await createPartition(database, table, 'old "one"', '2040-03-01', '2040-04-01');
  await database.query(`
    alter table only ${sqlName(table)} alter "Spalte ""1""\n" set statistics 7;
    create publication "Pub ""1""\n" for table ${sqlName({ ...table, name: 'old "one"' })};
    create materialized view ${sqlName(view)} as select id from ${sqlName(table)} with no data;
    create unique index on ${sqlName(view)} (id)`);
  const partkeeper = open({
    tables: [aTablePolicy({ relation: table, premake: 1 })],
    views: [aViewPolicy({ relation: view })],
    at: AT,
  });
  const reports = await partkeeper.apply(JOBS);
  expect(reports.map(({ outcome, done, error }) => [outcome, done > 0, error?.message])).toEqual(
    JOBS.map(() => ['success', true, undefined]),
  );
  expect(reports[0]?.findings.map(({ message }) => message)).toEqual([
    expect.stringMatching(/"old ""one""" differs: the statistics target of Spalte "1"\n is the default, not 7$/),
  ]);
  // The hint is SQL that can be run as it stands.
  await database.query(reports[0]?.findings[0]?.hint.replace('To make it like the others: ', '') ?? '');
  const plan = await partkeeper.plan(JOBS);
  expect(plan).toMatchObject({ actions: [], findings: [] });
});

test('five hundred partitions are no trouble', async ({ database, open }) => {
  const table = await createTable(database);
  // The time that it takes to make them grows with their square: ten thousand would take minutes.
  await database.query(`
    do $$ begin
      for i in 0..499 loop
        execute format('create table p%s partition of events for values from (%L) to (%L)', i,
          timestamptz '2040-03-15 00:00+00' + (i - 498) * interval '1 hour', timestamptz '2040-03-15 00:00+00' + (i - 497) * interval '1 hour');
      end loop;
    end $$`);
  const partkeeper = open({
    tables: [aTablePolicy({ relation: table, interval: 'hour', premake: 2, retention: { amount: 60, unit: 'days' } })],
    at: AT,
  });
  const [report] = await partkeeper.run('provision');
  expect(report).toMatchObject({ outcome: 'success', done: 1, findings: [] });
  const plan = await partkeeper.plan();
  expect(actionsOf(plan, 'create-partition')).toEqual([]);
  expect(actionsOf(plan, 'drop-partition')).toEqual([]);
});

test('where sessions are read-only by default, it is said for whom, and nothing is tried', async ({
  database,
  open,
  role,
}) => {
  const keeper = await role('login', 'keeper');
  await prepare(database);
  await database.query(
    `alter table events owner to ${keeper.sql}; alter role ${keeper.sql} set default_transaction_read_only = on`,
  );
  const partkeeper = open({ ...policies, views: [], url: keeper.url });
  const reports = await partkeeper.apply(['provision', 'analyze']);
  for (const report of reports) {
    expect(report).toMatchObject({ outcome: 'success', done: 0, failed: 0, skips: [{ reason: 'read-only' }] });
    expect(report.findings).toMatchObject([
      {
        code: 'READ_ONLY',
        severity: 'error',
        hint: expect.stringContaining(`default_transaction_read_only is on for ${keeper.name}: `),
      },
    ]);
  }
  expect(partkeeper.eventsOf('action-started')).toEqual([]);
});

test('a role that owns only some tables keeps those', async ({ database, open, role }) => {
  const keeper = await role('login', 'keeper');
  await prepare(database);
  await database.query(`
    grant usage, create on schema public to ${keeper.sql};
    alter table events owner to ${keeper.sql}; alter table events_2040_02 owner to ${keeper.sql}; alter materialized view mv owner to ${keeper.sql}`);
  const partkeeper = open({ ...policies, url: keeper.url });
  const reports = await partkeeper.apply(JOBS);
  for (const { run, outcome, done, failed, findings } of reports) {
    const isOurs = ['events', 'mv'].includes(run.target.name);
    expect({ run, outcome, failed, isDone: done > 0 }).toEqual({ run, outcome: 'success', failed: 0, isDone: isOurs });
    expect({ run, refused: findings.some(({ code }) => code === 'NOT_OWNER') }).toEqual({ run, refused: !isOurs });
  }
  expect(Object.keys(await partitionsOf(database, OTHER))).toEqual(['other_2040_02']);
});
