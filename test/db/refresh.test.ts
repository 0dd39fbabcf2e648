/** Refreshing views: which way, in which order, and what is remembered of it. */
import { describe, expect } from 'vitest';
import type { ViewPolicy } from '../../src/domain/policy.ts';
import type { Instant } from '../../src/domain/time.ts';
import type { TestDatabase } from '../support/database.ts';
import { aViewPolicy, relation } from '../support/facts.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { change } from '../support/tables.ts';

const test = partkeeperTest.extend('template', 'bookkeeping');

const policyOf = (name: string, over: Partial<ViewPolicy> = {}) =>
  aViewPolicy({ relation: relation(`public.${name}`), ...over });

/** Always due: the last tick of the schedule was just now. */
const due = { dueSince: (_job: unknown, _target: unknown, now: Instant) => now };

/** A base of three rows, and a view of it that can be refreshed concurrently. */
const prepare = (database: TestDatabase) =>
  change(
    database,
    `create table base (id int); insert into base select generate_series(1, 3);
     create materialized view mv as select id from base; create unique index on mv (id)`,
  );

const ids = async (database: Pick<TestDatabase, 'query'>, view = 'mv') =>
  (await database.query<{ id: number }>(`select id from ${view} order by id`)).map(({ id }) => id);

const remembered = (database: TestDatabase) =>
  database.query<{
    relation: string;
    is_concurrent: boolean;
    fingerprint: string | null;
    duration_ms: number;
    refreshed_at: Date;
  }>(
    'select relation, is_concurrent, fingerprint, duration_ms, refreshed_at from partkeeper.view_refreshes order by relation',
  );

describe('the way', () => {
  test('is concurrent where a unique index allows it', async ({ database, open }) => {
    await prepare(database);
    await change(database, 'insert into base values (4)');
    const partkeeper = open({ views: [policyOf('mv')] });
    expect(await partkeeper.run('refresh')).toMatchObject([{ outcome: 'success', done: 1, findings: [] }]);
    expect(partkeeper.eventsOf('action-finished')).toMatchObject([
      {
        action: { because: { rule: 'never-refreshed' } },
        result: { statements: ['refresh materialized view concurrently "public"."mv"'] },
      },
    ]);
    expect(await ids(database)).toEqual([1, 2, 3, 4]);
    expect(await remembered(database)).toMatchObject([{ relation: 'public.mv', is_concurrent: true }]);
  });

  test('is plain for the first time, when nobody can read the view anyway', async ({ database, open }) => {
    await database.query('create materialized view mv as select 1 as id with no data');
    const partkeeper = open({ views: [policyOf('mv')] });
    expect(await partkeeper.run('refresh')).toMatchObject([{ outcome: 'success', done: 1 }]);
    expect(partkeeper.eventsOf('action-finished')).toMatchObject([
      {
        action: { because: { rule: 'never-populated' } },
        result: { statements: ['refresh materialized view "public"."mv"'] },
      },
    ]);
    expect(await ids(database)).toEqual([1]);
    expect(await remembered(database)).toMatchObject([{ relation: 'public.mv', is_concurrent: false }]);
  });

  test('is plain, which stops readers, only where the policy says so', async ({ database, open }) => {
    await database.query(
      'create table base (id int); create materialized view mv as select id from base; insert into base values (1)',
    );
    const partkeeper = open({ views: [policyOf('mv', { blocking: true })] });
    expect(await partkeeper.run('refresh')).toMatchObject([{ outcome: 'success', done: 1 }]);
    expect(await ids(database)).toEqual([1]);
    expect(await remembered(database)).toMatchObject([{ is_concurrent: false }]);
  });

  test.for([
    ['a view without a unique index', 'select 1 as id', 'VIEW_NOT_CONCURRENT', 'not-concurrent', {}],
    ['an empty view', 'select 1 as id with no data', 'VIEW_NOT_POPULATED', 'not-populated', { populate: false }],
  ] as const)(
    'F48, F49: is none for %s that may not be read meanwhile, and a person is told',
    async ([, query, code, reason, over], { database, open }) => {
      await database.query(`create materialized view mv as ${query}`);
      const partkeeper = open({ views: [policyOf('mv', over)] });
      expect(await partkeeper.run('refresh', { isAskedFor: true })).toMatchObject([
        { outcome: 'success', done: 0, skips: [{ reason }], findings: [{ code, severity: 'error' }] },
      ]);
      expect(partkeeper.eventsOf('action-started')).toEqual([]);
      expect(await remembered(database)).toEqual([]);
    },
  );
});

describe('what is refreshed', () => {
  test('is what is due and has changed', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ views: [policyOf('mv')], ...due });
    await partkeeper.run('refresh');
    expect(await partkeeper.run('refresh')).toMatchObject([{ done: 0, skips: [{ reason: 'unchanged' }] }]);
    await change(database, 'insert into base values (4)');
    expect(await partkeeper.run('refresh')).toMatchObject([{ done: 1 }]);
    expect(partkeeper.eventsOf('action-started').at(-1)?.action.because).toMatchObject({ rule: 'bases-changed' });
    expect(await ids(database)).toEqual([1, 2, 3, 4]);
    expect((await partkeeper.plan(['refresh'])).actions).toEqual([]);
  });

  test('is everything that is due where the policy skips nothing', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ views: [policyOf('mv', { skipUnchanged: false })], ...due });
    expect(await partkeeper.run('refresh')).toMatchObject([{ done: 1 }]);
    expect(await partkeeper.run('refresh')).toMatchObject([{ done: 1 }]);
  });

  test('is a view that the clock changes, each time it is due', async ({ database, open }) => {
    await database.query('create materialized view mv as select 1 as id, now() as at; create unique index on mv (id)');
    const partkeeper = open({ views: [policyOf('mv')], ...due });
    await partkeeper.run('refresh');
    expect(await partkeeper.run('refresh')).toMatchObject([{ done: 1 }]);
    expect(partkeeper.eventsOf('action-started').at(-1)?.action.because).toMatchObject({ rule: 'window-moved' });
  });

  test('is nothing between two ticks of the schedule, unless it is asked for', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ views: [policyOf('mv')], dueSince: (_job, _target, now) => now.subtract({ hours: 1 }) });
    await partkeeper.run('refresh');
    await change(database, 'insert into base values (4)');
    expect(await partkeeper.run('refresh')).toMatchObject([{ done: 0, skips: [{ reason: 'fresh' }] }]);
    expect(await partkeeper.run('refresh', { isAskedFor: true })).toMatchObject([{ done: 1 }]);
    expect(await ids(database)).toEqual([1, 2, 3, 4]);
  });

  test('is a view that was made anew under the old name', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ views: [policyOf('mv')], ...due });
    await partkeeper.run('refresh');
    await database.query(
      'drop materialized view mv; create materialized view mv as select id from base; create unique index on mv (id)',
    );
    const [action] = (await partkeeper.plan(['refresh'])).actions;
    expect(action?.because).toEqual({ rule: 'never-refreshed' });
  });

  test('is a view that a writer changed who was not done during its last refresh', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ views: [policyOf('mv')], ...due });
    const writer = await database.connect();
    await writer.query('begin; insert into base values (4)');
    await partkeeper.run('refresh');
    expect(await ids(database)).toEqual([1, 2, 3]);
    await writer.query('commit; select pg_stat_force_next_flush()');
    await writer.query('select 1');
    expect(await partkeeper.run('refresh')).toMatchObject([{ done: 1 }]);
    expect(await ids(database)).toEqual([1, 2, 3, 4]);
  });
});

describe('the order', () => {
  test('is that in which views read each other, whatever the configuration says', async ({ database, open }) => {
    await database.query(`
      create table base (id int);
      create materialized view bottom as select id from base; create unique index on bottom (id);
      create view between as select * from bottom;
      create materialized view middle as select * from between; create unique index on middle (id);
      create materialized view top as select m.id from middle m join bottom using (id); create unique index on top (id);
      insert into base values (1)`);
    const partkeeper = open({ views: ['top', 'middle', 'bottom'].map(name => policyOf(name)), ...due });
    const reports = await partkeeper.run('refresh');
    expect(reports.map(({ run }) => run.target.name)).toEqual(['bottom', 'middle', 'top']);
    // One round is enough for a row to come through all of them.
    expect(await ids(database, 'top')).toEqual([1]);
  });
});

describe('what is remembered', () => {
  test('is when it began, how it was done and what the bases looked like before', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ views: [policyOf('mv')] });
    const [view] = (await partkeeper.facts()).views;
    const [{ before } = { before: new Date() }] = await database.query<{ before: Date }>('select now() as before');
    await partkeeper.run('refresh');
    const [row] = await remembered(database);
    expect(row).toMatchObject({ relation: 'public.mv', is_concurrent: true, fingerprint: view?.fingerprint });
    expect(row?.duration_ms).toBeGreaterThan(0);
    expect(row?.refreshed_at.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect((await partkeeper.facts()).views[0]?.lastRefresh?.fingerprint).toBe(view?.fingerprint);
  });

  test('is the last time only', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ views: [policyOf('mv')] });
    await partkeeper.run('refresh');
    const [first] = await remembered(database);
    await partkeeper.run('refresh', { isAskedFor: true });
    const rows = await remembered(database);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.refreshed_at.getTime()).toBeGreaterThan(first?.refreshed_at.getTime() ?? Number.POSITIVE_INFINITY);
  });
});
