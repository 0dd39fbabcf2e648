/**
 * Do the partitions that exist have another interval than the configuration asks for?
 *
 * One partition of the configured width is enough for "no": a table may have been converted from a plain one (a wide
 * history, then months) or be on its way from one interval to another.
 */
import { asWindow } from '../domain/bound.ts';
import { type Interval, intervalOf, isWindow } from '../domain/interval.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { calendarZone } from '../domain/time.ts';
import type { TimeTable } from './target.ts';

export interface Contradiction {
  /** The interval that all of them have, if there is such a one. */
  readonly actual: Interval | undefined;
  readonly partitions: number;
}

export function findContradiction(table: TimeTable, { interval, timezone }: TablePolicy): Contradiction | undefined {
  const zone = calendarZone(table.key.type, timezone);
  const windows = table.partitions.map(({ bound }) => asWindow(bound)).filter(window => window !== undefined);
  if (windows.length < 2 || windows.some(window => isWindow(window, interval, zone))) return undefined;
  const [first, ...others] = windows;
  const actual = first && intervalOf(first, zone);
  const isShared = actual !== undefined && others.every(window => isWindow(window, actual, zone));
  return { actual: isShared ? actual : undefined, partitions: windows.length };
}
