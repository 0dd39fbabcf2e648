/** Refreshing while others read, lock, change or break things; and as somebody else. */
import { describe, expect } from 'vitest';
import { heldLocks, waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { aViewPolicy, relation } from '../support/facts.ts';
import { actionsOf, partkeeperTest } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { change } from '../support/tables.ts';

const views = (...names: readonly string[]) => names.map(name => aViewPolicy({ relation: relation(`public.${name}`) }));
const patient = { lockTimeoutMs: 10_000 };

const prepare = (database: TestDatabase) =>
  change(
    database,
    `create table base (id int); insert into base values (1);
     create materialized view mv as select id from base; create unique index on mv (id);
     insert into base values (2)`,
  );

const ids = async (client: Pick<TestDatabase, 'query'>, view = 'mv') =>
  (await client.query<{ id: number }>(`select id from ${view} order by id`)).map(({ id }) => id);

describe('with bookkeeping', () => {
  partkeeperTest.override('template', 'bookkeeping');

  partkeeperTest('readers go on while a refresh is under way, and see the old rows', async ({ database, open }) => {
    await prepare(database);
    const [holder, reader] = await Promise.all([database.connect(), database.connect()]);
    // Keeps the refresh in the middle of its work: it has locked the view and waits to read the base.
    await holder.query('begin; lock table base in access exclusive mode');
    const running = open({ views: views('mv'), budget: patient }).run('refresh');
    await waitUntil(async () => (await heldLocks(holder, 'mv')).some(({ mode }) => mode === 'ExclusiveLock'), {
      what: 'the refresh to have locked the view',
    });
    await reader.query(`set lock_timeout = '1ms'`);
    expect((await reader.query('select id from mv')).rows).toEqual([{ id: 1 }]);
    await holder.query('rollback');
    expect(await running).toMatchObject([{ outcome: 'success', done: 1 }]);
    expect((await reader.query('select id from mv order by id')).rows).toEqual([{ id: 1 }, { id: 2 }]);
  });

  partkeeperTest(
    'does not wait for a reader who stays, and who keeps seeing what was there',
    async ({ database, open }) => {
      await prepare(database);
      const reader = await database.connect();
      await reader.query('begin isolation level repeatable read; select * from mv');
      const partkeeper = open({ views: views('mv'), budget: { lockTimeoutMs: 100, lockAttempts: 1 } });
      expect(await partkeeper.run('refresh')).toMatchObject([{ outcome: 'success', done: 1 }]);
      expect((await reader.query('select id from mv')).rows).toEqual([{ id: 1 }]);
      await reader.query('rollback');
      expect(await ids(database)).toEqual([1, 2]);
    },
  );

  partkeeperTest(
    'gives up on a view that somebody else refreshes, and tries it as often as a lock',
    async ({ database, open }) => {
      await prepare(database);
      const holder = await database.connect();
      await holder.query('begin; refresh materialized view concurrently mv');
      const partkeeper = open({ views: views('mv'), budget: { lockTimeoutMs: 50, lockAttempts: 3 } });
      expect(await partkeeper.run('refresh')).toMatchObject([
        { outcome: 'failure', error: { code: 'LOCK_UNAVAILABLE' } },
      ]);
      expect(partkeeper.eventsOf('action-failed')).toMatchObject([{ attempts: 3 }]);
      await holder.query('rollback');
    },
  );

  partkeeperTest(
    'F49: a view with duplicate rows fails alone, keeps its rows and is not remembered',
    async ({ database, open }) => {
      await prepare(database);
      await database.query(`
        create table doubled (id int); insert into doubled values (1);
        create materialized view twice as select id from doubled; create unique index on twice (id);
        insert into doubled values (1)`);
      const partkeeper = open({ views: views('twice', 'mv') });
      const reports = await partkeeper.run('refresh');
      expect(reports).toMatchObject([
        {
          run: { target: { name: 'twice' } },
          outcome: 'failure',
          error: { code: 'VIEW_NOT_CONCURRENT', sqlstate: '21000' },
        },
        { run: { target: { name: 'mv' } }, outcome: 'success', done: 1 },
      ]);
      expect(await ids(database, 'twice')).toEqual([1]);
      expect(await database.query('select relation from partkeeper.view_refreshes')).toEqual([
        { relation: 'public.mv' },
      ]);
    },
  );

  partkeeperTest('a view whose query fails does not keep the others from their turn', async ({ database, open }) => {
    await prepare(database);
    await database.query(`
      create materialized view broken as select 1 / count(*) as id from base where id > 2 with no data;
      create materialized view too_many as select (select id from base) as id with no data;
      create materialized view after_it as select id from base with no data`);
    const partkeeper = open({ views: views('broken', 'too_many', 'after_it') });
    expect(await partkeeper.run('refresh')).toMatchObject([
      { outcome: 'failure', error: { code: 'UNEXPECTED', sqlstate: '22012' } },
      // The same SQLSTATE as for duplicates, but the view is not to blame for being no view of unique rows.
      { outcome: 'failure', error: { code: 'UNEXPECTED', sqlstate: '21000' } },
      { outcome: 'success', done: 1 },
    ]);
    expect(await ids(database, 'after_it')).toEqual([1, 2]);
  });

  partkeeperTest('what is remembered was written by the transaction that refreshed', async ({ database, open }) => {
    await prepare(database);
    const partkeeper = open({ views: views('mv') });
    expect(await partkeeper.run('refresh')).toMatchObject([{ outcome: 'success', done: 1 }]);
    const [row] = await database.query<{ refreshed: string; remembered: string }>(
      'select mv.xmin as refreshed, v.xmin as remembered from mv, partkeeper.view_refreshes v where mv.id = 2',
    );
    expect(row?.refreshed).toMatch(/^\d+$/);
    expect(row?.remembered).toBe(row?.refreshed);
  });

  partkeeperTest('a refresh that cannot be remembered has not happened', async ({ database, open }) => {
    await prepare(database);
    await database.query('alter table partkeeper.view_refreshes add constraint nothing_fits check (false)');
    const partkeeper = open({ views: views('mv') });
    expect(await partkeeper.run('refresh')).toMatchObject([{ outcome: 'failure', done: 0 }]);
    expect(partkeeper.eventsOf('action-failed')[0]?.error.message).toMatch(
      /^could not remember the refresh of public\.mv: .*nothing_fits/,
    );
    expect(await ids(database)).toEqual([1]);
    await database.query('alter table partkeeper.view_refreshes drop constraint nothing_fits');
    expect(await partkeeper.run('refresh')).toMatchObject([{ outcome: 'success', done: 1 }]);
    expect(await ids(database)).toEqual([1, 2]);
    expect((await partkeeper.plan(['refresh'])).actions).toEqual([]);
  });

  partkeeperTest.for([
    ['dropped', 'drop materialized view mv'],
    ['renamed', 'alter materialized view mv rename to other'],
    ['replaced by a table', 'drop materialized view mv; create table mv (id int)'],
    ['made anew', 'drop materialized view mv; create materialized view mv as select 7 as id'],
  ] as const)('a view that was meanwhile %s is left alone', async ([, meanwhile], { database, open }) => {
    await prepare(database);
    const partkeeper = open({ views: views('mv') });
    const [action] = actionsOf(await partkeeper.plan(['refresh']), 'refresh-view');
    if (!action) throw new Error('the view is to be refreshed');
    await database.query(meanwhile);
    await expect(partkeeper.act(action)).rejects.toMatchObject({ code: 'STALE_PLAN' });
    expect(await database.query('select from partkeeper.view_refreshes')).toEqual([]);
  });

  partkeeperTest(
    'a view that lost its index meanwhile is not refreshed in the blocking way instead',
    async ({ database, open }) => {
      await prepare(database);
      const partkeeper = open({ views: views('mv') });
      const [action] = actionsOf(await partkeeper.plan(['refresh']), 'refresh-view');
      if (!action) throw new Error('the view is to be refreshed');
      await database.query('drop index mv_id_idx');
      await expect(partkeeper.act(action)).rejects.toMatchObject({ code: 'VIEW_NOT_CONCURRENT', sqlstate: '55000' });
      expect(await ids(database)).toEqual([1]);
    },
  );

  roleTest.override('template', 'bookkeeping');

  roleTest('a member refreshes as the owner, and remembers as itself', async ({ database, open, role }) => {
    const [owner, keeper] = [await role('nologin', 'owner'), await role('login noinherit', 'keeper')];
    await prepare(database);
    await database.query(`
      grant ${owner.sql} to ${keeper.sql};
      grant create on schema public to ${owner.sql};
      alter table base owner to ${owner.sql}; alter materialized view mv owner to ${owner.sql};
      grant usage on schema partkeeper to ${keeper.sql};
      grant select, insert, update on partkeeper.view_refreshes to ${keeper.sql}`);
    const partkeeper = open({ views: views('mv'), url: keeper.url, pool: 1 });
    expect(await partkeeper.run('refresh')).toMatchObject([{ outcome: 'success', done: 1, findings: [] }]);
    expect(partkeeper.eventsOf('action-started').map(({ action }) => action.actAs)).toEqual([
      { owner: owner.name, how: 'set-role' },
    ]);
    expect(await ids(database)).toEqual([1, 2]);
    expect(await database.query('select relation from partkeeper.view_refreshes')).toEqual([{ relation: 'public.mv' }]);
    const who = await partkeeper.database.use(session =>
      session.query('select current_user::text as user', [], 'see who we are'),
    );
    expect(who).toEqual([{ user: keeper.name }]);
  });

  roleTest('a stranger refreshes nothing and is told', async ({ database, open, role }) => {
    const stranger = await role('login', 'stranger');
    await prepare(database);
    const partkeeper = open({ views: views('mv'), url: stranger.url });
    const [report] = await partkeeper.run('refresh', { isAskedFor: true });
    expect(report).toMatchObject({ done: 0, skips: [{ reason: 'not-owner' }] });
    expect(report?.findings.map(({ code }) => code)).toContain('NOT_OWNER');
    expect(await ids(database)).toEqual([1]);
  });
});

describe('without bookkeeping', () => {
  partkeeperTest(
    'views are refreshed whenever they are looked at, and a person is told',
    async ({ database, open }) => {
      await prepare(database);
      const partkeeper = open({ views: views('mv') });
      const told = { outcome: 'success', done: 1, findings: [{ code: 'BOOKKEEPING_MISSING', severity: 'info' }] };
      expect(await partkeeper.run('refresh')).toMatchObject([told]);
      expect(await partkeeper.run('refresh')).toMatchObject([told]);
      expect(await ids(database)).toEqual([1, 2]);
    },
  );
});
