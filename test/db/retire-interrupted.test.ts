/** A run of retire that ends in the middle: the next one goes on from what the ledger and the catalog say. */
import { describe, expect } from 'vitest';
import {
  AT,
  attached,
  leaveIntent,
  POLICY,
  prepareMonths,
  retirementsOnRecord,
  tablesOf,
  retireTest as test,
  waitUntilItWaits,
} from '../support/retirements.ts';
import { exists } from '../support/tables.ts';

const JANUARY = { schema: 'public', name: 'events_2026_01' };

describe('a run that ends in the middle', () => {
  test('of the detach leaves it pending, and the next one drops the partition', async ({ database, open }) => {
    await prepareMonths(database);
    const reader = await database.connect();
    await reader.query('begin; select count(*) from events');
    const partkeeper = open({ tables: [POLICY], at: AT });
    const retiring = partkeeper.run('retire');
    await waitUntilItWaits(database, 'virtualxid');
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'partkeeper detach' and datname = current_database()`,
    );
    // It is taken up again at once, from fresh facts, and put off: the reader is in the way of that as well.
    expect(await retiring).toMatchObject([{ done: 0, deferred: 1, findings: [{ code: 'BLOCKED' }] }]);
    expect(partkeeper.eventsOf('action-failed').map(({ error }) => error.code)).toEqual(['CONNECTION_LOST']);
    expect(await tablesOf(database)).toEqual(['events_2026_01 pending', ...attached(2)]);
    await reader.query('commit');
    expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(partkeeper.eventsOf('action-finished').map(({ action }) => action.because.rule)).toEqual([
      'interrupted',
      'expired',
    ]);
    expect(await tablesOf(database)).toEqual(attached(3));
    expect((await partkeeper.plan(['provision', 'retire'])).actions).toEqual([]);
  });

  test('F25: between detach and drop leaves a table that the ledger proves to be ours', async ({ database, open }) => {
    await prepareMonths(database);
    await database.query(`create view reads_it as select 1 as one`);
    const partkeeper = open({ tables: [POLICY], at: AT });
    const [action] = (await partkeeper.plan(['retire'])).actions;
    if (action?.kind !== 'drop-partition') throw new Error('January has expired');
    // As a process leaves it that is killed there: the intent is on record, the partition is detached.
    await leaveIntent(database, action);
    await database.query('alter table events detach partition events_2026_01 concurrently');
    expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success', done: 2 }]);
    expect(await exists(database, JANUARY)).toBe(false);
    expect(await retirementsOnRecord(database)).toEqual(['events_2026_01 dropped', 'events_2026_02 dropped']);
  });

  test.for([
    ['that would be dropped', POLICY],
    ['that would be kept', { ...POLICY, retire: 'detach' }],
    ['whose retention is longer by now', { ...POLICY, retention: { amount: 10, unit: 'years' } }],
  ] as const)(
    'before the detach leaves an intent that proves nothing: a partition %s and that is detached by hand then is left alone',
    async ([, later], { database, open }) => {
      await prepareMonths(database);
      const [action] = (await open({ tables: [POLICY], at: AT }).plan(['retire'])).actions;
      if (action?.kind !== 'drop-partition') throw new Error('January has expired');
      await leaveIntent(database, action);
      // Not the way that we do it, which leaves a CHECK of the range behind.
      await database.query('alter table events detach partition events_2026_01');
      const partkeeper = open({ tables: [later], at: AT });
      expect(await partkeeper.run('retire')).toMatchObject([{ outcome: 'success' }]);
      expect(partkeeper.eventsOf('action-finished')[0]).toMatchObject({
        action: { relation: JANUARY },
        result: { outcome: 'already-done' },
      });
      expect(await tablesOf(database)).toContain('events_2026_01 loose');
      expect(await retirementsOnRecord(database)).toContain('events_2026_01 abandoned');
      expect((await partkeeper.plan(['retire'])).actions).toEqual([]);
    },
  );

  test('and whose intention came to nothing proves nothing: what is detached by hand later is not ours', async ({
    database,
    open,
  }) => {
    await prepareMonths(database);
    const holder = await database.connect();
    await holder.query('begin; select count(*) from events');
    const partkeeper = open({ tables: [POLICY], at: AT, budget: { deferOlderThanMs: 1, lockAttempts: 1 } });
    await partkeeper.run('retire');
    await holder.query('rollback');
    await database.query('alter table events detach partition events_2026_01');
    await partkeeper.run('retire');
    expect(await tablesOf(database)).toEqual(['events_2026_01 loose', ...attached(3)]);
  });
});
