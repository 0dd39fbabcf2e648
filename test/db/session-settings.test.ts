/** Sessions mean the same whatever the database, the role or an administrator has set; and what may not write does not. */
import { expect } from 'vitest';
import type { Session } from '../../src/postgres/session.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, aViewPolicy, relation } from '../support/facts.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { createTable, months, partitionsOf } from '../support/tables.ts';

const EVENTS = relation('public.events');
const policies = {
  tables: [aTablePolicy({ relation: EVENTS })],
  views: [aViewPolicy({ relation: relation('public.mv') })],
  at: at('2026-05-15'),
};

/** January to June, and a view: on the 15th of May there is something to do for every job. */
async function prepare(database: TestDatabase): Promise<void> {
  await createTable(database, 'public.events', { partitions: months('events', '2026-01', 6) });
  await database.query('create materialized view mv as select 1 as id with no data; create unique index on mv (id)');
}

/** All that changes what a statement means, prints, sees or may take, each turned to something else. */
const STRANGE = {
  TimeZone: "'Asia/Kathmandu'",
  DateStyle: "'SQL, DMY'",
  IntervalStyle: "'sql_standard'",
  extra_float_digits: '-5',
  standard_conforming_strings: 'off',
  client_encoding: "'LATIN1'",
  search_path: 'evil, pg_catalog, public',
  lock_timeout: "'7s'",
  statement_timeout: "'8s'",
  idle_in_transaction_session_timeout: "'9s'",
  default_transaction_isolation: "'serializable'",
};
/** What partkeeper wants instead; the timeouts are the test's own budget. */
const PINNED: Readonly<Record<keyof typeof STRANGE, string>> = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  client_encoding: 'UTF8',
  search_path: 'pg_catalog, pg_temp',
  lock_timeout: '200ms',
  statement_timeout: '20s',
  idle_in_transaction_session_timeout: '10s',
  default_transaction_isolation: 'read committed',
};

const set = (who: string, settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `alter ${who} set ${name} = ${value};`)
    .join('\n');

async function settingsOf(session: Session): Promise<Readonly<Record<string, string>>> {
  const rows = await session.query<{ name: string; value: string }>(
    'select name, current_setting(name) as value from unnest($1::text[]) as name',
    [Object.keys(PINNED)],
    'read the settings',
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

roleTest.for(['database', 'role', 'role in the database'] as const)(
  'what is set for the %s counts for other sessions, not for ours',
  async (level, { database, open, role }) => {
    const keeper = await role('login', 'keeper');
    await prepare(database);
    const whom = {
      database: `database "${database.name}"`,
      role: `role ${keeper.sql}`,
      'role in the database': `role ${keeper.sql} in database "${database.name}"`,
    }[level];
    await database.query(set(whom, STRANGE));
    const other = await database.connect({ connectionString: keeper.url });
    for (const [name, value] of Object.entries(STRANGE)) {
      const { rows } = await other.query(`select current_setting('${name}') as value`);
      // The driver asks for its encoding itself.
      if (name !== 'client_encoding') expect(rows).toEqual([{ value: value.replaceAll("'", '') }]);
    }

    const partkeeper = open({ url: keeper.url, pool: 1 });
    await partkeeper.database.use(async session => {
      expect(await settingsOf(session)).toEqual(PINNED);
      await session.transaction({ lockTimeoutMs: 50, statementTimeoutMs: 3_000 }, async () => {
        expect(await settingsOf(session)).toEqual({ ...PINNED, lock_timeout: '50ms', statement_timeout: '3s' });
      });
    });
    // The next one has the same connection.
    expect(await partkeeper.database.use(session => settingsOf(session))).toEqual(PINNED);
  },
);

partkeeperTest('a limit to transactions that the database sets does not cut ours', async ({ database, open, skip }) => {
  const facts = await open(policies).facts();
  skip(facts.server.versionNumber < 170000, 'there is no transaction_timeout before 17');
  await database.query(`alter database "${database.name}" set transaction_timeout = '1min'`);
  const shown = await open().database.use(session =>
    session.query(`select current_setting('transaction_timeout') as value`, [], 'read the setting'),
  );
  expect(shown).toEqual([{ value: '0' }]);
});

partkeeperTest('plans and deeds are the same under strange settings', async ({ database, open }) => {
  await prepare(database);
  const usual = await open(policies).plan();
  expect(new Set(usual.actions.map(({ kind }) => kind))).toEqual(
    new Set(['create-partition', 'drop-partition', 'refresh-view', 'analyze-table']),
  );
  await database.query(`
    create schema evil;
    create view evil.pg_class as select * from pg_catalog.pg_class where false;
    create function evil.pg_get_expr(pg_node_tree, oid) returns text language sql as $$ select 'DEFAULT' $$;
    create function evil.clock_timestamp() returns timestamptz language sql as $$ select timestamptz '1999-01-01+00' $$;
    create function evil.hashtextextended(text, bigint) returns bigint language sql as $$ select 1 / 0::bigint $$;
    ${set(`database "${database.name}"`, STRANGE)}`);
  const other = await database.connect();
  expect((await other.query('select from pg_class')).rows).toEqual([]);

  const partkeeper = open(policies);
  expect(await partkeeper.plan()).toEqual(usual);
  const reports = await partkeeper.apply();
  expect(reports.map(({ outcome }) => outcome)).toEqual(['success', 'success', 'success', 'success']);
  expect(await partitionsOf(database, EVENTS)).toEqual({
    events_2026_02: "FOR VALUES FROM ('2026-02-01 00:00:00+00') TO ('2026-03-01 00:00:00+00')",
    events_2026_03: "FOR VALUES FROM ('2026-03-01 00:00:00+00') TO ('2026-04-01 00:00:00+00')",
    events_2026_04: "FOR VALUES FROM ('2026-04-01 00:00:00+00') TO ('2026-05-01 00:00:00+00')",
    events_2026_05: "FOR VALUES FROM ('2026-05-01 00:00:00+00') TO ('2026-06-01 00:00:00+00')",
    events_2026_06: "FOR VALUES FROM ('2026-06-01 00:00:00+00') TO ('2026-07-01 00:00:00+00')",
    events_2026_07: "FOR VALUES FROM ('2026-07-01 00:00:00+00') TO ('2026-08-01 00:00:00+00')",
  });
});

const makeReadOnly = (database: TestDatabase) =>
  database.query(`alter database "${database.name}" set default_transaction_read_only = on`);

partkeeperTest('nothing is tried in a database that is read-only, and a person is told', async ({ database, open }) => {
  await prepare(database);
  const before = await partitionsOf(database, EVENTS);
  await makeReadOnly(database);
  const partkeeper = open(policies);
  const reports = await partkeeper.apply();
  expect(reports.map(({ run }) => run.job)).toEqual(['provision', 'retire', 'refresh', 'analyze']);
  for (const report of reports) {
    expect(report).toMatchObject({ outcome: 'success', done: 0, failed: 0, skips: [{ reason: 'read-only' }] });
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        code: 'READ_ONLY',
        severity: 'error',
        hint: expect.stringContaining('default_transaction_read_only is on for '),
      }),
    );
  }
  expect(partkeeper.eventsOf('action-started')).toEqual([]);
  expect(await partitionsOf(database, EVENTS)).toEqual(before);
  expect(await database.query('select ispopulated from pg_matviews')).toEqual([{ ispopulated: false }]);
});

partkeeperTest('what was planned before the database became read-only is refused by it', async ({ database, open }) => {
  await prepare(database);
  const { actions } = await open(policies).plan(['provision', 'retire', 'refresh']);
  await makeReadOnly(database);
  const partkeeper = open(policies);
  for (const action of actions)
    await expect(partkeeper.act(action)).rejects.toMatchObject({
      code: 'READ_ONLY',
      sqlstate: '25006',
      hint: expect.stringContaining('default_transaction_read_only'),
    });
  expect(actions.map(({ kind }) => kind)).toEqual(['create-partition', 'drop-partition', 'refresh-view']);
  expect(await partitionsOf(database, EVENTS)).toHaveProperty('events_2026_01');
});
