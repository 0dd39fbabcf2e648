/** Key time → the text of a bound, exactly as the catalog prints it with TimeZone UTC and DateStyle ISO. */
import type { Instant, KeyType } from '../domain/time.ts';

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

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
