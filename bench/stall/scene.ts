/** The databases: one template for each kind of default partition, and a fresh copy for every measurement. */
import { Client } from 'pg';
import { PREMAKE, RETENTION_DAYS } from './contenders/contender.ts';
import type { DefaultPartition, Scenario, Work } from './scenarios.ts';

export interface Scene {
  readonly zone: string;
  readonly admin: Client;
  /** A fresh database with `bench.events`; the one before is dropped. */
  readonly open: (scenario: Scenario) => Promise<{ readonly url: string; readonly client: Client }>;
  readonly close: () => Promise<void>;
}

const PREFIX = 'partkeeper_stall_';
const WORKING = `${PREFIX}work`;
const ROWS_A_DAY = 20_000;
const QUIET_HOUR = 3;

export async function openScene(serverUrl: string): Promise<Scene> {
  const zone = zoneWhereItIs(QUIET_HOUR, new Date());
  const admin = await connect(serverUrl, 'postgres');
  const made = new Set<DefaultPartition>();
  let client: Client | undefined;
  const forget = async (name: string): Promise<void> =>
    void (await admin.query(`drop database if exists ${name} with (force)`));
  const leave = async (): Promise<void> => {
    await client?.end().catch(() => undefined);
    client = undefined;
    await forget(WORKING);
  };
  const create = async (name: string, template: string): Promise<Client> => {
    await forget(name);
    // Copied as files, so that the copy is not in the log that the writers are about to write.
    await admin.query(`create database ${name} template ${template} strategy file_copy`);
    await admin.query(`alter database ${name} set timezone = '${zone}'`);
    return connect(serverUrl, name);
  };
  const templateOf = async (kind: DefaultPartition): Promise<string> => {
    const name = `${PREFIX}template_${kind}`;
    if (made.has(kind)) return name;
    made.add(kind);
    const building = await create(name, 'template0');
    await building.query(tableSql(kind));
    await building.query('vacuum (freeze, analyze)');
    await building.end();
    return name;
  };
  return {
    zone,
    admin,
    open: async ({ defaultPartition }) => {
      await leave();
      client = await create(WORKING, await templateOf(defaultPartition));
      return { url: urlOf(serverUrl, WORKING), client };
    },
    close: async () => {
      await leave();
      for (const kind of made) await forget(`${PREFIX}template_${kind}`);
      await admin.end();
    },
  };
}

/** Days must not change while they are measured, so they begin where midnight is hours away. */
function zoneWhereItIs(hour: number, now: Date): string {
  const east = hour - now.getUTCHours();
  const offset = east < -12 ? east + 24 : east;
  // POSIX signs: west is positive.
  return offset === 0 ? 'UTC' : `Etc/GMT${offset > 0 ? '-' : '+'}${Math.abs(offset)}`;
}

const urlOf = (serverUrl: string, database: string): string => {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
};

async function connect(serverUrl: string, database: string): Promise<Client> {
  const client = new Client({ connectionString: urlOf(serverUrl, database), application_name: 'stall bench' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const today = `date_trunc('day', now())`;

const createDays = (from: string, to: string): string => `
  do $$ declare lower timestamptz; begin
    for lower in select generate_series(${from}, ${to}, interval '1 day') loop
      execute format('create table bench.%I partition of bench.events for values from (%L) to (%L)',
        'events_p' || to_char(lower, 'YYYY_MM_DD'), lower, lower + interval '1 day');
    end loop;
  end $$;
  insert into bench.events (ts, device, payload)
  select day + interval '1 second' * n, n, repeat('x', 100)
  from generate_series(${from}, least(${to}, ${today}), interval '1 day') day, generate_series(0, ${ROWS_A_DAY} - 1) n;`;

const DEFAULT_SQL: Readonly<Record<DefaultPartition, string>> = {
  none: '',
  empty: 'create table bench.events_default partition of bench.events default;',
  '1m': `create table bench.events_default partition of bench.events default;
    insert into bench.events (ts, device, payload)
    select timestamptz '2000-01-01' + interval '1 minute' * n, n, repeat('x', 100) from generate_series(1, 1000000) n;`,
};

const tableSql = (kind: DefaultPartition): string => `
  create schema bench;
  create table bench.events (
    id bigint generated always as identity, ts timestamptz not null, device int not null, payload text, primary key (id, ts)
  ) partition by range (ts);
  create index on bench.events (device, ts);
  ${createDays(`${today} - interval '${RETENTION_DAYS} days'`, `${today} + interval '${PREMAKE} days'`)}
  ${DEFAULT_SQL[kind]}`;

const NEWEST = `'events_p' || to_char(${today} + interval '${PREMAKE} days', 'YYYY_MM_DD')`;
const EXPIRED_DAY = `${today} - interval '${RETENTION_DAYS + 1} days'`;
const EXPIRED = `'events_p' || to_char(${EXPIRED_DAY}, 'YYYY_MM_DD')`;

/** What a night leaves to be done: the last partition ahead is missing, or one has passed its retention, or both. */
export async function rollOver(client: Client, work: Work): Promise<void> {
  if (work !== 'retire') await client.query(`do $$ begin execute format('drop table bench.%I', ${NEWEST}); end $$`);
  if (work !== 'create') await client.query(createDays(EXPIRED_DAY, EXPIRED_DAY));
  await client.query('vacuum (analyze)');
  await client.query('checkpoint');
}

export interface Verdict {
  readonly isCreated: boolean;
  /** Neither attached, nor about to be detached, nor left as a table of its own. */
  readonly isRetired: boolean;
  /** What is there of the expired partition, in words. */
  readonly remains: string;
}

const VERDICT = `
  with child as (
    select c.relname as name, i.inhdetachpending as is_pending, pg_get_expr(c.relpartbound, 0) as bound
    from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'bench.events'::regclass
  )
  select
    exists (select from child where not is_pending
      and bound like format('FOR VALUES FROM (''%s %%', to_char(${today} + interval '${PREMAKE} days', 'YYYY-MM-DD'))) as created,
    case
      when exists (select from child where name = ${EXPIRED} and is_pending) then 'is pending detach'
      when exists (select from child where name = ${EXPIRED}) then 'is still attached'
      when to_regclass('bench.' || ${EXPIRED}) is not null then 'is detached, not dropped'
      else 'is gone'
    end as remains`;

/** Read from the catalog, whatever the contender says of itself. */
export async function readVerdict(client: Client): Promise<Verdict> {
  const { rows } = await client.query<{ created: boolean; remains: string }>(VERDICT);
  const [row] = rows;
  if (!row) throw new Error('The catalog answered nothing.');
  return { isCreated: row.created, isRetired: row.remains === 'is gone', remains: row.remains };
}
