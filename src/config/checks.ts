/** Checks across keys. They look at unvalidated values, so that a mistake elsewhere does not hide theirs. */
import { INTERVALS, type Interval } from '../domain/interval.ts';
import { DEFAULT_NAME, problemOfTemplate } from '../domain/naming.ts';
import { formatRelationName, parseRelationName } from '../domain/relation.ts';
import { DEFAULT_PREMAKE, DEFAULT_ZONE } from './defaults.ts';
import { namedTwice } from './document.ts';
import { isKeys, type Keys } from './keys.ts';
import type { Origins } from './origins.ts';
import { parseSchedule, parseTimeZone } from './parsers.ts';
import { type ConfigProblem, type Path, problemAt } from './problems.ts';
import { longestGapMs } from './schedules.ts';
import { nearest } from './suggest.ts';

const keysOf = (value: unknown): Keys => (isKeys(value) ? value : {});

export function crossCheck(raw: unknown, origins: Origins): readonly ConfigProblem[] {
  const { tables, views, jobs } = keysOf(raw);
  const provision = provisionGap(keysOf(keysOf(jobs).provision));
  return [
    ...checkNames(keysOf(tables), keysOf(views), origins),
    ...Object.entries(keysOf(tables)).flatMap(([name, table]) => [
      ...checkTemplate(['tables', name], keysOf(table), origins),
      ...(provision ? checkCoverage(['tables', name], keysOf(table), provision, origins) : []),
    ]),
  ];
}

/** Nothing to do is a mistake: the file was meant to say something. */
export const checkNotEmpty = (raw: unknown, file: string): readonly ConfigProblem[] => {
  const { tables, views } = keysOf(raw);
  const isEmpty = [tables, views].every(
    names => names === undefined || (typeof names === 'object' && names !== null && Object.keys(names).length === 0),
  );
  return isEmpty ? [problemAt({ file }, [], 'names nothing to maintain: write at least one table or view')] : [];
};

function checkNames(tables: Keys, views: Keys, origins: Origins): readonly ConfigProblem[] {
  const seen = new Map<string, Path>();
  const names = [
    ...Object.keys(tables).map(name => ['tables', name]),
    ...Object.keys(views).map(name => ['views', name]),
  ];
  return names.flatMap(path => {
    const place = origins.placeOfKey(path);
    const relation = parseRelationName(path[1] ?? '');
    if ('problem' in relation) return [problemAt(place, path, relation.problem)];
    const first = seen.get(formatRelationName(relation));
    if (first === undefined) {
      seen.set(formatRelationName(relation), path);
      return [];
    }
    const isSameKind = first[0] === path[0];
    return [
      problemAt(
        place,
        path,
        isSameKind ? namedTwice(origins.placeOfKey(first)) : 'is named as a table as well: use one of the two',
      ),
    ];
  });
}

const intervalOf = ({ interval }: Keys): Interval | undefined => INTERVALS.find(word => word === interval);

function checkTemplate(path: Path, table: Keys, origins: Origins): readonly ConfigProblem[] {
  // A misspelt interval is told apart from this; the template is held against what it will be corrected to.
  const interval = intervalOf({ interval: nearest(String(table.interval), INTERVALS) });
  if (typeof table.name !== 'string' || interval === undefined) return [];
  const problem = problemOfTemplate(table.name, interval);
  if (problem === undefined) return [];
  const at = [...path, 'name'];
  return [
    problemAt(
      origins.placeOf(at),
      at,
      origins.about(at, problem),
      `write a template such as '${DEFAULT_NAME[interval]}'`,
    ),
  ];
}

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

interface Gap {
  readonly pattern: string;
  readonly gapMs: number;
}

/** How far apart the runs of provision are, where someone said so; the default schedules are close enough. */
function provisionGap({ schedule, timezone = DEFAULT_ZONE }: Keys): Gap | undefined {
  if (typeof schedule !== 'string' || typeof timezone !== 'string') return undefined;
  if (!parseSchedule(schedule).ok || !parseTimeZone(timezone).ok) return undefined;
  return { pattern: schedule, gapMs: longestGapMs({ pattern: schedule, timezone }) };
}

/** Inserts never fail for want of a partition: what one run prepares has to last until the next one. */
function checkCoverage(path: Path, table: Keys, { pattern, gapMs }: Gap, origins: Origins): readonly ConfigProblem[] {
  const interval = intervalOf(table);
  const premake = table.premake ?? DEFAULT_PREMAKE;
  if (interval === undefined || typeof premake !== 'number' || premake < 1) return [];
  // A day that the end of summer time makes 25 hours long is still a day for a daily schedule.
  const lastsMs = premake * LONGEST_MS[interval] + (interval === 'hour' ? 0 : HOUR_MS);
  if (gapMs <= lastsMs) return [];
  const at = [...path, 'premake'];
  const ahead = `${premake} ${interval}${premake === 1 ? '' : 's'} ahead`;
  const hours = Math.ceil(gapMs / HOUR_MS);
  const message = `${ahead} do not last from one run of provision to the next: schedule '${pattern}' puts them up to ${hours} hours apart`;
  const advice = `write premake: ${Math.ceil(gapMs / LONGEST_MS[interval])}, or let provision run more often`;
  return [problemAt(origins.placeOf(at), at, message, advice)];
}
