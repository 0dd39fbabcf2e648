/** Holes between the oldest partition and the current window, cut along the grid; none that retention has passed already. */
import { holes } from '../domain/coverage.ts';
import { type Window, windowAt } from '../domain/interval.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { calendarZone, earlier, type Instant, isBefore, later } from '../domain/time.ts';
import type { TimeTable } from './target.ts';

/** A hole of years among hourly partitions is filled over several runs, so that none of them takes hours. */
export const MAX_GAPS_PER_RUN = 100;

interface Gaps {
  /** To be filled now, oldest first, each within one window of the grid. */
  readonly pieces: readonly { readonly window: Window; readonly grid: Window }[];
  /** Holes before every window in which rows may still be inside their retention. */
  readonly expired: readonly Window[];
  /** What is left for later runs. */
  readonly postponed: readonly Window[];
}

export function findGaps(table: TimeTable, policy: TablePolicy, keyNow: Instant, cutoff: Instant | undefined): Gaps {
  const zone = calendarZone(table.key.type, policy.timezone);
  const oldest = oldestReadable(table);
  const end = windowAt(keyNow, policy.interval, zone).lower;
  if (oldest === undefined || !isBefore(oldest, end)) return { pieces: [], expired: [], postponed: [] };
  // Rows of the window in which retention ends may still be inside it: it is filled as a whole.
  const wanted = cutoff === undefined ? oldest : later(oldest, windowAt(cutoff, policy.interval, zone).lower);
  const start = earlier(wanted, end);
  const pieces: Gaps['pieces'][number][] = [];
  const postponed: Window[] = [];
  for (const hole of holes(table.partitions, start, end)) {
    const found = cut(hole, policy, zone, MAX_GAPS_PER_RUN - pieces.length);
    pieces.push(...found.pieces);
    if (found.rest) postponed.push(found.rest);
  }
  return { pieces, expired: holes(table.partitions, oldest, start), postponed };
}

/** The lowest readable bound, of either side: below it nothing was ever covered, or everything is. */
function oldestReadable(table: TimeTable): Instant | undefined {
  let oldest: Instant | undefined;
  for (const { bound } of table.partitions) {
    if (bound.kind !== 'range') continue;
    for (const side of [bound.lower, bound.upper])
      if (side.kind === 'at') oldest = oldest === undefined ? side.at : earlier(oldest, side.at);
  }
  return oldest;
}

/** At most `limit` pieces of a hole, oldest first, and what is left of it. */
function cut(
  hole: Window,
  policy: TablePolicy,
  zone: string,
  limit: number,
): { pieces: Gaps['pieces']; rest: Window | undefined } {
  const pieces: Gaps['pieces'][number][] = [];
  let grid = windowAt(hole.lower, policy.interval, zone);
  while (isBefore(grid.lower, hole.upper)) {
    const window = { lower: later(grid.lower, hole.lower), upper: earlier(grid.upper, hole.upper) };
    if (pieces.length >= limit) return { pieces, rest: { lower: window.lower, upper: hole.upper } };
    pieces.push({ window, grid });
    grid = windowAt(grid.upper, policy.interval, zone);
  }
  return { pieces, rest: undefined };
}
