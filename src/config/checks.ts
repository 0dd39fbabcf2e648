/** Checks across keys. They look at unvalidated values, so that a mistake elsewhere does not hide theirs. */
import { INTERVALS, type Interval } from '../domain/interval.ts';
import { DEFAULT_NAME, problemOfTemplate } from '../domain/naming.ts';
import { formatRelationName, parseRelationName } from '../domain/relation.ts';
import { DEFAULT_PREMAKE, DEFAULT_ZONE, defaultSchedule } from './defaults.ts';
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
  return [
    ...checkNames(keysOf(tables), keysOf(views), origins),
    ...Object.entries(keysOf(tables)).flatMap(([name, table]) => [
      ...checkTemplate(['tables', name], keysOf(table), origins),
      ...checkCoverage(['tables', name], keysOf(table), keysOf(keysOf(jobs).provision), origins),
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

/** Inserts never fail for want of a partition: what one run prepares has to last until the next one. */
function checkCoverage(path: Path, table: Keys, provision: Keys, origins: Origins): readonly ConfigProblem[] {
  const interval = intervalOf(table);
  const premake = table.premake ?? DEFAULT_PREMAKE;
  const pattern = provision.schedule ?? defaultSchedule('provision', interval === 'hour');
  const timezone = provision.timezone ?? DEFAULT_ZONE;
  if (
    interval === undefined ||
    !Number.isInteger(premake) ||
    typeof pattern !== 'string' ||
    typeof timezone !== 'string'
  )
    return [];
  if (!parseSchedule(pattern).ok || !parseTimeZone(timezone).ok) return [];
  // A day that summer time makes 25 hours long has a daily schedule, too.
  const lastsMs = Number(premake) * LONGEST_MS[interval] + (interval === 'hour' ? 0 : HOUR_MS);
  const gapMs = longestGapMs({ pattern, timezone });
  if (gapMs <= lastsMs || Number(premake) < 1) return [];
  const at = [...path, 'premake'];
  return [
    problemAt(
      origins.placeOf(at),
      at,
      `${Number(premake)} ${interval}${premake === 1 ? '' : 's'} ahead do not last from one run of provision to the next, which schedule '${pattern}' puts up to ${Math.ceil(gapMs / HOUR_MS)} hours apart`,
      `write premake: ${Math.ceil(gapMs / LONGEST_MS[interval])}, or schedule provision more often`,
    ),
  ];
}
