/** Where an axis of time is labelled: at round moments, at most eight of them. Pure. */

export interface Tick {
  readonly at: number;
  readonly label: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_TICKS = 8;

/** A step in milliseconds, or in months of the calendar, and how a moment on it is called. */
type Step =
  | { readonly ms: number; readonly label: (at: Date) => string }
  | { readonly months: number; readonly label: (at: Date) => string };

const year = (at: Date): string => String(at.getUTCFullYear());
const month = (at: Date): string => at.toISOString().slice(0, at.getUTCFullYear() > 9999 ? 10 : 7);
const day = (at: Date): string => at.toISOString().slice(5, 10);
const hour = (at: Date): string => (at.getTime() % DAY_MS === 0 ? day(at) : at.toISOString().slice(11, 16));

const STEPS: readonly Step[] = [
  ...[1, 3, 6, 12].map(hours => ({ ms: hours * HOUR_MS, label: hour })),
  ...[1, 2, 7, 14].map(days => ({ ms: days * DAY_MS, label: day })),
  ...[1, 2, 3, 6].map(months => ({ months, label: month })),
  ...[1, 2, 5, 10, 20, 50, 100, 500, 1_000, 10_000, 100_000].map(years => ({ months: 12 * years, label: year })),
];

/** @param from and `to` are in milliseconds since 1970, and so is each tick */
export function ticksBetween(from: number, to: number): readonly Tick[] {
  for (const step of STEPS) {
    const ticks = 'ms' in step ? everyMs(step.ms, from, to) : everyMonths(step.months, from, to);
    if (ticks) return ticks.map(at => ({ at, label: step.label(new Date(at)) }));
  }
  return [];
}

/** Monday, so that weeks begin where people's weeks do. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

function everyMs(ms: number, from: number, to: number): readonly number[] | undefined {
  if ((to - from) / ms > MAX_TICKS) return undefined;
  const origin = ms % (7 * DAY_MS) === 0 ? FIRST_MONDAY_MS : 0;
  const first = Math.ceil((from - origin) / ms) * ms + origin;
  return upTo(to, index => first + index * ms);
}

function everyMonths(months: number, from: number, to: number): readonly number[] | undefined {
  const start = new Date(from);
  const index = start.getUTCFullYear() * 12 + start.getUTCMonth();
  // A month is no shorter than 28 days.
  if ((to - from) / (months * 31 * DAY_MS) > MAX_TICKS) return undefined;
  const floor = Math.floor(index / months) * months;
  const first = monthStart(floor) >= from ? floor : floor + months;
  return upTo(to, step => monthStart(first + step * months));
}

const monthStart = (index: number): number => {
  const at = new Date(0);
  at.setUTCFullYear(Math.floor(index / 12), index % 12, 1);
  return at.getTime();
};

function upTo(end: number, at: (index: number) => number): readonly number[] {
  const found: number[] = [];
  for (let index = 0; at(index) <= end && found.length <= MAX_TICKS; index += 1) found.push(at(index));
  return found;
}
