/** What becomes of a detached partition: it is kept, or dropped when its grace is over, or attached again on request. */
import { describe, expect } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import type { TablePolicy } from '../../src/domain/policy.ts';
import type { TestDatabase } from '../support/database.ts';
import { at } from '../support/facts.ts';
import { actionsOf } from '../support/partkeeper.ts';
import {
  AT,
  attached,
  leaveIntent,
  POLICY,
  prepareMonths,
  retirementsOnRecord,
  tablesOf,
  retireTest as test,
} from '../support/retirements.ts';

const GRACE: TablePolicy = { ...POLICY, grace: { amount: 7, unit: 'days' } };
const KEEP: TablePolicy = { ...POLICY, retire: 'detach' };
const LOOSE = ['events_2026_01 loose', 'events_2026_02 loose'];

const sum = async (database: TestDatabase): Promise<number> =>
  Number((await database.query<{ sum: string }>('select sum(id) from events'))[0]?.sum);

/** Asks for it as `partkeeper restore` does. */
const askFor = (database: TestDatabase, partition: string) =>
  database.query(
    `update partkeeper.retirements set state = 'restoring', asked_at = now(), asked_by = 'test' where relation_name = $1 and ended_at is null`,
    [partition],
  );

describe('with a grace', () => {
  test('a partition is detached first, and dropped when it is over', async ({ database, open }) => {
    await prepareMonths(database);
    const partkeeper = open({ tables: [GRACE], at: AT });
    expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await tablesOf(database)).toEqual([...LOOSE, ...attached(3)]);
    expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 detached', 'events_2026_02 detached']);

    const soon = open({ tables: [GRACE], at: at('2026-06-21T23:59:59Z') });
    const { actions, skips } = await soon.plan(['retire']);
    expect(actions).toEqual([]);
    expect(skips.filter(({ reason }) => reason === 'in-grace').map(({ relation }) => relation.name)).toEqual([
      'events_2026_01',
      'events_2026_02',
    ]);

    const later = open({ tables: [GRACE], at: at('2026-06-22T00:00:01Z') });
    expect(await later.run('retire')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await tablesOf(database)).toEqual(attached(3));
    expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 dropped', 'events_2026_02 dropped']);
    expect((await later.plan(['retire'])).actions).toEqual([]);
  });

  test('F52: a table that got another name meanwhile, or rows after its end, is not dropped', async ({
    database,
    open,
  }) => {
    await prepareMonths(database);
    await open({ tables: [GRACE], at: AT }).run('retire');
    await database.query(`
      alter table events_2026_01 rename to events_precious;
      alter table events_2026_02 drop constraint events_2026_02_at_check; insert into events_2026_02 values (9, '2026-06-01')`);
    const later = open({ tables: [GRACE], at: at('2026-06-23') });
    const [report] = await later.run('retire');
    expect(report).toMatchObject({ outcome: 'failure', done: 0, error: { code: 'NEWER_ROWS' } });
    expect(report?.skips.find(({ reason }) => reason === 'renamed')?.relation.name).toBe('events_precious');
    expect(await tablesOf(database)).toEqual(['events_2026_02 loose', ...attached(3), 'events_precious loose']);
  });

  test('a longer retention keeps what is not dropped yet', async ({ database, open }) => {
    await prepareMonths(database);
    await open({ tables: [GRACE], at: AT }).run('retire');
    const longer = open({ tables: [{ ...GRACE, retention: { amount: 1, unit: 'years' } }], at: at('2026-07-15') });
    expect((await longer.plan(['retire'])).actions).toEqual([]);
  });
});

test('a kept partition stays for ever, and is none of the next run’s business', async ({ database, open }) => {
  await prepareMonths(database);
  const partkeeper = open({ tables: [KEEP], at: AT });
  expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2 }]);
  expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 kept', 'events_2026_02 kept']);
  expect((await open({ tables: [POLICY], at: at('2026-07-15') }).plan(['retire'])).skips).toContainEqual(
    expect.objectContaining({ reason: 'kept' }),
  );
  expect(await tablesOf(database)).toEqual([...LOOSE, ...attached(3)]);
});

describe('what was retired and is asked for', () => {
  test.for([
    ['a concurrent detach, whose CHECK spares the scan', ''],
    ['a blocking one, whose range is validated first', 'create table rest partition of events default'],
  ] as const)('is attached again after %s', async ([, sql], { database, open }) => {
    await prepareMonths(database);
    await database.query(sql);
    const partkeeper = open({ tables: [KEEP], at: AT });
    await partkeeper.run('retire');
    await askFor(database, 'events_2026_01');
    const [restore] = actionsOf(await partkeeper.plan(['retire']), 'restore-partition');
    expect(restore?.because.rule).toBe('restore-asked');
    expect(await partkeeper.run('retire', {})).toMatchObject([{ outcome: 'success', done: 1 }]);
    expect(await sum(database)).toBe(1 + 3 + 4 + 5 + 6 + 7);
    expect(await database.query(`select from pg_constraint where conname like 'partkeeper%'`)).toEqual([]);
    // It is past its retention, and is left alone all the same.
    expect((await partkeeper.plan(['retire'])).actions).toEqual([]);
    expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 restored', 'events_2026_02 kept']);
    await database.query(`insert into events values (0, '2026-01-20')`);
  });

  test('is retired again once it is released', async ({ database, open }) => {
    await prepareMonths(database);
    const partkeeper = open({ tables: [GRACE], at: AT });
    await partkeeper.run('retire');
    await askFor(database, 'events_2026_02');
    await partkeeper.run('retire');
    expect(await tablesOf(database)).toEqual(['events_2026_01 loose', ...attached(2)]);
    await database.query(
      `update partkeeper.retirements set state = 'released', ended_at = now() where state = 'restored'`,
    );
    expect(await partkeeper.run('retire')).toMatchObject([{ done: 1 }]);
    expect(await tablesOf(database)).toEqual([...LOOSE, ...attached(3)]);
  });

  test('while its detach is pending comes back as well', async ({ database, open }) => {
    await prepareMonths(database);
    const partkeeper = open({ tables: [KEEP], at: AT });
    await partkeeper.run('retire');
    await database.query(`
      alter table events attach partition events_2026_01 for values from ('2026-01-01+00') to ('2026-02-01+00')`);
    const reader = await database.connect();
    await reader.query('begin; select from events');
    await database.query(`set statement_timeout = '300ms'`);
    await expect(database.query('alter table events detach partition events_2026_01 concurrently')).rejects.toThrow();
    await database.query('reset statement_timeout');
    await reader.query('rollback');
    await askFor(database, 'events_2026_01');
    expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 1 }]);
    expect(await tablesOf(database)).toEqual(['events_2026_01 attached', 'events_2026_02 loose', ...attached(3)]);
  });
});

test('a detach that was interrupted under a shorter retention is taken back', async ({ database, open }) => {
  await prepareMonths(database);
  const [action] = (await open({ tables: [POLICY], at: AT }).plan(['retire'])).actions;
  if (action?.kind !== 'drop-partition') throw new Error('January has expired');
  await leaveIntent(database, action);
  await database.query('alter table events detach partition events_2026_01 concurrently');
  const longer = open({ tables: [{ ...POLICY, retention: { amount: 1, unit: 'years' } }], at: AT });
  expect(await longer.run('retire')).toMatchObject([{ outcome: 'success', done: 1 }]);
  expect(await tablesOf(database)).toEqual(attached(1));
  expect(await sum(database)).toBe(28);
  expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 abandoned']);
});

describe('the commands', () => {
  const run = async (database: TestDatabase, ...args: readonly string[]) => {
    const written: string[] = [];
    const code = await runProgram(args, {
      env: { DATABASE_URL: database.url },
      cwd: '/nonexistent',
      isTerminal: false,
      out: text => void written.push(text),
      error: text => void written.push(text),
      stopping: new AbortController().signal,
      onHangUp: () => {},
      subscribers: [],
    });
    return { code, text: written.join('') };
  };

  test('restore and release say what there is, and refuse what is not', async ({ database }) => {
    await prepareMonths(database);
    await database.query(
      `create schema unified; alter table events set schema unified; alter table unified.events rename to event_metric_events`,
    );
    const unknown = await run(database, 'restore', 'unified.event_metric_events', 'events_2026_01');
    expect(unknown).toMatchObject({
      code: 64,
      text: expect.stringContaining('There is none; what was dropped is gone.'),
    });
    expect(await run(database, 'restore', 'public.nothing', 'x')).toMatchObject({ code: 64 });
    expect(await run(database, 'release', 'unified.event_metric_events')).toMatchObject({
      code: 0,
      text: 'Nothing was restored.\n',
    });
    expect(await run(database, 'release', 'unified.event_metric_events', 'events_2026_01')).toMatchObject({ code: 64 });
  });
});
