/**
 * Moments and the calendar. Below `app.ts` nothing reads a clock: `now` is always an argument, and it is the database's.
 *
 * Microseconds matter (PostgreSQL's timestamps have them, JavaScript's Date loses them), hence Temporal throughout.
 */
import { Temporal } from 'temporal-polyfill';

/** A moment with PostgreSQL's resolution of one microsecond. */
export type Instant = Temporal.Instant;

/** The types of a partition key that a time policy can be applied to. */
export const KEY_TYPES = ['timestamptz', 'timestamp', 'date'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

export const instantFrom = (text: string): Instant => Temporal.Instant.from(text);
export const instantFromEpochMs = (ms: number): Instant => Temporal.Instant.fromEpochMilliseconds(Math.trunc(ms));

export const isBefore = (a: Instant, b: Instant): boolean => Temporal.Instant.compare(a, b) < 0;
export const isAfter = (a: Instant, b: Instant): boolean => Temporal.Instant.compare(a, b) > 0;
export const isSame = (a: Instant, b: Instant): boolean => a.equals(b);
export const earlier = (a: Instant, b: Instant): Instant => (isAfter(a, b) ? b : a);
export const later = (a: Instant, b: Instant): Instant => (isAfter(a, b) ? a : b);

/** Seconds since 1970, with microseconds as the fraction: the unit of every Prometheus timestamp. */
export const toEpochSeconds = (at: Instant): number => Number(at.epochNanoseconds / 1000n) / 1e6;

/** `2026-11-01T00:00:00Z`, with a fraction only where there is one. */
export const formatInstant = (at: Instant): string => at.toString();

/**
 * Key time: the line on which a table's bounds lie.
 *
 * The bounds of a `timestamptz` key are moments; those of `timestamp` and `date` keys are readings of a wall clock without
 * a zone. To compare like with like, a wall clock reading is held as the moment at which a clock in UTC would show it, and
 * `now` is brought to that line before any decision. Ambiguous hours of summer time therefore never occur below here.
 */
export const toKeyTime = (at: Instant, key: KeyType, zone: string): Instant =>
  key === 'timestamptz' ? at : at.toZonedDateTimeISO(zone).toPlainDateTime().toZonedDateTime('UTC').toInstant();

/** The inverse of {@link toKeyTime}; a reading that the zone skips or repeats means its later moment. */
export const fromKeyTime = (keyTime: Instant, key: KeyType, zone: string): Instant =>
  key === 'timestamptz'
    ? keyTime
    : keyTime
        .toZonedDateTimeISO('UTC')
        .toPlainDateTime()
        .toZonedDateTime(zone, { disambiguation: 'later' })
        .toInstant();

/** The zone whose calendar cuts key time into windows: the policy's for moments, none (UTC) for wall clock readings. */
export const calendarZone = (key: KeyType, zone: string): string => (key === 'timestamptz' ? zone : 'UTC');

/** Does the zone exist in the IANA database? Offsets and whole timestamps, which Temporal would take as well, are no zones. */
export const isTimeZone = (zone: string): boolean => {
  try {
    instantFromEpochMs(0).toZonedDateTimeISO(zone);
    return /^[A-Za-z]/.test(new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone);
  } catch {
    return false;
  }
};
