/** The grid of windows that an interval lays over a time zone's calendar. */
import type { Temporal } from 'temporal-polyfill';
import { type Instant, isAfter } from './time.ts';

export const INTERVALS = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
export type Interval = (typeof INTERVALS)[number];

/** Half-open: `lower` belongs to the window, `upper` to the next one. */
export interface Window {
  readonly lower: Instant;
  readonly upper: Instant;
}

type Zoned = Temporal.ZonedDateTime;

const startOfMonth = (at: Zoned): Zoned => at.with({ day: 1 }).startOfDay();

/** Weeks are ISO weeks and start on Monday. */
const startOf: { readonly [K in Interval]: (at: Zoned) => Zoned } = {
  hour: at => at.round({ smallestUnit: 'hour', roundingMode: 'floor' }),
  day: at => at.startOfDay(),
  week: at => at.subtract({ days: at.dayOfWeek - 1 }).startOfDay(),
  month: startOfMonth,
  quarter: at => startOfMonth(at.with({ day: 1 }).subtract({ months: (at.month - 1) % 3 })),
  year: at => at.with({ month: 1, day: 1 }).startOfDay(),
};

const step: { readonly [K in Interval]: Temporal.DurationLike } = {
  hour: { hours: 1 },
  day: { days: 1 },
  week: { weeks: 1 },
  month: { months: 1 },
  quarter: { months: 3 },
  year: { years: 1 },
};

/** The window of `interval` in `zone` that contains `at`. */
export function windowAt(at: Instant, interval: Interval, zone: string): Window {
  let lower = startOf[interval](at.toZonedDateTimeISO(zone));
  let upper = lineAfter(lower, interval);
  // Where a clock is put back over midnight, the calendar names a day that has ended already: walk on.
  while (!isAfter(upper.toInstant(), at)) [lower, upper] = [upper, lineAfter(upper, interval)];
  return { lower: lower.toInstant(), upper: upper.toInstant() };
}

/** The next line of the grid. */
function lineAfter(line: Zoned, interval: Interval): Zoned {
  let reached = line;
  for (;;) {
    reached = reached.add(step[interval]);
    const next = startOf[interval](reached);
    // Zones that are put back by half an hour (Lord Howe) have an hour of 90 minutes: its second half starts no window.
    if (isAfter(next.toInstant(), line.toInstant())) return next;
  }
}

/** The window after `window`. */
export const nextWindow = (window: Window, interval: Interval, zone: string): Window => {
  const { upper } = windowAt(window.upper, interval, zone);
  return { lower: window.upper, upper };
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long a window can be, shortest and longest, with room for clocks that are set forward or back on the way, or skip a day. */
const LENGTHS_MS: { readonly [K in Interval]: readonly [number, number] } = {
  hour: [0, DAY_MS],
  day: [0, 3 * DAY_MS],
  week: [5 * DAY_MS, 9 * DAY_MS],
  month: [26 * DAY_MS, 33 * DAY_MS],
  quarter: [88 * DAY_MS, 94 * DAY_MS],
  year: [363 * DAY_MS, 368 * DAY_MS],
};

export const isWindow = (range: Window, interval: Interval, zone: string): boolean => {
  // A calendar is slow to ask, and there may be thousands of partitions of another length.
  const lengthMs = range.upper.epochMilliseconds - range.lower.epochMilliseconds;
  const [shortest, longest] = LENGTHS_MS[interval];
  if (lengthMs < shortest || lengthMs > longest) return false;
  const window = windowAt(range.lower, interval, zone);
  return window.lower.equals(range.lower) && window.upper.equals(range.upper);
};

/** The interval whose window `range` is, if it is one: tells the person which interval the existing partitions have. */
export const intervalOf = (range: Window, zone: string): Interval | undefined =>
  INTERVALS.find(interval => isWindow(range, interval, zone));
