/** The ledger is kept by partkeeper's own jobs: partitions by month, for a year. */
import { Temporal } from 'temporal-polyfill';
import { expect } from 'vitest';
import { LEDGER_TABLES, withLedgerTables } from '../../src/config/ledger-tables.ts';
import { isSameRelation, type RelationName } from '../../src/domain/relation.ts';
import type { Instant } from '../../src/domain/time.ts';
import type { TestDatabase } from '../support/database.ts';
import { relation } from '../support/facts.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { plainConfig } from '../support/plain-config.ts';
import { partitionsOf } from '../support/tables.ts';

const test = partkeeperTest.extend('template', 'bookkeeping');

const RUNS = relation('partkeeper.runs');
const ACTIONS = relation('partkeeper.actions');

/** As every configuration has them that says nothing about the ledger. */
const LEDGER_POLICIES = withLedgerTables(plainConfig())
  .tables.map(({ policy }) => policy)
  .filter(policy => LEDGER_TABLES.some(table => isSameRelation(table, policy.relation)));

/** `months(now, -12, 2)`: the names of the partitions of fifteen months. */
const monthNames = ({ name }: RelationName, now: Instant, from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => {
    const month = now
      .toZonedDateTimeISO('UTC')
      .toPlainDate()
      .toPlainYearMonth()
      .add({ months: from + index });
    return `${name}_${month.toString().replace('-', '_')}`;
  });

const tenthOf = (now: Instant, months: number): Instant =>
  now.toZonedDateTimeISO('UTC').with({ day: 10 }).startOfDay().add({ months }).toInstant();

async function dropPartitions(database: TestDatabase): Promise<void> {
  for (const table of [RUNS, ACTIONS])
    for (const name of Object.keys(await partitionsOf(database, table)))
      await database.query(`drop table partkeeper."${name}"`);
}

/** What a run and its action of that moment would have left on record. */
const recordAt = (database: TestDatabase, moment: Instant) =>
  database.query(
    `with run as (
       insert into partkeeper.runs (run_id, started_at, finished_at, job, target, trigger, replica, version, config_hash, outcome)
       values (gen_random_uuid(), $1, $1, 'refresh', 'app.old', 'schedule', 'r', 'v', 'c', 'success') returning run_id, started_at
     )
     insert into partkeeper.actions (action_id, run_id, intended_at, kind, target, relation, because, why, statements, outcome)
     select gen_random_uuid(), run_id, started_at, 'refresh-view', 'app.old', 'app.old', '{}', 'due', '{}', 'done' from run`,
    [moment.toString()],
  );

const momentsOnRecord = async (
  database: TestDatabase,
  table: RelationName,
  column: string,
): Promise<readonly string[]> =>
  (
    await database.query<{ at: Date }>(
      `select ${column} as at from partkeeper.${table.name} where target = 'app.old' order by 1`,
    )
  ).map(({ at }) => Temporal.Instant.fromEpochMilliseconds(at.getTime()).toString());

test('a year of the ledger stays, and fourteen months of its own jobs leave nothing to do', async ({
  database,
  open,
}) => {
  const now = Temporal.Now.instant();
  await dropPartitions(database);
  expect(LEDGER_POLICIES.map(({ relation: name }) => name)).toEqual([RUNS, ACTIONS]);
  for (let month = -14; month < 0; month += 1) {
    const at = tenthOf(now, month);
    await open({ tables: LEDGER_POLICIES, at }).run('provision');
    await recordAt(database, at);
    for (const { outcome, error } of await open({ tables: LEDGER_POLICIES, at }).run('retire'))
      expect({ outcome, error }, `retire at ${at.toString()}`).toEqual({ outcome: 'success', error: undefined });
  }
  const today = open({ tables: LEDGER_POLICIES });
  const reports = await today.apply(['provision', 'retire']);
  expect(reports.map(({ outcome }) => outcome)).toEqual(['success', 'success', 'success', 'success']);

  for (const table of [RUNS, ACTIONS])
    expect(Object.keys(await partitionsOf(database, table)), table.name).toEqual(monthNames(table, now, -12, 2));
  const aYearAgo = now.toZonedDateTimeISO('UTC').subtract({ years: 1 }).toInstant();
  const young = Array.from({ length: 14 }, (_, index) => tenthOf(now, index - 14))
    .filter(at => Temporal.Instant.compare(at, aYearAgo) > 0)
    .map(String);
  expect(young.length).toBeGreaterThanOrEqual(11);
  expect(await momentsOnRecord(database, RUNS, 'started_at')).toEqual(expect.arrayContaining(young));
  expect(await momentsOnRecord(database, ACTIONS, 'intended_at')).toEqual(expect.arrayContaining(young));
  expect((await today.plan(['provision', 'retire'])).actions).toEqual([]);

  // What was dropped of the ledger is in the ledger.
  const dropped = await database.query<{ relation: string }>(
    `select relation from partkeeper.actions where kind = 'drop-partition' and outcome = 'done' order by relation`,
  );
  expect(dropped.map(row => relation(row.relation).name)).toEqual([
    ...monthNames(ACTIONS, now, -14, -13),
    ...monthNames(RUNS, now, -14, -13),
  ]);
});

test('an installation of today covers this month and the two after it, and is as its own jobs want it', async ({
  database,
  open,
}) => {
  const now = Temporal.Now.instant();
  for (const table of [RUNS, ACTIONS])
    expect(Object.keys(await partitionsOf(database, table))).toEqual(monthNames(table, now, 0, 2));
  expect((await open({ tables: LEDGER_POLICIES }).plan(['provision', 'retire'])).actions).toEqual([]);
});
