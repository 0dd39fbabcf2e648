/** Key time ↔ the text of a bound, as the catalog prints it with TimeZone UTC and DateStyle ISO. */
import { Temporal } from 'temporal-polyfill';
import type { Instant, KeyType } from './time.ts';

const DATE = String.raw`(?<year>\d{4,6})-(?<month>\d\d)-(?<day>\d\d)`;
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.(?<fraction>\d{1,6}))?`;
const ERA = '(?<bc> BC)?';
const SHAPES: { readonly [K in KeyType]: RegExp } = {
  timestamptz: new RegExp(String.raw`^${DATE} ${TIME}\+00${ERA}$`),
  timestamp: new RegExp(`^${DATE} ${TIME}${ERA}$`),
  date: new RegExp(`^${DATE}${ERA}$`),
};

/** Temporal ends in 275760, and a window, or a time zone, may reach a little beyond the bound that it starts from. */
const LAST_YEAR = 275_000;

/** A key's value in ISO style and UTC as key time (`domain/time.ts`); undefined when it is beyond what we can reckon with. */
export function decodeKeyTime(text: string, key: KeyType): Instant | undefined {
  const groups = SHAPES[key].exec(text)?.groups;
  if (!groups || Number(groups.year) > LAST_YEAR) return undefined;
  const { year = '', month = '', day = '', hour = '00', minute = '00', second = '00', fraction = '', bc } = groups;
  // Read by Date and only held by Temporal, which takes twenty times as long to read: a table may have ten thousand bounds.
  const wholeMs = Date.parse(
    `${isoYear(bc ? 1 - Number(year) : Number(year))}-${month}-${day}T${hour}:${minute}:${second}Z`,
  );
  // What Date does not refuse of what does not exist, such as 30 February, it takes for a later day.
  if (Number.isNaN(wholeMs) || new Date(wholeMs).getUTCDate() !== Number(day)) return undefined;
  try {
    return new Temporal.Instant(BigInt(wholeMs) * 1_000_000n + BigInt(fraction.padEnd(6, '0')) * 1_000n);
  } catch {
    return undefined;
  }
}

/** 1 BC is the year 0. */
const isoYear = (year: number): string =>
  year >= 0 && year <= 9999 ? pad(year, 4) : `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** The inverse of {@link decodeKeyTime}. */
export function formatKey(at: Instant, key: KeyType): string {
  const utc = at.toZonedDateTimeISO('UTC');
  const isBeforeChrist = utc.year <= 0;
  const date = `${pad(isBeforeChrist ? 1 - utc.year : utc.year, 4)}-${pad(utc.month)}-${pad(utc.day)}`;
  const era = isBeforeChrist ? ' BC' : '';
  if (key === 'date') return date + era;
  const micros = utc.millisecond * 1000 + utc.microsecond;
  const fraction = micros === 0 ? '' : `.${pad(micros, 6).replace(/0+$/, '')}`;
  const time = `${pad(utc.hour)}:${pad(utc.minute)}:${pad(utc.second)}${fraction}`;
  return `${date} ${time}${key === 'timestamptz' ? '+00' : ''}${era}`;
}
