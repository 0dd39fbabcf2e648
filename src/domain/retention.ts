/** Where retention ends. */
import { type CalendarDuration, subtract } from './duration.ts';
import { fromKeyTime, type Instant, type KeyType, toKeyTime } from './time.ts';

/**
 * In key time: whatever has a key before it is past its retention. Undefined when everything is kept for ever.
 *
 * Reckoned with moments and brought to key time at the end, so that the hour that summer time skips is not taken off a
 * retention of hours. A reading that the zone shows twice may have been written at its second showing; the cutoff then
 * lies earlier by as much as the two are apart.
 */
export function cutoffOf(
  now: Instant,
  retention: CalendarDuration | 'forever',
  key: KeyType,
  zone: string,
): Instant | undefined {
  if (retention === 'forever') return undefined;
  const moment = subtract(now, retention, zone);
  const reading = toKeyTime(moment, key, zone);
  return reading.subtract(moment.until(fromKeyTime(reading, key, zone)));
}
