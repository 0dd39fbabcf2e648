/** Statistics: brought up to date where enough has changed, and then left alone. */
import { expect } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, relation } from '../support/facts.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { change, createTable, months } from '../support/tables.ts';

const EVENTS = relation('public.events');
const policy = aTablePolicy({ relation: EVENTS });

/** A thousand rows in each of January and February, and none in March. */
async function prepare(database: TestDatabase): Promise<void> {
  await createTable(database, 'public.events', { partitions: months('events', '2026-01', 3) });
  await change(
    database,
    `insert into events select n, '2026-01-05' from generate_series(1, 1000) n;
     insert into events select n, '2026-02-05' from generate_series(1, 1000) n`,
  );
}

/** The distinct values of `id` that the planner counts on, table by table; the parent's own are those of all rows together. */
const statistics = (database: TestDatabase) =>
  database.query<{ table: string; inherited: boolean; distinct: number }>(
    `select tablename as table, inherited, n_distinct::float8 as distinct from pg_stats
      where schemaname = 'public' and attname = 'id' order by tablename, inherited`,
  );

const analyzed = (database: TestDatabase) =>
  database.query<{ name: string; count: number }>(
    `select relname as name, analyze_count::int as count from pg_stat_user_tables where relname like 'events%' order by relname`,
  );

partkeeperTest('what was never analysed is, the parent with the statistics of all rows', async ({ database, open }) => {
  await prepare(database);
  const partkeeper = open({ tables: [policy] });
  const [report] = await partkeeper.run('analyze');
  expect(report).toMatchObject({ outcome: 'success', failed: 0 });
  expect(await statistics(database)).toMatchObject([
    { table: 'events', inherited: true },
    { table: 'events_2026_01', inherited: false, distinct: -1 },
    { table: 'events_2026_02', inherited: false, distinct: -1 },
  ]);
  expect((await analyzed(database)).map(({ count }) => count)).toEqual([1, 1, 1, 1]);
  expect((await partkeeper.plan(['analyze'])).actions).toEqual([]);
});

partkeeperTest('what hardly changed is left alone, and what changed by a tenth is not', async ({ database, open }) => {
  await prepare(database);
  const partkeeper = open({ tables: [policy] });
  await partkeeper.run('analyze');

  await change(database, `insert into events select n, '2026-01-06' from generate_series(1, 99) n`);
  const hardly = await partkeeper.plan(['analyze']);
  expect(hardly.actions).toEqual([]);
  expect(new Set(hardly.skips.map(({ reason }) => reason))).toEqual(new Set(['hardly-changed']));

  await change(database, `insert into events select n, '2026-01-06' from generate_series(1, 200) n`);
  await partkeeper.run('analyze');
  const [parent, january, february] = await analyzed(database);
  expect(january?.count).toBe(2);
  // All in all 299 of 2,299 rows: more than a tenth, so the parent's turn has come too.
  expect(parent?.count).toBe(2);
  expect(february?.name).toBe('events_2026_02');
  expect((await partkeeper.plan(['analyze'])).actions).toEqual([]);
});

partkeeperTest('each table is read once, whatever the version', async ({ database, open }) => {
  await prepare(database);
  const partkeeper = open({ tables: [policy] });
  const { versionNumber } = (await partkeeper.facts()).server;
  await partkeeper.run('analyze');
  const statements = partkeeper.eventsOf('action-finished').flatMap(({ result }) => result.statements);
  // Before 18 the parent cannot be analysed without its partitions, so they have no turn of their own.
  expect(statements).toEqual(
    versionNumber < 180_000
      ? ['analyze "public"."events"']
      : [
          'analyze only "public"."events"',
          'analyze "public"."events_2026_01"',
          'analyze "public"."events_2026_02"',
          'analyze "public"."events_2026_03"',
        ],
  );
  expect((await analyzed(database)).map(({ count }) => count)).toEqual([1, 1, 1, 1]);
});

partkeeperTest(
  'from PostgreSQL 18 on the parent is analysed without reading its partitions again',
  async ({ database, open, skip }) => {
    const [{ version } = { version: 0 }] = await database.query<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    );
    skip(version < 180000, 'there is no ANALYZE ONLY before 18');
    await prepare(database);
    await database.query('analyze events_2026_01, events_2026_02, events_2026_03');
    const partkeeper = open({ tables: [policy] });
    await partkeeper.run('analyze');
    expect(partkeeper.eventsOf('action-finished').flatMap(({ result }) => result.statements)).toEqual([
      'analyze only "public"."events"',
    ]);
    expect((await analyzed(database)).map(({ count }) => count)).toEqual([1, 1, 1, 1]);
  },
);

partkeeperTest('statistics that a policy does not ask for are left to autovacuum', async ({ database, open }) => {
  await prepare(database);
  const partkeeper = open({ tables: [{ ...policy, analyze: undefined }] });
  expect(await partkeeper.run('analyze')).toMatchObject([{ done: 0, skips: [{ reason: 'not-configured' }] }]);
  expect((await analyzed(database)).map(({ count }) => count)).toEqual([0, 0, 0, 0]);
});

partkeeperTest('foreign partitions are not analysed on their own', async ({ database, open }) => {
  await prepare(database);
  await database.query(`
    create foreign data wrapper dummy; create server elsewhere foreign data wrapper dummy;
    create foreign table far partition of events for values from ('2025-01-01+00') to ('2025-02-01+00') server elsewhere`);
  await database.query('analyze events_2026_01, events_2026_02, events_2026_03');
  const { actions } = await open({ tables: [policy] }).plan(['analyze']);
  expect(actions.map(({ relation: { name } }) => name)).toEqual(['events']);
});

roleTest(
  'F41: a member analyses as the owner, because ANALYZE without the right only warns',
  async ({ database, open, role }) => {
    const [owner, keeper] = [await role('nologin', 'owner'), await role('login noinherit', 'keeper')];
    await prepare(database);
    await database.query(`
    grant ${owner.sql} to ${keeper.sql};
    alter table events owner to ${owner.sql}; alter table events_2026_01 owner to ${owner.sql};
    alter table events_2026_02 owner to ${owner.sql}; alter table events_2026_03 owner to ${owner.sql}`);
    const partkeeper = open({ tables: [policy], url: keeper.url, pool: 1 });
    expect(await partkeeper.run('analyze')).toMatchObject([{ outcome: 'success', failed: 0 }]);
    expect((await analyzed(database)).map(({ count }) => count)).toEqual([1, 1, 1, 1]);
    const who = await partkeeper.database.use(session =>
      session.query('select current_user::text as user', [], 'see who we are'),
    );
    expect(who).toEqual([{ user: keeper.name }]);
    expect((await partkeeper.plan(['analyze'])).actions).toEqual([]);
  },
);

roleTest('a member is itself again when it failed as the owner', async ({ database, open, role }) => {
  const [owner, keeper] = [await role('nologin', 'owner'), await role('login noinherit', 'keeper')];
  await prepare(database);
  await database.query(`grant ${owner.sql} to ${keeper.sql}; alter table events owner to ${owner.sql}`);
  const holder = await database.connect();
  await holder.query('begin; lock table only events in share update exclusive mode');
  const budget = { lockTimeoutMs: 50, lockAttempts: 1 };
  const partkeeper = open({ tables: [policy], url: keeper.url, pool: 1, budget });
  await partkeeper.run('analyze');
  expect(partkeeper.eventsOf('action-failed')[0]).toMatchObject({
    action: { actAs: { how: 'set-role' } },
    error: { code: 'LOCK_UNAVAILABLE' },
  });
  const who = await partkeeper.database.use(session =>
    session.query('select current_user::text as user', [], 'see who we are'),
  );
  expect(who).toEqual([{ user: keeper.name }]);
  await holder.query('rollback');
});

roleTest('a stranger analyses nothing and is told', async ({ database, open, role }) => {
  const stranger = await role('login', 'stranger');
  await prepare(database);
  const partkeeper = open({ tables: [policy], url: stranger.url });
  expect(await partkeeper.run('analyze')).toMatchObject([{ done: 0, findings: [{ code: 'NOT_OWNER' }] }]);
  expect((await analyzed(database)).map(({ count }) => count)).toEqual([0, 0, 0, 0]);
});

roleTest('a partition that belongs to somebody else is not said to be analysed', async ({ database, open, role }) => {
  const [owner, keeper] = [await role('nologin', 'owner'), await role('login noinherit', 'keeper')];
  await prepare(database);
  await database.query(`
    grant ${owner.sql} to ${keeper.sql};
    alter table events owner to ${owner.sql}; alter table events_2026_02 owner to ${owner.sql};
    alter table events_2026_03 owner to ${owner.sql}`);
  const partkeeper = open({ tables: [policy], url: keeper.url });
  expect(await partkeeper.run('analyze')).toMatchObject([{ failed: 1, error: { code: 'PERMISSION_DENIED' } }]);
  expect(partkeeper.eventsOf('action-failed')[0]?.error.message).toContain('passed over public.events_2026_01');
  expect((await analyzed(database)).map(({ count }) => count)).toEqual([1, 0, 1, 1]);
});
