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
  const number = (name: string): number => Number(groups[name] ?? 0);
  const micros = Number((groups.fraction ?? '').padEnd(6, '0'));
  try {
    return Temporal.ZonedDateTime.from(
      {
        timeZone: 'UTC',
        year: groups.bc ? 1 - number('year') : number('year'), // 1 BC is the year 0
        month: number('month'),
        day: number('day'),
        hour: number('hour'),
        minute: number('minute'),
        second: number('second'),
        millisecond: Math.floor(micros / 1000),
        microsecond: micros % 1000,
      },
      { overflow: 'reject' },
    ).toInstant();
  } catch {
    return undefined;
  }
}

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
