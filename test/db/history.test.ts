/** The demo's past: complete, the same every time, and shaped like a real one. */
import { describe, expect, test } from 'vitest';
import { loadHistory } from '../../src/demo/history.ts';
import { planHistory } from '../../src/demo/history-plan.ts';
import { migrateUp } from '../../src/schema/migrate.ts';
import { databaseTest, type TestDatabase } from '../support/database.ts';

const NOW = new Date('2026-03-31T12:34:56.789Z');

async function migrated(database: TestDatabase): Promise<TestDatabase> {
  await migrateUp(await database.connect(), ['bundled']);
  return database;
}

describe('planHistory', () => {
  test.for([
    ['in the middle of a month', NOW, 3],
    ['at the very beginning of a month', new Date('2026-03-01T00:00:00Z'), 2],
    ['a quarter of an hour into a month', new Date('2026-03-01T00:15:00Z'), 3],
    ['on the last of a month that is longer than the first', new Date('2026-04-30T23:59:59.999Z'), 3],
  ] as const)('ends %s with every row inside its month', ([, now, months]) => {
    const plan = planHistory(now, 2, 5_000);
    expect(plan.length).toBe(months);
    const slots = plan.flatMap(month =>
      month.slots.map(slot => ({
        ...slot,
        inMonth:
          slot.startMs >= month.from.epochMilliseconds && slot.startMs + slot.lengthMs <= month.to.epochMilliseconds,
      })),
    );
    expect(slots.filter(slot => !slot.inMonth || slot.startMs + slot.lengthMs > now.getTime())).toEqual([]);
    // Rows are numbered from 0 without a gap.
    const byRow = slots.toSorted((a, b) => a.firstRow - b.firstRow);
    expect(byRow.map(slot => slot.firstRow)).toEqual(
      byRow.map((_, index) => byRow.slice(0, index).reduce((sum, slot) => sum + slot.rows, 0)),
    );
    expect(byRow.reduce((sum, slot) => sum + slot.rows, 0)).toBe(5_000);
    expect(plan.map(month => month.rows).reduce((a, b) => a + b)).toBe(5_000);
  });

  test('knows days and nights, weekdays and weekends, and trouble in the last hour', () => {
    const slots = planHistory(NOW, 6, 1_000_000).flatMap(month => month.slots);
    const rows = (belongs: (at: Date) => boolean) =>
      slots
        .filter(slot => !slot.isIncident && belongs(new Date(slot.startMs)))
        .reduce((sum, slot) => sum + slot.rows, 0);
    expect(rows(at => at.getUTCHours() === 15)).toBeGreaterThan(5 * rows(at => at.getUTCHours() === 3));
    expect(rows(at => at.getUTCDay() === 3)).toBeGreaterThan(2 * rows(at => at.getUTCDay() === 0));
    const incident = slots.filter(slot => slot.isIncident);
    expect(incident.every(slot => slot.startMs >= NOW.getTime() - 45 * 60_000)).toBe(true);
    expect(incident.reduce((sum, slot) => sum + slot.rows, 0)).toBeGreaterThan(2_000);
  });
});

describe('loadHistory', () => {
  databaseTest('leaves a partition for each month up to now, and none ahead', async ({ database }) => {
    await migrated(database);
    const lines: string[] = [];
    const loaded = await loadHistory(database.url, {
      now: NOW,
      months: 3,
      rows: 4_000,
      onProgress: line => lines.push(line),
    });
    expect(loaded).toMatchObject({ rows: 4_000, partitions: 4 });
    expect(
      await database.query(`
        select name, bound like '%+00'') TO%' as utc from unified.event_metric_partitions() order by covers`),
    ).toEqual(
      ['2025_12', '2026_01', '2026_02', '2026_03'].map(month => ({
        name: `unified.event_metric_events_${month}`,
        utc: true,
      })),
    );
    expect(lines.toSorted()[0]).toMatch(/^loaded 2025-12: [\d,]+ rows$/);
    expect(lines.length).toBe(4);
    expect(
      await database.query(
        `select count(*)::int as rows, min(event_timestamp) >= $1::timestamptz - interval '3 months' and max(event_timestamp) < $1 as inside,
                count(distinct id)::int as ids, bool_and(coalesce(resolved_at < $1, true)) as past
         from unified.event_metric_events`,
        [NOW],
      ),
    ).toEqual([{ rows: 4_000, inside: true, ids: 4_000, past: true }]);
    expect(await database.query('select count(*)::int as sessions from public.sessions')).toEqual([{ sessions: 600 }]);
  });

  databaseTest('the partitions are like those made by hand', async ({ database }) => {
    await migrated(database);
    await loadHistory(database.url, { now: NOW, months: 1, rows: 100 });
    await database.query("select unified.create_monthly_partition('2031-01-01 UTC')");
    const shapes = await database.query<{ name: string; shape: string }>(`
      select p.name, concat_ws(' ', relowner, relacl, relrowsecurity, relforcerowsecurity,
        (select count(*) || ' valid indexes' from pg_index where indrelid = c.oid and indisvalid),
        (select string_agg(tgname, ',') from pg_trigger where tgrelid = c.oid),
        (select string_agg(concat_ws(':', attname, attnotnull, col_description(attrelid, attnum)), ',' order by attnum)
         from pg_attribute where attrelid = c.oid and attnum > 0)) as shape
      from unified.event_metric_partitions() p join pg_class c on c.oid = p.partition`);
    expect(shapes.map(({ name }) => name)).toContain('unified.event_metric_events_2031_01');
    expect(shapes.map(({ name }) => name)).toContain('unified.event_metric_events_2026_03');
    expect(new Set(shapes.map(({ shape }) => shape)).size).toBe(1);
  });

  databaseTest('the same moment gives the same rows', async ({ database }) => {
    await migrated(database);
    const load = async () => {
      await loadHistory(database.url, { now: NOW, months: 1, rows: 2_000 });
      const [sums] = await database.query<{ events: string; sessions: string }>(`
        select (select md5(string_agg(e::text, ',' order by id)) from unified.event_metric_events e) as events,
               (select md5(string_agg(s::text, ',' order by id)) from public.sessions s) as sessions`);
      return sums;
    };
    const first = await load();
    await database.query('truncate unified.event_metric_events, public.sessions');
    expect(first?.events).toMatch(/^[0-9a-f]{32}$/);
    expect(await load()).toEqual(first);
  });

  databaseTest('without a moment it ends now, so that all three views have rows', async ({ database }) => {
    await migrated(database);
    await loadHistory(database.url, { months: 1, rows: 10_000 });
    await database.query('select unified.refresh_materialized_views()');
    for (const view of ['unified.mv_recent_events', 'unified.mv_error_summary', 'unified.mv_performance_metrics']) {
      const rows = await database.query(`select from ${view}`);
      expect([view, rows.length > 3]).toEqual([view, true]);
    }
  });

  databaseTest('the JSON has the standard form, as if the trigger had seen it', async ({ database }) => {
    await migrated(database);
    await loadHistory(database.url, { now: NOW, months: 1, rows: 1_000 });
    expect(
      await database.query(`
        select count(*)::int as rows from unified.event_metric_events
        where event_data = unified.validate_metadata(event_data) and event_metrics = unified.validate_metadata(event_metrics)
          and event_metadata = unified.validate_metadata(event_metadata)`),
    ).toEqual([{ rows: 1_000 }]);
  });

  databaseTest('refuses a table that holds rows, and drops nothing', async ({ database }) => {
    await migrated(database);
    await database.query(
      "insert into unified.event_metric_events (event_type, event_category, source_system) values ('a', 'b', 'c')",
    );
    await expect(loadHistory(database.url, { months: 1, rows: 100 })).rejects.toMatchObject({
      code: 'USAGE',
      message: 'unified.event_metric_events holds rows: history needs an empty table',
    });
    expect(await database.query('select from unified.event_metric_partitions()')).toHaveLength(2);
  });
});
