/** The views of the bundled schema, who may read what, and what triggers do to rows. */
import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { describe, expect } from 'vitest';
import { migrateUp } from '../../src/schema/migrate.ts';
import { heldLocks } from '../support/client.ts';
import { databaseTest, type TestDatabase } from '../support/database.ts';

const VIEWS = ['unified.mv_recent_events', 'unified.mv_error_summary', 'unified.mv_performance_metrics'] as const;

async function migrated(database: TestDatabase): Promise<Client> {
  const client = await database.connect();
  await migrateUp(client, ['bundled']);
  return client;
}

const insertEvent = `
  insert into unified.event_metric_events (event_type, event_category, source_system, severity, status, duration_ms)
  values ('provider_timeout', 'error', 'provider', 'error', 'failed', 1200)`;

const rowsOf = async (client: Client, sql: string, params: readonly unknown[] = []) =>
  (await client.query(sql, [...params])).rows;
const countOf = async (client: Client, relation: string): Promise<number> =>
  (await rowsOf(client, `select count(*)::int as count from ${relation}`))[0]?.count;

describe('views', () => {
  databaseTest.for(VIEWS)('%s can be refreshed concurrently from the first day on', async (view, { database }) => {
    const client = await migrated(database);
    await client.query(insertEvent);
    expect(await countOf(client, view)).toBe(0);
    await client.query(`refresh materialized view concurrently ${view}`);
    expect(await countOf(client, view)).toBe(1);
  });

  databaseTest('the error summary counts what failed and what was resolved', async ({ database }) => {
    const client = await migrated(database);
    await client.query(insertEvent);
    await client.query(insertEvent.replace("'failed'", "'success'"));
    await client.query(insertEvent.replace("'error', 'failed'", "'info', 'failed'"));
    await client.query('refresh materialized view unified.mv_error_summary');
    expect(
      await rowsOf(
        client,
        'select total_errors::int, failed_count::int, resolved_count::int from unified.mv_error_summary',
      ),
    ).toEqual([{ total_errors: 2, failed_count: 1, resolved_count: 1 }]);
  });

  databaseTest('refresh_materialized_views refreshes all three without locking readers out', async ({ database }) => {
    const client = await migrated(database);
    await client.query(insertEvent);
    await client.query('begin');
    const outcomes = await rowsOf(
      client,
      'select view_name, outcome, detail from unified.refresh_materialized_views()',
    );
    const modes: string[] = [];
    for (const view of VIEWS) for (const { mode } of await heldLocks(client, view)) modes.push(mode);
    await client.query('commit');

    expect(outcomes).toEqual(VIEWS.map(view => ({ view_name: view, outcome: 'refreshed', detail: null })));
    expect(modes).toContain('ExclusiveLock');
    expect(modes).not.toContain('AccessExclusiveLock');
    expect(await countOf(client, VIEWS[2])).toBe(1);
  });

  databaseTest('one view that cannot be refreshed does not keep the others from it', async ({ database }) => {
    const client = await migrated(database);
    await client.query(insertEvent);
    await client.query(
      'drop index unified.mv_recent_events_key; refresh materialized view unified.mv_error_summary with no data; drop materialized view unified.mv_performance_metrics',
    );
    const warnings: string[] = [];
    client.on('notice', notice => warnings.push(notice.message ?? ''));
    expect(await rowsOf(client, 'select outcome, detail from unified.refresh_materialized_views()')).toEqual([
      {
        outcome: 'failed',
        detail: 'it has no usable unique index, and a refresh without one would lock out its readers',
      },
      { outcome: 'populated', detail: null },
      { outcome: 'failed', detail: 'relation "unified.mv_performance_metrics" does not exist' },
    ]);
    expect(warnings.length).toBe(2);
    expect(await countOf(client, 'unified.mv_error_summary')).toBe(1);
  });
});

describe('metadata', () => {
  databaseTest.for([
    [null, { version: '1.0', schema: 'standard' }],
    ['null', { version: '1.0', schema: 'standard' }],
    ['{}', { version: '1.0', schema: 'standard' }],
    ['{"version": "2.1", "schema": "mine", "a": null}', { version: '2.1', schema: 'standard', a: null }],
    ['[1, 2]', { version: '1.0', schema: 'standard', value: [1, 2] }],
    ['"text"', { version: '1.0', schema: 'standard', value: 'text' }],
  ] as const)('%s gets its standard form, and keeps it', async ([given, expected], { database }) => {
    const client = await migrated(database);
    const [row] = await rowsOf(
      client,
      'select unified.validate_metadata($1) as once, unified.validate_metadata(unified.validate_metadata($1)) as twice',
      [given],
    );
    expect(row).toEqual({ once: expected, twice: expected });
  });

  databaseTest('every row gets it, and an update the time of its change', async ({ database }) => {
    const client = await migrated(database);
    await client.query(`
      insert into unified.event_metric_events (event_type, event_category, source_system, event_data, updated_at)
      values ('a', 'b', 'c', null, '2001-01-01 UTC')`);
    const look =
      "select event_data->>'schema' as schema, event_metadata->>'version' as version, updated_at = '2001-01-01 UTC' as kept, updated_at = now() as touched from unified.event_metric_events";
    expect(await rowsOf(client, look)).toEqual([{ schema: 'standard', version: '1.0', kept: true, touched: false }]);
    await client.query("begin; update unified.event_metric_events set event_metadata = '{}'");
    expect(await rowsOf(client, look)).toEqual([{ schema: 'standard', version: '1.0', kept: false, touched: true }]);
  });

  databaseTest('a session that changes says when', async ({ database }) => {
    const client = await migrated(database);
    await client.query("insert into public.sessions (session_id, updated_at) values ('s', '2001-01-01 UTC')");
    await client.query('begin; update public.sessions set request_count = 1');
    expect(await rowsOf(client, 'select updated_at = now() as touched from public.sessions')).toEqual([
      { touched: true },
    ]);
  });
});

/** Runs `work` in a transaction with roles that are gone afterwards: roles belong to the whole server. */
async function withRoles(client: Client, roles: string, work: () => Promise<void>): Promise<void> {
  await client.query(`begin; ${roles}`);
  try {
    await work();
  } finally {
    await client.query('rollback');
  }
}

describe('who may see what', () => {
  databaseTest(
    'a reader sees every event through the table, none in a partition, and writes nothing',
    async ({ database }) => {
      const client = await migrated(database);
      await client.query(insertEvent);
      const [{ partition }] = await rowsOf(
        client,
        'select tableoid::regclass::text as partition from unified.event_metric_events',
      );
      expect(await countOf(client, partition)).toBe(1);

      await client.query('set role partkeeper_reader');
      expect(await countOf(client, 'unified.event_metric_events')).toBe(1);
      expect(await countOf(client, partition)).toBe(0);
      await expect(client.query(insertEvent)).rejects.toMatchObject({ code: '42501' });
      await expect(client.query(`delete from ${partition}`)).rejects.toMatchObject({ code: '42501' });
      for (const view of VIEWS) expect(await countOf(client, view)).toBe(0);
    },
  );

  databaseTest(
    'the service writes and reads through the table; a partition by itself is closed to it too',
    async ({ database }) => {
      const client = await migrated(database);
      await client.query('set role partkeeper_service');
      await client.query(insertEvent);
      const [{ partition }] = await rowsOf(
        client,
        'select tableoid::regclass::text as partition from unified.event_metric_events',
      );
      expect(await countOf(client, partition)).toBe(0);
      await expect(client.query(insertEvent.replace('unified.event_metric_events', partition))).rejects.toMatchObject({
        code: '42501',
      });
      await client.query("insert into public.sessions (session_id) values ('s')");
      await client.query('update unified.event_metric_events set retry_count = 1; delete from public.sessions');
      expect(await countOf(client, 'public.sessions')).toBe(0);
    },
  );

  databaseTest(
    'the policies are for their roles: another role sees nothing, even with the right to select',
    async ({ database }) => {
      const client = await migrated(database);
      await client.query(insertEvent);
      await client.query("insert into public.sessions (session_id, user_id) values ('s', 'partkeeper_outsider')");
      const roles = `create role partkeeper_outsider; grant usage on schema unified to partkeeper_outsider;
      grant select on unified.event_metric_events, public.sessions to partkeeper_outsider; set local role partkeeper_outsider`;
      await withRoles(client, roles, async () => {
        expect(await countOf(client, 'unified.event_metric_events')).toBe(0);
        expect(await countOf(client, 'public.sessions')).toBe(0);
      });
    },
  );

  databaseTest(
    'a user sees the sessions that carry the name of their role, whatever settings they make',
    async ({ database }) => {
      const client = await migrated(database);
      await client.query(
        "insert into public.sessions (session_id, user_id) values ('hers', 'partkeeper_alice'), ('his', 'bob'), ('none', null)",
      );
      const roles = 'create role partkeeper_alice in role partkeeper_reader; set local role partkeeper_alice';
      await withRoles(client, roles, async () => {
        await client.query(`set local "request.jwt.claim.sub" = 'bob'`);
        expect(await rowsOf(client, 'select session_id from public.sessions')).toEqual([{ session_id: 'hers' }]);
      });
    },
  );

  databaseTest(
    "with Supabase's roles the policies are theirs, and a user is who auth.uid() says",
    async ({ database }) => {
      const client = await database.connect();
      const supabase = `
      do $$ begin
        if to_regrole('service_role') is null then create role service_role bypassrls; end if;
        if to_regrole('authenticated') is null then create role authenticated; end if;
      end $$;
      create schema auth; grant usage on schema auth to authenticated;
      create function auth.uid() returns uuid language sql stable
        as $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$`;
      await withRoles(client, supabase, async () => {
        for (const name of ['0001_events', '0002_maintenance', '0003_views', '0004_sessions', '0005_security'])
          await client.query(await readFile(new URL(`../../sql/schema/${name}.up.sql`, import.meta.url), 'utf8'));
        expect(
          await rowsOf(client, 'select distinct polname, polroles::regrole[]::text as roles from pg_policy order by 1'),
        ).toEqual([
          { polname: 'Allow authenticated users to read events', roles: '{authenticated}' },
          { polname: 'Allow authenticated users to read own sessions', roles: '{authenticated}' },
          { polname: 'Allow service role full access', roles: '{service_role}' },
        ]);
        const me = '6f9619ff-8b86-d011-b42d-00c04fc964ff';
        await client.query(
          `insert into public.sessions (session_id, user_id) values ('mine', '${me}'), ('theirs', 'x')`,
        );
        await client.query(`set local role authenticated; set local "request.jwt.claim.sub" = '${me}'`);
        expect(await rowsOf(client, 'select session_id from public.sessions')).toEqual([{ session_id: 'mine' }]);
      });
    },
  );
});
