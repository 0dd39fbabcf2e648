/** A database with work of every kind, for accidents in this very process, and the oracle that judges what comes of them. */
import { expect } from 'vitest';
import type { TestDatabase } from './database.ts';
import { aTablePolicy, at, aViewPolicy, relation } from './facts.ts';
import { consultOracle, type Oracle, type Question } from './oracle.ts';
import { openPartkeeper, type PartkeeperOptions, partkeeperTest, type TestPartkeeper } from './partkeeper.ts';
import { createTable, months } from './tables.ts';

/** January and February have expired; March has not, and July is to be made. */
export const AT = at('2026-06-15');

export const EVENTS = relation('public.events');
/** Keeps what it retires. */
export const AUDIT = relation('public.audit');
export const TABLES = [
  aTablePolicy({ relation: EVENTS, premake: 1 }),
  aTablePolicy({ relation: AUDIT, premake: 1, retire: 'detach' }),
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

export const fillScene = async (database: Pick<TestDatabase, 'query'>): Promise<void> => {
  for (const name of ['events', 'audit'])
    await createTable(database, `public.${name}`, { partitions: months(name, '2026-01', 6) });
  await database.query(`
    create index on events (id, at);
    insert into events select i, timestamptz '2026-01-01 00:00+00' + i * interval '1 day 7 hours' from generate_series(0, 120) i;
    insert into audit select i, at + interval '1 hour' from events as e (i, at);
    create materialized view by_kind as select id % 7 as kind, count(*) as rows from events where id > 60 group by id % 7;
    create materialized view totals as select kind, rows from by_kind with no data;
    create unique index on by_kind (kind);
    create unique index on totals (kind)`);
};

export async function openScene(database: TestDatabase, question: Partial<Question> = {}): Promise<Scene> {
  await fillScene(database);
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

/** `sceneTest('F07: …', async ({ scene }) => { …; await scene.settle(); })` */
export const sceneTest = partkeeperTest
  .override('template', 'bookkeeping')
  .extend('scene', async ({ database }, { onCleanup }) => {
    const scene = await openScene(database);
    onCleanup(scene.close);
    return scene;
  });
