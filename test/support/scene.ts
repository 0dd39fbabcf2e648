/** A database with work of every kind, for accidents in this very process, and the oracle that judges what comes of them. */
import { expect } from 'vitest';
import { type Prepared, prepareDatabase } from './clones.ts';
import { connectTo, databaseTest, type TestDatabase } from './database.ts';
import { aTablePolicy, at, aViewPolicy, relation } from './facts.ts';
import { halfRetire } from './half-retired.ts';
import { consultOracle, type Oracle, type Question } from './oracle.ts';
import { openPartkeeper, type PartkeeperOptions, type TestPartkeeper } from './partkeeper.ts';
import { createTable, months } from './tables.ts';

/** January and February have expired; March has not, and July is to be made. */
export const AT = at('2026-06-15');

export const EVENTS = relation('public.events');
/** Keeps what it retires. */
export const AUDIT = relation('public.audit');
/** Waits for a week before it drops, and was left by earlier runs in every state there is. */
export const GRACED = relation('public.graced');
export const TABLES = [
  aTablePolicy({ relation: EVENTS, premake: 1 }),
  aTablePolicy({ relation: AUDIT, premake: 1, retire: 'detach' }),
  aTablePolicy({ relation: GRACED, premake: 1, grace: { amount: 7, unit: 'days' } }),
];
/** One populated and one never, each with an index for a concurrent refresh. */
export const VIEWS = [
  aViewPolicy({ relation: relation('public.by_kind') }),
  aViewPolicy({ relation: relation('public.totals') }),
];

export interface Scene {
  readonly database: TestDatabase;
  /** partkeeper over the scene's tables and views; everything else as given. */
  readonly open: (options?: PartkeeperOptions) => TestPartkeeper;
  /** Closes every partkeeper, and has the oracle judge: now, and after one more run by a partkeeper that nothing happens to. */
  readonly settle: () => Promise<void>;
  readonly oracle: () => Oracle;
  /** Has the oracle look at the database as it is now, after a change that is the test's own. */
  readonly look: (question?: Partial<Question>) => Promise<void>;
  readonly close: () => Promise<void>;
}

export const fillScene = async (database: Pick<TestDatabase, 'query' | 'url' | 'name'>): Promise<void> => {
  for (const name of ['events', 'audit'])
    await createTable(database, `public.${name}`, { partitions: months(name, '2026-01', 6) });
  await createTable(database, 'public.graced', { partitions: months('graced', '2025-11', 9) });
  await database.query(`
    create index on events (id, at);
    insert into events select i, timestamptz '2026-01-01 00:00+00' + i * interval '1 day 7 hours' from generate_series(0, 120) i;
    insert into audit select i, at + interval '1 hour' from events as e (i, at);
    insert into graced select i, timestamptz '2025-11-01 00:00+00' + i * interval '1 day 7 hours' from generate_series(0, 180) i;
    create materialized view by_kind as select id % 7 as kind, count(*) as rows from events where id > 60 group by id % 7;
    create materialized view totals as select kind, rows from by_kind with no data;
    create unique index on by_kind (kind);
    create unique index on totals (kind)`);
  await halfRetire(database, 'public.graced', {
    over: 'graced_2025_11',
    asked: 'graced_2025_12',
    pending: 'graced_2026_01',
  });
};

/** Over a database that is filled already. */
export async function openScene(database: TestDatabase, question: Partial<Question> = {}): Promise<Scene> {
  const consult = (over: Partial<Question>) =>
    consultOracle(database, { tables: TABLES, at: AT, ...question, ...over });
  let oracle = await consult({});
  const opened: TestPartkeeper[] = [];
  const open = (options: PartkeeperOptions = {}): TestPartkeeper => {
    const partkeeper = openPartkeeper(database, { tables: TABLES, views: VIEWS, at: AT, ...options });
    opened.push(partkeeper);
    return partkeeper;
  };
  const close = async (): Promise<void> => {
    await Promise.all(opened.map(partkeeper => partkeeper.close()));
  };
  return {
    database,
    open,
    oracle: () => oracle,
    async look(over = {}) {
      oracle = await consult(over);
    },
    close,
    async settle() {
      expect(await oracle.meanwhile(), 'at once').toEqual([]);
      await close();
      expect(await oracle.afterNextRun(open()), 'after the next run').toEqual([]);
    },
  };
}

/** `sceneTest('F07: …', async ({ scene }) => { …; await scene.settle(); })`; filled once for each file, and cloned. */
export const sceneTest = databaseTest
  .extend('prepared', { scope: 'file' }, async ({ admin }, { onCleanup }): Promise<Prepared> => {
    const prepared = await prepareDatabase(admin, 'bookkeeping', fillScene);
    onCleanup(prepared.drop);
    return prepared;
  })
  .extend('scene', async ({ prepared }, { onCleanup }): Promise<Scene> => {
    const clone = await prepared.clone();
    const { database, close } = connectTo(clone.url, clone.name);
    const scene = await openScene(database);
    onCleanup(async () => {
      await scene.close();
      await close();
      await clone.drop();
    });
    return scene;
  });
