/** Durations are words (`90 days`), never bare numbers: a retention of `90` once meant seconds to one tool and days to another. */
import { Temporal } from 'temporal-polyfill';
import type { Instant } from './time.ts';

const CALENDAR_UNITS = {
  hour: 'hours',
  day: 'days',
  week: 'weeks',
  month: 'months',
  year: 'years',
} as const;

/** A length on the calendar, such as `90 days` or `3 months`; months and years have no fixed number of seconds. */
export interface CalendarDuration {
  readonly amount: number;
  readonly unit: (typeof CALENDAR_UNITS)[keyof typeof CALENDAR_UNITS];
}

const TIMEOUT_UNITS = {
  ms: 1,
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
};

const PATTERN = /^\s*(?<amount>\d+)\s*(?<unit>[a-z]+)\s*$/i;

const unitOf = <T extends string>(units: Readonly<Record<T, unknown>>, word: string): T | undefined => {
  const lower = word.toLowerCase();
  return (Object.keys(units) as T[]).find(unit => unit === lower || (unit.length > 2 && `${unit}s` === lower));
};

// Temporal would go further back, but PostgreSQL's calendar begins in 4713 BC.
const LONGEST_DAYS = 1_000_000;
const DAYS_OF: { readonly [K in CalendarDuration['unit']]: number } = {
  hours: 1 / 24,
  days: 1,
  weeks: 7,
  months: 31,
  years: 366,
};

/** Why a text is not a duration, or the duration. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** Reads `90 days`, `3 months`, `1 year`, `12 hours`, `2 weeks`. Zero, negative, fractional and unitless are refused. */
export function parseCalendarDuration(text: string): Parsed<CalendarDuration> {
  const match = PATTERN.exec(text);
  if (!match?.groups) {
    const bare = /^\s*-?[\d.]+\s*$/.test(text);
    const problem = bare
      ? `has no unit: write '${text.trim().replace(/^-/, '')} days'`
      : "is not a duration: write a whole number and a unit, such as '90 days', '12 hours' or '3 months'";
    return { ok: false, problem };
  }
  const amount = Number(match.groups.amount);
  const word = unitOf(CALENDAR_UNITS, match.groups.unit ?? '');
  if (!word)
    return {
      ok: false,
      problem: `has the unknown unit '${match.groups.unit}': use hours, days, weeks, months or years`,
    };
  if (amount === 0) return { ok: false, problem: 'is zero, and zero never means "everything" here' };
  const unit = CALENDAR_UNITS[word];
  if (amount * DAYS_OF[unit] > LONGEST_DAYS) return { ok: false, problem: 'is longer than PostgreSQL can reckon with' };
  return { ok: true, value: { amount, unit } };
}

/** Reads `200ms`, `30s`, `15min`, `1 hour` into milliseconds. */
export function parseTimeout(text: string): Parsed<number> {
  const match = PATTERN.exec(text);
  const unit = match?.groups && unitOf(TIMEOUT_UNITS, match.groups.unit ?? '');
  if (!match?.groups || !unit)
    return {
      ok: false,
      problem: "is not a length of time: write a whole number and a unit, such as '200ms', '30s' or '15min'",
    };
  const milliseconds = Number(match.groups.amount) * TIMEOUT_UNITS[unit];
  if (milliseconds === 0) return { ok: false, problem: 'is zero, which PostgreSQL reads as "wait for ever"' };
  if (milliseconds > 2_147_483_647) return { ok: false, problem: 'is longer than PostgreSQL accepts (24 days)' };
  return { ok: true, value: milliseconds };
}

/** `duration` before `at`, on the calendar of `zone`: 90 days are 90 calendar days, also across a change of summer time. */
export const subtract = (at: Instant, duration: CalendarDuration, zone: string): Instant =>
  at
    .toZonedDateTimeISO(zone)
    .subtract({ [duration.unit]: duration.amount })
    .toInstant();

export const formatDuration = ({ amount, unit }: CalendarDuration): string =>
  `${amount} ${amount === 1 ? unit.slice(0, -1) : unit}`;

/** For metrics only, where a policy must be one number of seconds: months and years count back from `at`. */
export const secondsBefore = (at: Instant, duration: CalendarDuration, zone: string): number =>
  Temporal.Duration.from(at.since(subtract(at, duration, zone))).total('seconds');
