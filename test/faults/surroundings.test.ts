/** What surrounds partkeeper: roles and their limits, passwords, resources, what others have left in the schema. */
import { describe, expect } from 'vitest';
import { aTablePolicy, at, aViewPolicy, relation } from '../support/facts.ts';
import { openNetwork } from '../support/network.ts';
import { actionsOf, type TestPartkeeper } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';
import { EVENTS, sceneTest, TABLES } from '../support/scene.ts';
import { createTable, months, partitionsOf } from '../support/tables.ts';

const test = roleTest.extend('template', 'bookkeeping');
const JUNE = { tables: [aTablePolicy({ relation: EVENTS, premake: 1, analyze: undefined })], at: at('2026-06-15') };

describe('F13: a role that may have', () => {
  test.for([
    [2, 'success', undefined],
    [1, 'failure', 'CONNECTION_FAILED'],
  ] as const)('F13: %i connections: %s', async ([limit, outcome, code], { database, open, role }) => {
    await createTable(database, 'public.events', { partitions: months('events', '2026-06', 1) });
    const keeper = await role(`login superuser connection limit ${limit}`, 'keeper');
    // Superusers have no limit of connections.
    await database.query(`alter role ${keeper.sql} nosuperuser; alter table events owner to ${keeper.sql};
      grant usage, create on schema public to ${keeper.sql}; grant usage on schema partkeeper to ${keeper.sql};
      grant all on all tables in schema partkeeper to ${keeper.sql}`);
    const partkeeper = open({ ...JUNE, url: keeper.url, pool: 1 });
    const [report] = await partkeeper.run('provision');
    expect(report?.outcome, report?.error?.message).toBe(outcome);
    expect(report?.error?.code).toBe(code);
    // One try, and nothing is held on to that was not needed.
    if (code !== undefined) expect(partkeeper.eventsOf('action-retried')).toEqual([]);
    await partkeeper.close();
    expect(await open(JUNE).run('provision')).toMatchObject([{ outcome: 'success' }]);
  });
});

sceneTest(
  'F17: a statement that the server has no room for fails alone, and is not tried in a loop',
  async ({ scene }) => {
    const { database } = scene;
    await database.query(`
    create materialized view greedy as select i, repeat('x', 100) as filler from generate_series(1, 20000) i order by random() with no data;
    create unique index on greedy (i);
    create role pk_full_disk superuser login;
    alter role pk_full_disk set temp_file_limit = '64kB'; alter role pk_full_disk set work_mem = '64kB'`);
    try {
      const url = new URL(database.url);
      url.username = 'pk_full_disk';
      await database.query(`alter role pk_full_disk password '${url.password}'`);
      const views = ['greedy', 'by_kind'].map(name => aViewPolicy({ relation: relation(`public.${name}`) }));
      const partkeeper = scene.open({ url: url.href, views });
      const reports = await partkeeper.run('refresh');
      expect(reports.find(({ run }) => run.target.name === 'greedy')).toMatchObject({
        outcome: 'failure',
        error: { code: 'RESOURCES_EXHAUSTED', sqlstate: '53400' },
      });
      expect(reports.find(({ run }) => run.target.name === 'by_kind')).toMatchObject({ outcome: 'success' });
      expect(partkeeper.eventsOf('action-retried')).toEqual([]);
      await partkeeper.close();
    } finally {
      await database.query('drop materialized view greedy');
      await database.query('drop role pk_full_disk');
    }
    await scene.settle();
  },
);

sceneTest('F19: a server that is another version after a reconnect is asked anew what it can do', async ({ scene }) => {
  const network = await openNetwork(scene.database.url);
  const partkeeper = scene.open({ url: network.through(scene.database.url) });
  const [{ version } = { version: '' }] = await scene.database.query<{ version: string }>(
    "select current_setting('server_version_num') as version",
  );
  const isOnly = async (of: TestPartkeeper) =>
    actionsOf(await of.plan(['analyze']), 'analyze-table').some(({ only }) => only);
  const now = Number(version) >= 180_000;
  expect(await isOnly(partkeeper)).toBe(now);
  // The other version, as a server of that version would give it.
  const other = now ? '170010' : '180004';
  network.rewrite = packet => Buffer.from(packet.toString('latin1').replaceAll(version, other), 'latin1');
  network.resetAll();
  await partkeeper.plan(['analyze']).catch(() => undefined);
  expect(await isOnly(partkeeper)).toBe(!now);
  await partkeeper.close();
  await network.close();
  await scene.settle();
});

sceneTest(
  'F47: an index of the parent that is not valid neither stops a partition nor is repaired in passing',
  async ({ scene }) => {
    const { database } = scene;
    await database.query('create index unfinished on only events (at, id)');
    const isValid = () => database.query("select indisvalid from pg_index where indexrelid = 'unfinished'::regclass");
    expect(await isValid()).toEqual([{ indisvalid: false }]);
    await scene.look();
    expect(await scene.open().run('provision', { targets: [EVENTS] })).toMatchObject([{ outcome: 'success', done: 1 }]);
    expect(await isValid()).toEqual([{ indisvalid: false }]);
    await scene.settle();
  },
);

describe('F50: a view that lost what it reads', () => {
  sceneTest.for([
    ['because a column went with CASCADE', 'alter table events drop column id cascade', 'TARGET_MISSING'],
    [
      'because a function that it calls fails now',
      `create function share(bigint) returns int immutable language plpgsql as 'begin raise exception ''broken''; end';
       drop materialized view totals; create materialized view totals as select 1 as kind, share(2) as rows with no data;
       create unique index on totals (kind)`,
      undefined,
    ],
  ] as const)('F50: %s: is told, and keeps no table from its turn', async ([, change, code], { scene }) => {
    await scene.database.query(change);
    const partkeeper = scene.open();
    const reports = await partkeeper.apply(['provision', 'refresh']);
    const totals = reports.find(({ run }) => run.target.name === 'totals');
    if (code === undefined)
      expect(totals).toMatchObject({ outcome: 'failure', error: { message: expect.stringContaining('broken') } });
    else expect(totals?.findings.map(finding => finding.code)).toContain(code);
    const made = TABLES.map(({ relation: { name } }) => reports.find(({ run }) => run.target.name === name)?.outcome);
    expect(made).toEqual(['success', 'success', 'success']);
    expect(Object.keys(await partitionsOf(scene.database, EVENTS))).toContain('events_2026_07');
  });
});
