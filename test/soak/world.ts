/** Tables of one round: of any interval, at any moment, with holes, expired partitions, and some on their way out. */
import { type Interval, nextWindow, type Window, windowAt } from '../../src/domain/interval.ts';
import type { TablePolicy, ViewPolicy } from '../../src/domain/policy.ts';
import { formatRelationName } from '../../src/domain/relation.ts';
import { formatInstant, type Instant, isAfter } from '../../src/domain/time.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, aViewPolicy, relation } from '../support/facts.ts';
import { halfRetire } from '../support/half-retired.ts';
import type { Chance } from '../support/random.ts';

export interface World {
  readonly at: Instant;
  readonly tables: readonly TablePolicy[];
  readonly views: readonly ViewPolicy[];
  /** For the log. */
  readonly text: string;
}

/** Days that are more than one window of it, and no less than any. */
const LENGTH: Partial<Record<Interval, number>> = { day: 1, week: 7, month: 31 };
const EXPIRED = 4;

export async function makeWorld(database: TestDatabase, random: Chance, now?: Instant): Promise<World> {
  const moment = now ?? random.instant(at('2024-01-01'), at('2028-01-01'));
  const tables: TablePolicy[] = [];
  const count = 1 + random.below(3);
  for (let index = 0; index < count; index += 1) tables.push(await makeTable(database, random, `t${index}`, moment));
  await database.query(`
    create materialized view seen as select id % 5 as kind, count(*) as rows from t0 where id >= 0 group by id % 5;
    create unique index on seen (kind)`);
  const text = tables.map(
    ({ relation: { name }, interval, premake, retire, grace }) =>
      `${name} ${interval} premake ${premake} ${retire}${grace ? ' after a grace' : ''}`,
  );
  return {
    at: moment,
    tables,
    views: [aViewPolicy({ relation: relation('public.seen') })],
    text: `${formatInstant(moment)}: ${text.join(', ')}`,
  };
}

async function makeTable(database: TestDatabase, random: Chance, name: string, moment: Instant): Promise<TablePolicy> {
  const interval = random.pick(['day', 'week', 'month'] as const);
  const kept = 2 + random.below(3);
  const policy = aTablePolicy({
    relation: relation(`public.${name}`),
    interval,
    premake: random.below(3),
    retention: { amount: kept * (LENGTH[interval] ?? 1), unit: 'days' },
    retire: random.pick(['drop', 'drop', 'detach']),
    ...(random.below(3) === 0 && { retire: 'drop' as const, grace: { amount: 7, unit: 'days' as const } }),
  });
  const windows = windowsUntil(moment, interval, kept + EXPIRED, random.below(policy.premake + 2));
  const isHole = () => random.below(10) === 0;
  await database.query(`create table ${name} (id bigint not null, at timestamptz not null) partition by range (at)`);
  if (random.below(2) === 0) await database.query(`create index on ${name} (id, at)`);
  if (random.below(5) === 0) await database.query(`alter table ${name} enable row level security`);
  const made: { readonly name: string; readonly window: Window }[] = [];
  for (const [index, window] of windows.entries()) {
    // The oldest are there to be retired, and the present one for the writer.
    const isNeeded = index < EXPIRED || (!isAfter(window.lower, moment) && isAfter(window.upper, moment));
    if (!isNeeded && isHole()) continue;
    const partition = `${name}_p${index}`;
    const [lower, upper] = [formatInstant(window.lower), formatInstant(window.upper)];
    await database.query(`create table ${partition} partition of ${name} for values from ('${lower}') to ('${upper}');
      insert into ${name} select i + ${index * 100}, timestamptz '${lower}' + i * (timestamptz '${upper}' - '${lower}') / 20 from generate_series(0, 19) i`);
    made.push({ name: partition, window });
  }
  const hasDefault = random.below(6) === 0;
  if (!hasDefault && random.below(2) === 0) {
    const [over, asked, pending] = made.map(partition => partition.name);
    if (over && asked && pending)
      await halfRetire(database, formatRelationName(policy.relation), { over, asked, pending });
  } else if (hasDefault) await database.query(`create table ${name}_rest partition of ${name} default`);
  return policy;
}

/** So many windows before the one that contains the moment, that one, and so many after it. */
function windowsUntil(moment: Instant, interval: Interval, before: number, after: number): readonly Window[] {
  let window = windowAt(moment, interval, 'UTC');
  const windows = [window];
  for (let index = 0; index < before; index += 1)
    windows.unshift(windowAt(windows[0]?.lower.subtract({ milliseconds: 1 }) ?? moment, interval, 'UTC'));
  for (let index = 0; index < after; index += 1) {
    window = nextWindow(window, interval, 'UTC');
    windows.push(window);
  }
  return windows;
}
