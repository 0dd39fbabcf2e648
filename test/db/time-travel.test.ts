/**
 * Years, one day at a time: no row inside its retention is ever lost, no insert ever fails, nothing old stays.
 *
 * The oracle is SQL over a plain table that gets a copy of every row; it knows nothing of partitions.
 * `TIME_TRAVEL_SEED=… vitest run --project db time-travel` repeats a run.
 */
import { expect } from 'vitest';
import type { Interval } from '../../src/domain/interval.ts';
import { DEFAULT_NAME } from '../../src/domain/naming.ts';
import type { TablePolicy } from '../../src/domain/policy.ts';
import { instantFrom, instantFromEpochMs, type KeyType, later } from '../../src/domain/time.ts';
import type { RunReport } from '../../src/run-job.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, relation } from '../support/facts.ts';
import { type OpenPartkeeper, partkeeperTest } from '../support/partkeeper.ts';
import { type Chance, chance } from '../support/random.ts';
import { shortOrLong } from '../support/stress.ts';

const START = Date.UTC(2024, 0, 1);
/** With a 29th of February, and long enough for every retention to end. */
const DAYS = shortOrLong(125, 366 + 2 * 365);
const DAY_MS = 86_400_000;
const SEED = Number(process.env.TIME_TRAVEL_SEED) || Math.floor(Math.random() * 2 ** 31);

interface Traveller {
  readonly table: string;
  readonly key: KeyType;
  readonly zone: string;
  readonly interval: Interval & ('day' | 'week' | 'month');
  readonly premake: number;
  readonly retention: TablePolicy['retention'] & object;
}

const READINGS: Traveller = {
  table: 'readings',
  key: 'timestamp',
  zone: 'Europe/Berlin',
  interval: 'day',
  premake: 3,
  retention: { amount: 5, unit: 'days' },
};

const OTHERS: readonly Traveller[] = [
  {
    table: 'moments',
    key: 'timestamptz',
    zone: 'UTC',
    interval: 'month',
    premake: 2,
    retention: { amount: 90, unit: 'days' },
  },
  {
    table: 'days',
    key: 'date',
    zone: 'America/Santiago',
    interval: 'month',
    premake: 1,
    retention: { amount: 2, unit: 'months' },
  },
  {
    table: 'berlin',
    key: 'timestamptz',
    zone: 'Europe/Berlin',
    interval: 'week',
    premake: 1,
    retention: { amount: 3, unit: 'weeks' },
  },
];

const policyOf = ({ table, zone, ...policy }: Traveller): TablePolicy =>
  aTablePolicy({
    ...policy,
    relation: relation(`public.${table}`),
    timezone: zone,
    name: DEFAULT_NAME[policy.interval],
  });

/** By the clock of UTC: its own, those of Santiago in summer and winter, and of Berlin in summer and winter. */
const MIDNIGHTS = [0, 3, 4, 22, 23];

/** A moment of the day; every third time a midnight somewhere, or the microsecond before or after. */
function momentOf(day: number, { below, instant, pick }: Chance): string {
  const start = instantFromEpochMs(START + day * DAY_MS);
  const midnight = start.add({ hours: pick(MIDNIGHTS) }).add({ microseconds: below(3) - 1 });
  const at = below(3) === 0 ? later(start, midnight) : instant(start, start.add({ hours: 24 }));
  return at.toString({ smallestUnit: 'microsecond' });
}

/** What the wall clock of the table shows. */
const localNow = ({ zone }: Traveller, now: string): string => `(timestamptz '${now}' at time zone '${zone}')`;
const keyOf = ({ key, zone }: Traveller, local: string): string =>
  key === 'timestamptz' ? `(${local}) at time zone '${zone}'` : `(${local})::${key}`;
const spanOf = ({ retention }: Traveller): string => `interval '${retention.amount} ${retention.unit}'`;

/** Rows at these wall clock readings, and their copies. */
const insert = (traveller: Traveller, locals: readonly string[]): string => `
  with rows as (
    insert into ${traveller.table} (at)
    select ${keyOf(traveller, 'local')} from unnest(array[${locals.join(', ')}]::timestamp[]) as local
    returning id, at
  )
  insert into copies select '${traveller.table}', id, at${traveller.key === 'timestamptz' ? ` at time zone '${traveller.zone}'` : ''} from rows;`;

/** Now, the first and last microsecond that may be written, bounds and their neighbours, somewhere ahead, somewhere back. */
function everydayRows(traveller: Traveller, now: string, { below }: Chance): string {
  const local = localNow(traveller, now);
  const current = `date_trunc('${traveller.interval}', ${local})`;
  const step = (count: number): string => `${count} * interval '1 ${traveller.interval}'`;
  const end = `${current} + ${step(traveller.premake + 1)} - interval '1 microsecond'`;
  const share = (): string => `${below(1_000_000)} / 1e6`;
  // As old as retention allows, but not older than the table.
  const late = (text: string): string => `greatest(${text}, birth('${traveller.table}'))`;
  return insert(traveller, [
    local,
    current,
    end,
    `${current} + ${step(1)} - interval '1 microsecond'`,
    `${current} + ${step(1)}`,
    `${current} + ${step(1)} + interval '1 microsecond'`,
    `${local} + ${share()} * (${end} - ${local})`,
    late(`${current} - interval '1 microsecond'`),
    late(`${local} - ${share()} * ${spanOf(traveller)}`),
    late(`${local} - ${spanOf(traveller)}`),
    late(`${local} - ${spanOf(traveller)} + interval '1 microsecond'`),
  ]);
}

/** Rows that are gone too early, and rows that are there too late. */
function faults(traveller: Traveller, now: string): string {
  const { table, key, zone, interval } = traveller;
  const cutoff = `${localNow(traveller, now)} - ${spanOf(traveller)}`;
  // A date means its whole day.
  const youngest = key === 'date' ? `c.local + interval '1 day'` : 'c.local';
  return `
    select '${table}' as table, 'lost' as fault, c.local::text as at from copies c
     where c.of = '${table}' and ${youngest} ${key === 'date' ? '>' : '>='} ${cutoff} and not exists (select from ${table} t where t.id = c.id)
    union all
    select '${table}', 'stays', at::text from ${table}
     where ${key === 'timestamptz' ? `at at time zone '${zone}'` : 'at'} < ${cutoff} - interval '1 ${interval}' - interval '1 day'`;
}

interface World {
  readonly database: TestDatabase;
  readonly open: OpenPartkeeper;
}

async function travel({ database, open }: World, travellers: readonly Traveller[], days: number): Promise<void> {
  const random = chance(SEED);
  const forEach = (sql: (traveller: Traveller) => string) => database.query(travellers.map(sql).join(''));
  await database.query(`
    set timezone = 'UTC';
    create table copies (of text, id bigint, local timestamp, primary key (of, id));
    create table births (of text primary key, local timestamp);
    create function birth(of text) returns timestamp language sql stable as 'select local from births b where b.of = $1'`);
  await forEach(
    ({ table, key }) =>
      `create table ${table} (id bigint generated always as identity, at ${key} not null) partition by range (at);`,
  );
  const partkeeper = open({ tables: travellers.map(policyOf), pool: 1, isAlone: true });
  const done = new Set<string>();

  const liveThrough = async (now: string, day: number, isDown: boolean): Promise<void> => {
    const at = instantFrom(now);
    // The application never waits for us: what the last run made has to be enough, even if a day was left out.
    if (day > 0) await forEach(traveller => insert(traveller, [localNow(traveller, now)]));
    if (isDown) return;
    expectSuccess(await partkeeper.run('provision', { at }));
    if (day === 0)
      await forEach(
        traveller =>
          `insert into births values ('${traveller.table}', date_trunc('${traveller.interval}', ${localNow(traveller, now)}));`,
      );
    await forEach(traveller => everydayRows(traveller, now, random));
    expectSuccess(await partkeeper.run('retire', { at }));
    const actions = partkeeper.eventsOf('action-finished').map(({ action }) => action);
    // Where nothing was done, the plans that said so were empty already.
    if (actions.length > 0) expect((await partkeeper.plan(['provision', 'retire'], { at })).actions).toEqual([]);
    expect(await database.query(travellers.map(traveller => faults(traveller, now)).join(' union all '))).toEqual([]);
    for (const { kind, target } of actions) done.add(`${kind} ${target.name}`);
    partkeeper.forget();
    if (day % 30 === 0)
      await database.query(`delete from copies where local < timestamptz '${now}' - interval '6 months'`);
  };

  let isDown = false;
  for (let day = 0; day < days; day += 1) {
    const now = momentOf(day, random);
    isDown = day > 0 && !isDown && random.below(10) === 0;
    await liveThrough(now, day, isDown).catch((error: unknown) => {
      throw new Error(`Day ${day}, ${now}: repeat it with TIME_TRAVEL_SEED=${SEED}`, { cause: error });
    });
  }
  // All of them were at work, or nothing was tested.
  expect([...done].sort()).toEqual(
    travellers.flatMap(({ table }) => [`create-partition ${table}`, `drop-partition ${table}`]).sort(),
  );
  const rows = await database.query<{ table: string; written: number; left: number }>(
    travellers
      .map(
        ({ table }) =>
          `select '${table}' as table, pg_sequence_last_value(pg_get_serial_sequence('${table}', 'id'))::int as written, count(*)::int as left from ${table}`,
      )
      .join(' union all '),
  );
  for (const { table, written, left } of rows)
    process.stdout.write(
      `${table}: ${days} days and ${written} rows checked, ${left} left; TIME_TRAVEL_SEED=${SEED}\n`,
    );
}

const expectSuccess = (reports: readonly RunReport[]): void =>
  expect(reports.filter(({ outcome }) => outcome !== 'success')).toEqual([]);

// At the same time: their databases are their own.
partkeeperTest.concurrent.for([
  // As many partitions come and go in a year of days as in thirty of months.
  ['daily', [READINGS], shortOrLong(35, 366)],
  ['weekly and monthly', OTHERS, DAYS],
] as const)('with %s partitions', { timeout: 600_000 }, ([, travellers, days], { database, open }) =>
  travel({ database, open }, travellers, days),
);
