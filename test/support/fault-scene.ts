/** A database in which `partkeeper apply` has every kind of work to do, and what must be true of it in the middle and at the end. */
import type { Pool } from 'pg';
import { expect } from 'vitest';
import { type Clone, type Prepared, prepareDatabase } from './clones.ts';
import { halfRetire } from './half-retired.ts';
import { createTable, months } from './tables.ts';

/** `yyyy-mm` in UTC, so many months from now. */
function month(offset: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1)).toISOString().slice(0, 7);
}

const partition = (table: string, offset: number): string => `${table}_${month(offset).replace('-', '_')}`;

/** What an expired partition of the table with `retire: detach` is called; it stays, with its rows. */
const kept = (): string => partition('audit', -4);

/** Of the table with a grace, as earlier runs have left them, and one that has just expired. All but the first one stay. */
const graced = () => ({
  over: partition('graced', -7),
  asked: partition('graced', -6),
  pending: partition('graced', -5),
  expired: partition('graced', -4),
});

/**
 * No tick of the views falls between two commands. The busiest is refreshed twice where only the refresh of what it reads met
 * with the accident, and it has no index for doing so concurrently.
 */
export const POLICY = `tables:
  public.events: { interval: month, retention: 3 months, retire: drop, premake: 1 }
  public.audit: { interval: month, retention: 3 months, retire: detach, premake: 1 }
  public.graced: { interval: month, retention: 3 months, retire: drop, grace: 7 days, premake: 1, analyze: off }
views:
  public.by_kind: { schedule: '0 0 1 1 *' }
  public.busiest: { schedule: '0 0 1 1 *', blocking: true }
`;

/** Why each action is planned: together, everything that partkeeper does. */
export const work = (): readonly string[] => [
  `create-partition ${partition('events', -2)}: gap`,
  `create-partition ${partition('events', 0)}: current-window`,
  `create-partition ${partition('events', 1)}: premake`,
  `drop-partition ${partition('events', -5)}: expired`,
  `drop-partition ${partition('events', -4)}: expired`,
  `detach-partition ${kept()}: expired`,
  `drop-partition ${graced().over}: grace-over`,
  `restore-partition ${graced().asked}: restore-asked`,
  `detach-partition ${graced().pending}: interrupted`,
  `detach-partition ${graced().expired}: expired`,
  'refresh-view by_kind: never-refreshed',
  'refresh-view busiest: never-populated',
  'analyze-table events: never-analyzed',
  'analyze-table audit: never-analyzed',
];

/** The partition that a statement attaches. */
export const attachedBy = (text: string): string | undefined => /attach partition "public"\."([^"]+)"/.exec(text)?.[1];

/**
 * Does it anew where a month began meanwhile: of another month another plan is right, and everything here is about the one
 * that it is.
 */
export async function withinOneMonth<T>(attempt: () => Promise<T>): Promise<T> {
  const before = month(0);
  const outcome = await Promise.allSettled([attempt()]);
  if (month(0) !== before) return attempt();
  const [settled] = outcome;
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

/** Prepared once a month, and dropped together. */
export function scenes(admin: Pool) {
  const prepared = new Map<string, Promise<Prepared>>();
  return {
    async clone(): Promise<Clone> {
      const scene = prepared.get(month(0)) ?? prepareScene(admin);
      prepared.set(month(0), scene);
      return (await scene).clone();
    },
    async drop(): Promise<void> {
      for (const scene of prepared.values()) await (await scene).drop();
    },
  };
}

const prepareScene = (admin: Pool): Promise<Prepared> => prepareDatabase(admin, 'bookkeeping', fill);

async function fill(database: Clone): Promise<void> {
  await createTable(database, 'public.events', {
    partitions: { ...months('events', month(-5), 3), ...months('events', month(-1), 1) },
  });
  await createTable(database, 'public.audit', { partitions: months('audit', month(-4), 6) });
  await createTable(database, 'public.graced', { partitions: months('graced', month(-7), 9) });
  // Each of these is one more statement between making a partition and attaching it, or after.
  await database.query(`
    create index on public.events (id, at);
    alter table public.events enable row level security;
    alter table public.events alter column id set statistics 500;
    alter table public.events replica identity full;
    grant select on public.events to public`);
  // The rows of expired partitions of events have negative numbers: they alone may go.
  for (const offset of [-5, -4, -3, -1])
    await database.query(
      `insert into public.events select $2 * (i - 1000 * $3), $1::timestamptz + i * interval '2 hours' from generate_series(1, 300) i`,
      [`${month(offset)}-01 00:00+00`, offset < -3 ? -1 : 1, offset],
    );
  for (const offset of [-4, -3, -2, -1, 0, 1])
    await database.query(
      `insert into public.audit select i + 1000 * ($2 + 10), $1::timestamptz + i * interval '2 hours' from generate_series(1, 300) i`,
      [`${month(offset)}-01 00:00+00`, offset],
    );
  await database.query(
    `insert into public.graced select i, $1::timestamptz + i * interval '20 hours' from generate_series(1, 250) i`,
    [`${month(-7)}-01 00:00+00`],
  );
  await halfRetire(database, 'public.graced', graced());
  await database.query(
    `
    create materialized view public.by_kind as
      select id % 7 as kind, count(*) as rows from public.events where id > 0 group by id % 7;
    create unique index on public.by_kind (kind);
    create materialized view public.busiest as select max(rows) as rows from public.by_kind with no data;
    insert into public.events select 90000 + i, $1::timestamptz from generate_series(1, 50) i`.replaceAll(
      '$1',
      `'${month(-1)}-20 00:00+00'`,
    ),
  );
}

/** Every row that must be there at every moment, as one figure. */
export async function checksum({ query }: Clone): Promise<string> {
  const [row] = await query<{ sum: string }>(
    `select count(*) || ' rows ' || md5(string_agg(origin || id || at, ',' order by origin, id, at)) as sum from (
       select 'events' as origin, id, at from public.events where id > 0
       union all select 'kept', id, at from public.${kept()}
       union all select 'graced', id, at from public.graced where at >= '${month(-3)}-01 00:00+00'
       union all select 'asked', id, at from public.${graced().asked}
       union all select 'pending', id, at from public.${graced().pending}
       union all select 'expired', id, at from public.${graced().expired}
       union all select 'audit', id, at from public.audit where at >= '${month(-3)}-01 00:00+00') as rows`,
  );
  return row?.sum ?? '';
}

export async function tablesOf({
  query,
}: Clone): Promise<{ readonly attached: readonly string[]; readonly loose: readonly string[] }> {
  const rows = await query<{ name: string; attached: boolean }>(
    `select relname as name, relispartition as attached from pg_class
     where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname`,
  );
  const names = (attached: boolean) => rows.filter(row => row.attached === attached).map(({ name }) => name);
  return { attached: names(true), loose: names(false) };
}

/** True at every moment, even while the backend of a dead process is still busy. */
export async function expectNothingTornNorLost(clone: Clone, checksumBefore: string): Promise<void> {
  const { attached, loose } = await tablesOf(clone);
  const staying = [kept(), graced().asked, graced().pending, graced().expired];
  // Between its detach and its drop the ledger alone says what is to become of a table.
  const going = [graced().over, partition('events', -5), partition('events', -4)];
  expect(
    loose.filter(table => ![...staying, ...going].includes(table)),
    'tables that are nobody’s partition',
  ).toEqual([]);
  for (const table of staying) expect([...attached, ...loose]).toContain(table);
  expect(await checksum(clone), 'the rows inside their retention').toBe(checksumBefore);
}

/** Everything that an apply leaves behind: two databases that were brought in order have the same. */
export async function describeState({ query }: Clone): Promise<readonly string[]> {
  const rows = await query<{ line: string }>(
    `select concat_ws(' ', 'relation', c.relname, c.relkind, i.inhparent::regclass, pg_get_expr(c.relpartbound, c.oid), c.relacl,
              c.relrowsecurity, c.relreplident, c.relispopulated, pg_get_userbyid(c.relowner),
              (select string_agg(concat_ws(' ', a.attname, a.attstattarget), ',' order by a.attnum) from pg_attribute a
               where a.attrelid = c.oid and a.attnum > 0)) as line
       from pg_class c left join pg_inherits i on i.inhrelid = c.oid where c.relnamespace = 'public'::regnamespace
     union all
     select concat_ws(' ', 'index', indrelid::regclass, pg_get_indexdef(indexrelid), indisvalid) from pg_index x
       join pg_class c on c.oid = x.indrelid and c.relnamespace = 'public'::regnamespace
     union all
     select concat_ws(' ', 'by_kind', kind, rows) from public.by_kind
     union all
     select concat_ws(' ', 'busiest', rows) from public.busiest
     union all
     select concat_ws(' ', 'refreshed', relation, is_concurrent, fingerprint is not null) from partkeeper.view_refreshes
     union all
     select concat_ws(' ', 'analyzed', relname, last_analyze is not null)
       from pg_stat_user_tables where relname in ('events', 'audit')
     union all
     select concat_ws(' ', 'row', tableoid::regclass, id) from public.events
     union all
     select concat_ws(' ', 'row', tableoid::regclass, id) from public.graced
     union all
     select concat_ws(' ', 'retirement', relation_name, state) from partkeeper.retirements where ended_at is null
     order by line`,
  );
  return rows.map(({ line }) => line);
}

/** What a process that is gone might have left on the server, other than data. */
export async function whatIsLeftOnServer({ query }: Clone): Promise<readonly string[]> {
  const rows = await query<{ what: string }>(
    `select concat_ws(' ', 'session', application_name, state, query) as what from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()
     union all
     select concat_ws(' ', 'lock', locktype, mode, relation) from pg_locks
       where database = (select oid from pg_database where datname = current_database()) and pid <> pg_backend_pid()
     union all
     select 'prepared transaction ' || gid from pg_prepared_xacts where database = current_database()`,
  );
  return rows.map(({ what }) => what);
}
