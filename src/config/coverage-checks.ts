/** Inserts never fail for want of a partition: what one run of provision prepares has to last until the next one. */
import { INTERVALS, type Interval } from '../domain/interval.ts';
import { formatRelationName, isSameRelation, parseRelationName } from '../domain/relation.ts';
import type { Schedule } from './config.ts';
import { DEFAULT_PREMAKE } from './defaults.ts';
import { type Keys, keysOf } from './keys.ts';
import { LEDGER_INTERVAL, LEDGER_PREMAKE, LEDGER_TABLES } from './ledger-tables.ts';
import type { Origins } from './origins.ts';
import { type ConfigProblem, type Path, problemAt } from './problems.ts';
import { readSchedule } from './raw-schedules.ts';
import { longestGapMs } from './schedules.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LONGEST_MS: { readonly [K in Interval]: number } = {
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 31 * DAY_MS,
  quarter: 92 * DAY_MS,
  year: 366 * DAY_MS,
};

/** The default schedules of provision are close enough for every table, so only one that was written is looked at. */
export function checkCoverage(raw: unknown, origins: Origins): readonly ConfigProblem[] {
  const { tables, jobs } = keysOf(raw);
  const schedule = readSchedule(keysOf(keysOf(jobs).provision));
  if (!schedule) return [];
  const gapMs = longestGapMs(schedule);
  return [
    ...Object.entries(keysOf(tables)).flatMap(([name, table]) =>
      checkTable(['tables', name], keysOf(table), schedule, gapMs, origins),
    ),
    ...checkLedger(keysOf(tables), schedule, gapMs, origins),
  ];
}

// A day that the end of summer time makes 25 hours long is still a day for a daily schedule.
const lastsMs = (premake: number, interval: Interval): number =>
  premake * LONGEST_MS[interval] + (interval === 'hour' ? 0 : HOUR_MS);

const describe = (premake: number, interval: Interval, { pattern }: Schedule, gapMs: number): string =>
  `${premake} ${interval}${premake === 1 ? '' : 's'} ahead do not last from one run of provision to the next: schedule '${pattern}' puts them up to ${Math.ceil(gapMs / HOUR_MS)} hours apart`;

function checkTable(
  path: Path,
  table: Keys,
  schedule: Schedule,
  gapMs: number,
  origins: Origins,
): readonly ConfigProblem[] {
  const interval = INTERVALS.find(word => word === table.interval);
  const premake = table.premake ?? DEFAULT_PREMAKE;
  if (interval === undefined || typeof premake !== 'number' || premake < 1) return [];
  if (gapMs <= lastsMs(premake, interval)) return [];
  const at = [...path, 'premake'];
  const advice = `write premake: ${Math.ceil(gapMs / LONGEST_MS[interval])}, or let provision run more often`;
  return [problemAt(origins.placeOf(at), at, describe(premake, interval, schedule, gapMs), advice)];
}

/** The ledger's own tables are in no file, unless somebody wants more of them kept ready. */
function checkLedger(tables: Keys, schedule: Schedule, gapMs: number, origins: Origins): readonly ConfigProblem[] {
  if (gapMs <= lastsMs(LEDGER_PREMAKE, LEDGER_INTERVAL)) return [];
  const named = Object.keys(tables).map(parseRelationName);
  const left = LEDGER_TABLES.filter(
    table => !named.some(relation => !('problem' in relation) && isSameRelation(relation, table)),
  );
  if (left.length === 0) return [];
  const at = ['jobs', 'provision', 'schedule'];
  const names = left.map(formatRelationName).join(' and ');
  const message = `of ${names}, ${describe(LEDGER_PREMAKE, LEDGER_INTERVAL, schedule, gapMs)}`;
  return [problemAt(origins.placeOf(at), at, message, 'let provision run once a month or more often')];
}
