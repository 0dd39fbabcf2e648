/** The functions of the bundled schema, for people at a prompt. */
import type { Client } from 'pg';
import { describe, expect } from 'vitest';
import { migrateUp } from '../../src/schema/migrate.ts';
import { databaseTest, type TestDatabase } from '../support/database.ts';

/** A connection to a database with the bundled schema, in a zone where every month begins on another day than in UTC. */
async function prompt(database: TestDatabase): Promise<Client> {
  const client = await database.connect();
  await migrateUp(client, ['bundled']);
  await client.query("set timezone = 'Pacific/Auckland'; set datestyle = 'German'");
  return client;
}

const textOf = async (client: Client, sql: string, params: readonly unknown[] = []): Promise<readonly string[]> =>
  (await client.query<{ text: string }>(sql, [...params])).rows.map(row => row.text);

const create = (client: Client, at: string) =>
  textOf(client, 'select unified.create_monthly_partition($1) as text', [at]);
const cleanUp = (client: Client, retention: string | null, at: string) =>
  textOf(client, 'select unified.cleanup_old_partitions($1, $2) as text', [retention, at]);
const partitions = (client: Client) =>
  textOf(client, 'select name as text from unified.event_metric_partitions() order by covers, name');
const insertAt = (client: Client, at: string) =>
  client.query(
    "insert into unified.event_metric_events (event_type, event_category, source_system, event_timestamp) values ('t', 'c', 's', $1)",
    [at],
  );

const month = (name: string) => `unified.event_metric_events_${name}`;

describe('create_monthly_partition', () => {
  databaseTest.for([
    ['2031-05-31 23:59:59.999999+00', '2031_05', '2031_06', '2031-05-01', '2031-06-01'],
    ['2031-06-01 00:00:00+00', '2031_06', '2031_07', '2031-06-01', '2031-07-01'],
    ['2031-12-15 12:00:00+00', '2031_12', '2032_01', '2031-12-01', '2032-01-01'],
  ] as const)(
    'at %s it creates %s and %s, whatever the time zone',
    async ([at, first, second, lower, upper], { database }) => {
      const client = await prompt(database);
      expect(await create(client, at)).toEqual([month(first), month(second)]);
      const [bound] = await textOf(
        client,
        'select bound as text from unified.event_metric_partitions() where name = $1',
        [month(first)],
      );
      expect(bound).toBe(`FOR VALUES FROM ('${lower} 00:00:00+00') TO ('${upper} 00:00:00+00')`);
      expect(await create(client, at)).toEqual([]);
    },
  );

  databaseTest('without an argument it is about this month and the next', async ({ database }) => {
    const client = await prompt(database);
    const names = await partitions(client);
    expect(names.length).toBe(2);
    for (const name of names) await client.query(`drop table ${name}`);
    expect(await textOf(client, 'select unified.create_monthly_partition() as text')).toEqual(names);
    await insertAt(client, new Date().toISOString());
  });

  databaseTest('it goes by bounds: other partitions may cover the month together', async ({ database }) => {
    const client = await prompt(database);
    await client.query(`
      create table unified.early partition of unified.event_metric_events for values from ('2031-05-01 UTC') to ('2031-05-20 UTC');
      create table unified.late partition of unified.event_metric_events for values from ('2031-05-20 UTC') to ('2031-06-03 UTC')`);
    await expect(create(client, '2031-05-10 UTC')).rejects.toMatchObject({
      message: 'unified.event_metric_events_2031_06 cannot be created: unified.late holds a part of its month',
    });
    await client.query(
      `create table unified.rest partition of unified.event_metric_events for values from ('2031-06-03 UTC') to (maxvalue)`,
    );
    expect(await create(client, '2031-05-10 UTC')).toEqual([]);
    expect(await create(client, '2099-01-01 UTC')).toEqual([]);
  });

  databaseTest('a default partition covers nothing', async ({ database }) => {
    const client = await prompt(database);
    await client.query('create table unified.others partition of unified.event_metric_events default');
    expect(await create(client, '2031-05-10 UTC')).toEqual([month('2031_05'), month('2031_06')]);
  });

  databaseTest('when a stranger has the name it says so, and creates nothing', async ({ database }) => {
    const client = await prompt(database);
    await client.query(`create table ${month('2031_06')} (note text)`);
    await expect(create(client, '2031-05-10 UTC')).rejects.toMatchObject({
      code: '42P07',
      message: 'unified.event_metric_events_2031_06 exists but is not a partition of unified.event_metric_events',
    });
    expect(await partitions(client)).not.toContain(month('2031_05'));
  });

  databaseTest(
    'a partition has the rights and the row level security of its table, and no others',
    async ({ database }) => {
      const client = await prompt(database);
      await client.query(`
      alter default privileges in schema unified grant all on tables to public;
      grant select on unified.event_metric_events to pg_monitor with grant option;
      alter table unified.event_metric_events force row level security`);
      await create(client, '2031-05-10 UTC');
      const alike = `
      select relowner::regrole::text, relrowsecurity, relforcerowsecurity, array(select acl::text from unnest(relacl) acl order by 1) as rights
      from pg_class where oid = $1::regclass`;
      const [parent] = await database.query<{ relforcerowsecurity: boolean }>(alike, ['unified.event_metric_events']);
      const [partition] = await database.query(alike, [month('2031_05')]);
      expect(parent?.relforcerowsecurity).toBe(true);
      expect(partition).toEqual(parent);
    },
  );

  databaseTest(
    'a reader in the middle of a transaction does not hinder it, nor it the writers',
    async ({ database }) => {
      const client = await prompt(database);
      const reader = await database.connect();
      await reader.query('begin; select count(*) from unified.event_metric_events');
      await client.query('begin');
      await create(client, '2031-05-10 UTC');
      // Not committed yet, and still one may write.
      await reader.query("set lock_timeout = '1s'");
      await insertAt(reader, new Date().toISOString());
      await client.query('commit');
      expect(await partitions(client)).toContain(month('2031_05'));
    },
  );

  databaseTest('it refuses moments that are none', async ({ database }) => {
    const client = await prompt(database);
    await expect(create(client, 'infinity')).rejects.toMatchObject({ code: '22023' });
  });
});

async function withOldMonths(database: TestDatabase): Promise<Client> {
  const client = await prompt(database);
  for (const at of ['2025-01-15 UTC', '2025-03-15 UTC', '2025-05-15 UTC']) await create(client, at);
  return client;
}

describe('cleanup_old_partitions', () => {
  // January's partition ends on 2025-02-01, 90 days before 2025-05-02.
  const JUST_BEFORE = '2025-05-01 23:59:59.999999+00';
  const EXACTLY = '2025-05-02 00:00:00+00';

  databaseTest('a partition goes when its last possible row has been kept for the retention', async ({ database }) => {
    const client = await withOldMonths(database);
    const [last, next] = ['2025-01-31 23:59:59.999999+00', '2025-02-01 00:00:00+00'];
    await insertAt(client, last);
    await insertAt(client, next);

    expect(await cleanUp(client, '90 days', JUST_BEFORE)).toEqual([]);
    expect(await textOf(client, 'select count(*) as text from unified.event_metric_events')).toEqual(['2']);
    expect(await cleanUp(client, '90 days', EXACTLY)).toEqual([month('2025_01')]);
    expect(
      await textOf(client, 'select (event_timestamp = $1)::text as text from unified.event_metric_events', [next]),
    ).toEqual(['true']);
    expect(await textOf(client, 'select to_regclass($1)::text as text', [month('2025_01')])).toEqual([null]);
    expect(await cleanUp(client, '90 days', EXACTLY)).toEqual([]);
  });

  databaseTest('without an argument 90 days are kept, counted from now', async ({ database }) => {
    const client = await withOldMonths(database);
    const expected = await textOf(
      client,
      "select name as text from unified.event_metric_partitions() where upper(covers) <= now() - interval '90 days' order by covers",
    );
    expect(expected.length).toBeGreaterThanOrEqual(6);
    expect(await textOf(client, 'select unified.cleanup_old_partitions() as text')).toEqual(expected);
  });

  databaseTest('at most twelve go at once, the oldest first', async ({ database }) => {
    const client = await prompt(database);
    for (const at of [1, 3, 5, 7, 9, 11, 13]) await create(client, new Date(Date.UTC(2023, at, 15)).toISOString());
    const names = await partitions(client);
    const first = await textOf(client, 'select unified.cleanup_old_partitions() as text');
    expect(first).toEqual(names.slice(0, 12));
    expect(await textOf(client, 'select unified.cleanup_old_partitions() as text')).toEqual(names.slice(12, 14));
  });

  databaseTest('default, unbounded and divided partitions are left alone', async ({ database }) => {
    const client = await withOldMonths(database);
    await client.query(`
      create table unified.history partition of unified.event_metric_events for values from (minvalue) to ('2020-01-01 UTC');
      create table unified.divided partition of unified.event_metric_events
        for values from ('2020-01-01 UTC') to ('2021-01-01 UTC') partition by range (event_timestamp);
      create table unified.others partition of unified.event_metric_events default`);
    expect(await cleanUp(client, '90 days', EXACTLY)).toEqual([month('2025_01')]);
    expect(await partitions(client)).toEqual(
      expect.arrayContaining(['unified.history', 'unified.divided', 'unified.others']),
    );
  });

  databaseTest('names mean nothing: a live month with an old name stays', async ({ database }) => {
    const client = await withOldMonths(database);
    await client.query(
      `alter table ${month('2025_01')} rename to elsewhere; alter table ${month('2025_05')} rename to event_metric_events_2025_01`,
    );
    expect(await cleanUp(client, '90 days', EXACTLY)).toEqual(['unified.elsewhere']);
    expect(await partitions(client)).toContain(month('2025_01'));
  });

  databaseTest('what depends on a partition keeps it, and every other one too', async ({ database }) => {
    const client = await withOldMonths(database);
    await client.query(`create view public.february as select * from ${month('2025_02')}`);
    const before = await partitions(client);
    await expect(cleanUp(client, '1 day', '2025-05-15 UTC')).rejects.toMatchObject({ code: '2BP01' });
    expect(await partitions(client)).toEqual(before);
  });

  databaseTest.for([
    ['no retention', '0', EXACTLY, '22023'],
    ['a negative retention', '-1 day', EXACTLY, '22023'],
    ['a retention that adds up to nothing', '1 month -31 days', EXACTLY, '22023'],
    ['an unknown retention', null, EXACTLY, '22023'],
    ['a moment in the future', '90 days', '2999-01-01 UTC', '22023'],
    ['a moment that no partition holds', '90 days', '2025-07-15 UTC', '55000'],
  ] as const)('%s drops nothing', async ([, retention, at, code], { database }) => {
    const client = await withOldMonths(database);
    const before = await partitions(client);
    await expect(cleanUp(client, retention, at)).rejects.toMatchObject({ code });
    expect(await partitions(client)).toEqual(before);
  });

  databaseTest('it waits for readers no longer than its budget', async ({ database }) => {
    const client = await withOldMonths(database);
    const reader = await database.connect();
    await reader.query('begin; select count(*) from unified.event_metric_events');
    await expect(cleanUp(client, '90 days', EXACTLY)).rejects.toMatchObject({ code: '55P03' });
    await reader.query('commit');
    expect(await cleanUp(client, '90 days', EXACTLY)).toEqual([month('2025_01')]);
  });
});
