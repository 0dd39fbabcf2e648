/** Text of the configuration → values. Each parser says why a text is none, as `what is wrong: what to do`. */
import { Cron } from 'croner';
import { type CalendarDuration, type Parsed, parseCalendarDuration, subtract } from '../domain/duration.ts';
import { byteLength, parseRelationName, type RelationName } from '../domain/relation.ts';
import { instantFrom, isAfter, isTimeZone } from '../domain/time.ts';
import { nearest, refuseWord } from './suggest.ts';

const refuse = (problem: string): { readonly ok: false; readonly problem: string } => ({ ok: false, problem });

const FOREVER = ['keep forever', 'forever'] as const;

/** `90 days`, or `keep forever`. */
export function parseRetention(text: string): Parsed<CalendarDuration | 'forever'> {
  const words = text.trim().toLowerCase().replaceAll(/\s+/g, ' ');
  if (FOREVER.some(word => word === words)) return { ok: true, value: 'forever' };
  const parsed = parseCalendarDuration(text);
  if (parsed.ok) return parsed;
  const near = nearest(words, FOREVER);
  if (near !== undefined) return refuse(`is not a duration: did you mean '${near}'?`);
  return parsed.problem.includes(': ') ? parsed : refuse(`${parsed.problem}: write '90 days', or 'keep forever'`);
}

// The month before this day is as long as any.
const AFTER_A_LONG_MONTH = instantFrom('2024-02-01T00:00:00Z');
const MONTH: CalendarDuration = { amount: 1, unit: 'months' };

const isShorterThanMonth = (duration: CalendarDuration): boolean =>
  isAfter(subtract(AFTER_A_LONG_MONTH, duration, 'UTC'), subtract(AFTER_A_LONG_MONTH, MONTH, 'UTC'));

/** As {@link parseRetention}, but a month at least: what is not on record cannot be looked up, or caught up. */
export function parseLedgerRetention(text: string): Parsed<CalendarDuration | 'forever'> {
  const parsed = parseRetention(text);
  return parsed.ok && parsed.value !== 'forever' && isShorterThanMonth(parsed.value)
    ? refuse("is shorter than a month: write '1 month' or more, or 'keep forever'")
    : parsed;
}

const NO_GRACE = 'none';

/** `7 days`, or `none`. */
export function parseGrace(text: string): Parsed<CalendarDuration | typeof NO_GRACE> {
  if (text.trim().toLowerCase() === NO_GRACE) return { ok: true, value: NO_GRACE };
  const parsed = parseCalendarDuration(text);
  return parsed.ok || parsed.problem.includes(': ')
    ? parsed
    : refuse(`${parsed.problem}: write '7 days', or '${NO_GRACE}'`);
}

/** `schema.view`, quoted as in SQL where needed. */
export function parseViewName(text: string): Parsed<RelationName> {
  const name = parseRelationName(text);
  return 'problem' in name ? refuse(name.problem.replace(`'${text}' `, '')) : { ok: true, value: name };
}

/** `31 days`. */
export function parseDuration(text: string): Parsed<CalendarDuration> {
  const parsed = parseCalendarDuration(text);
  return parsed.ok || parsed.problem.includes(': ') ? parsed : refuse(`${parsed.problem}: write '31 days'`);
}

const QUEUE_SCHEMA = 'partkeeper_queue';
const MAX_QUEUE_SCHEMA_BYTES = 50;
const TAKEN_SCHEMA = /^(?:partkeeper|public|information_schema|pg_.*)$/;

/** A name that needs no quotes, and leaves room for what the queue derives from it. */
export function parseQueueSchema(text: string): Parsed<string> {
  const bytes = byteLength(text);
  if (bytes > MAX_QUEUE_SCHEMA_BYTES)
    return refuse(`is ${bytes} bytes long: use a name of ${MAX_QUEUE_SCHEMA_BYTES} at most`);
  if (!/^[a-z_][a-z0-9_]*$/.test(text))
    return refuse(`is not a plain name: use lower-case letters, digits and _, such as '${QUEUE_SCHEMA}'`);
  if (TAKEN_SCHEMA.test(text)) return refuse(`is a schema with a use of its own: write '${QUEUE_SCHEMA}'`);
  return { ok: true, value: text };
}

/** For what comes due when; it starts no timer. */
export const cronOf = (pattern: string, timezone: string): Cron =>
  new Cron(pattern, { ...zoneOf(timezone), mode: '5-or-6-parts', paused: true });

// croner asks Intl about every moment that it considers, a hundred times as much work as adding an offset that never changes.
const zoneOf = (timezone: string) => (timezone === 'UTC' ? { utcOffset: 0 } : { timezone });

// Any fixed day will do to see whether a pattern ever comes due; a leap year, so that 29 February is not far.
export const REFERENCE_DAY = new Date('2024-01-01T00:00:00Z');

/** A cron pattern of five parts, or six with seconds first. */
export function parseSchedule(text: string): Parsed<string> {
  const advice = "write minute, hour, day, month and weekday, such as '15 3 * * *'";
  // croner also reads a date, which would come due once and never again.
  if (text.includes(':')) return refuse(`is a moment, not a cron pattern: ${advice}`);
  try {
    if (cronOf(text, 'UTC').nextRun(REFERENCE_DAY) === null) return refuse(`never comes due: ${advice}`);
    return { ok: true, value: text };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '').replaceAll(/\.$/g, '') : '';
    return refuse(`is not a cron pattern (${reason}): ${advice}`);
  }
}

/** A zone that both Temporal, which lays out partitions, and Intl, which schedules, know. */
export function parseTimeZone(text: string): Parsed<string> {
  if (isTimeZone(text) && isKnownToIntl(text)) return { ok: true, value: text };
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  const city = text.toLowerCase().replaceAll(' ', '_');
  const near = zones.find(zone => zone.toLowerCase().endsWith(`/${city}`)) ?? nearest(text, zones);
  return refuse(
    `is not a time zone: ${near ? `did you mean '${near}'?` : "write an IANA name, such as 'Europe/Berlin'"}`,
  );
}

const isKnownToIntl = (timeZone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
};

export interface Listen {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

const LISTEN = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<host>[\w.-]+)):(?<port>\d{1,5})$/i;

/** `host:port`, `[::1]:port`. */
export function parseListen(text: string): Parsed<Listen> {
  const { v6, host, port } = LISTEN.exec(text.trim())?.groups ?? {};
  const address = v6 ?? host;
  if (address === undefined || !isPort(Number(port), 0)) {
    const bare = /^:?(?<port>\d{1,5})$/.exec(text.trim())?.groups?.port;
    const example = `127.0.0.1:${bare !== undefined && isPort(Number(bare), 0) ? bare : 9465}`;
    return refuse(`is not an address and a port: write host:port, such as '${example}', or off`);
  }
  return { ok: true, value: { host: address, port: Number(port) } };
}

export const isPort = (port: number, least = 1): boolean => Number.isInteger(port) && port >= least && port <= 65_535;

/** libpq's words, and the driver's `no-verify`: encrypted, but whoever answers is believed. */
export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const;

export function parseSslMode(text: string): Parsed<string> {
  const mode = SSL_MODES.find(word => word === text);
  return mode ? { ok: true, value: mode } : refuse(refuseWord(text, SSL_MODES));
}
