/** What is done is on record: before it is done, with what came of it, and never without a record where something is destroyed. */
import { describe, expect } from 'vitest';
import { MaintenanceError } from '../../src/domain/errors.ts';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { actionsOnRecord, aRun, runsOnRecord } from '../support/ledger.ts';
import { waitUntilItWaits } from '../support/retirements.ts';
import { roleTest } from '../support/roles.ts';
import { createTable, exists, months, partitionsOf } from '../support/tables.ts';

const test = roleTest.extend('template', 'bookkeeping');

const EVENTS = relation('public.events');
const EXPIRED = relation('public.events_2026_02');
const AT = at('2026-06-15');
const POLICY = aTablePolicy({ relation: EVENTS, premake: 1 });

/** The first is expired; the others reach beyond `AT`, with six of them as far as the policy wants. */
const createEvents = (database: TestDatabase, count = 6) =>
  createTable(database, 'public.events', { partitions: months('events', '2026-02', count) });

describe('what is done', () => {
  test('is on record with who, why, on what, its SQL and what it took', async ({ database, open }) => {
    await createEvents(database, 5);
    const [expired] = await database.query<{ oid: number; bytes: string }>(
      `select 'events_2026_02'::regclass::oid as oid, pg_total_relation_size('events_2026_02') as bytes`,
    );
    await open({ tables: [POLICY], at: AT }).apply(['provision', 'retire']);

    const well = {
      target: 'public.events',
      trigger: 'manual',
      outcome: 'success',
      done: 1,
      failed: 0,
      error_code: null,
    };
    expect(await runsOnRecord(database)).toMatchObject([
      { job: 'provision', ...well },
      { job: 'retire', ...well },
    ]);
    const [run] = await database.query('select * from partkeeper.runs order by started_at');
    expect(run).toMatchObject({ attempt: 1, replica: 'test', version: '0', config_hash: 'none' });
    expect(run?.finished_at).toBeInstanceOf(Date);
    const [made, dropped] = await database.query('select * from partkeeper.actions order by intended_at');
    expect(made).toMatchObject({
      run_id: run?.run_id,
      kind: 'create-partition',
      relation: 'public.events_2026_07',
      bound: '2026-07-01T00:00:00Z to 2026-08-01T00:00:00Z',
      outcome: 'done',
      attempts: 1,
    });
    expect(dropped).toMatchObject({
      kind: 'drop-partition',
      target: 'public.events',
      relation: 'public.events_2026_02',
      relation_oid: expired?.oid,
      bound: `FOR VALUES FROM ('2026-02-01 00:00:00+00') TO ('2026-03-01 00:00:00+00')`,
      because: { rule: 'expired', upper: '2026-03-01T00:00:00Z', retention: '90 days' },
      why: expect.stringContaining('its upper bound 2026-03-01T00:00:00Z is at or before the cutoff'),
      bytes: expired?.bytes,
      outcome: 'done',
      attempts: 1,
    });
    expect(dropped?.statements).toEqual(
      expect.arrayContaining([
        'alter table "public"."events" detach partition "public"."events_2026_02" concurrently',
        'drop table "public"."events_2026_02"',
      ]),
    );
    expect(dropped?.duration_ms).toBeGreaterThan(0);
    expect(dropped?.lock_wait_ms).toBeGreaterThan(0);
  });

  test('is intended on record before it is begun', async ({ database, open }) => {
    await createEvents(database);
    const reader = await database.connect();
    await reader.query('begin; select from events');
    const retiring = open({ tables: [POLICY], at: AT }).run('retire');
    await waitUntilItWaits(database, 'virtualxid');
    expect(await actionsOnRecord(database)).toMatchObject([{ kind: 'drop-partition', outcome: 'intended' }]);
    expect(await exists(database, EXPIRED)).toBe(true);
    await reader.query('rollback');
    expect((await retiring)[0]).toMatchObject({ outcome: 'success', done: 1 });
    expect(await actionsOnRecord(database)).toMatchObject([{ kind: 'drop-partition', outcome: 'done' }]);
  });

  test('and what it came to become visible at the same moment', async ({ database, open }) => {
    await createEvents(database);
    // The last statement of the transaction waits: by then the partition is gone for this transaction alone.
    const holder = await database.connect();
    await database.query(`
      create function hold() returns trigger language plpgsql as $$ begin
        if new.outcome = 'done' then perform pg_advisory_xact_lock(77); end if; return new; end $$;
      create trigger hold before update on partkeeper.actions for each row execute function hold()`);
    await holder.query('select pg_advisory_lock(77)');
    const retiring = open({ tables: [POLICY], at: AT }).run('retire');
    await waitUntil(
      async () =>
        (
          await database.query(`select from pg_locks where locktype = 'advisory' and objid = 77 and not granted
            and database = (select oid from pg_database where datname = current_database())`)
        ).length > 0,
    );
    expect(await actionsOnRecord(database)).toMatchObject([{ outcome: 'intended' }]);
    // Seen by a snapshot, because a look at the table would wait for the lock on it.
    const [before] = await database.query(`select count(*)::int as n from pg_class where relname = 'events_2026_02'`);
    await holder.query('select pg_advisory_unlock(77)');
    await retiring;
    expect(before).toEqual({ n: 1 });
    expect(await exists(database, EXPIRED)).toBe(false);
    expect(await actionsOnRecord(database)).toMatchObject([{ outcome: 'done' }]);
  });

  test('and is rolled back is on record as failed, with the reason', async ({ database, open }) => {
    await createEvents(database);
    await database.query('create view reads_it as select * from events_2026_02');
    const [report] = await open({ tables: [POLICY], at: AT }).run('retire');
    expect(report).toMatchObject({ outcome: 'failure', error: { code: 'STILL_REFERENCED' } });
    expect(Object.keys(await partitionsOf(database, EVENTS))).toContain('events_2026_02');
    const [action] = await database.query('select * from partkeeper.actions');
    expect(action).toMatchObject({ outcome: 'failed', error_code: 'STILL_REFERENCED', rows: null, bytes: null });
    expect(action?.error_message).toContain('reads_it');
    expect(await runsOnRecord(database)).toMatchObject([
      { outcome: 'failure', failed: 1, error_code: 'STILL_REFERENCED' },
    ]);
  });

  test('and committed although the connection broke stays on record as done', async ({ database, open }) => {
    await createEvents(database);
    const partkeeper = open({ tables: [POLICY], at: AT });
    const record = await partkeeper.runner.ledger.begin(aRun('retire'));
    const [action] = (await partkeeper.plan(['retire'])).actions;
    if (!action) throw new Error('there is something to do');
    const intent = await record.recorder.intend(action, []);
    const cost = { durationMs: 1, lockWaitMs: 0, attempts: 1 };
    await partkeeper.database.use(session => intent.conclude(session, { outcome: 'done' }, [], cost, false));
    await intent.fail(new MaintenanceError('CONNECTION_LOST', 'the answer to COMMIT did not arrive'), cost);
    expect(await actionsOnRecord(database)).toMatchObject([{ outcome: 'done', error_code: null }]);
  });

  test('is on record also when no plan could be made', async ({ database, open, role }) => {
    await createEvents(database);
    const service = await role('login', 'blind');
    await database.query(`
      grant usage on schema partkeeper to ${service.sql};
      grant all on all tables in schema partkeeper to ${service.sql};
      revoke execute on function pg_get_expr(pg_node_tree, oid) from public`);
    const [report] = await open({ tables: [POLICY], url: service.url }).run('provision');
    expect(report).toMatchObject({ outcome: 'failure', error: { code: 'PERMISSION_DENIED' } });
    expect(await runsOnRecord(database)).toMatchObject([{ outcome: 'failure', error_code: 'PERMISSION_DENIED' }]);
  });

  test('is on record without the passwords that turn up in it', async ({ database, open }) => {
    const partkeeper = open();
    const secret = 'hunter2hunter2';
    const record = await partkeeper.runner.ledger.begin({
      ...aRun('refresh'),
      requestedBy: `postgres://me:${secret}@host/db`,
      reason: `password=${secret}`,
    });
    const error = new MaintenanceError('UNEXPECTED', `could not: postgres://me:${secret}@host/db says no`);
    await record.finish({ outcome: 'failure', done: 0, failed: 1, error });
    const [run] = await database.query('select * from partkeeper.runs');
    expect(run).toMatchObject({ reason: 'password=[redacted]', error_message: expect.stringContaining('[redacted]') });
    expect(JSON.stringify(run)).not.toContain(secret);
  });
});
