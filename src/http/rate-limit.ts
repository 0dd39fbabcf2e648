/** How often something may happen: so many at once, and so many again as time passes. */

export interface Rate {
  readonly atOnce: number;
  readonly perMinute: number;
}

export interface RateLimit {
  /** Takes one. @returns 0, or in how many seconds there is one again, at least 1 */
  readonly take: (key?: string) => number;
  /** The same without taking any. */
  readonly look: (key?: string) => number;
}

interface Bucket {
  left: number;
  atMs: number;
}

/** Of so many keys the state is kept; the one that was asked for longest ago is forgotten first. */
const MANY_KEYS = 1_000;

/** One limit for each key, such as an address; without a key, one for all. */
export function rateLimit({ atOnce, perMinute }: Rate, monotonicMs: () => number): RateLimit {
  const buckets = new Map<string, Bucket>();
  const msPerOne = 60_000 / perMinute;

  const fill = (key: string): Bucket => {
    const nowMs = monotonicMs();
    const { left, atMs } = buckets.get(key) ?? { left: atOnce, atMs: nowMs };
    return { left: Math.min(atOnce, left + (nowMs - atMs) / msPerOne), atMs: nowMs };
  };
  const secondsUntilOne = ({ left }: Bucket): number =>
    left >= 1 ? 0 : Math.max(1, Math.ceil(((1 - left) * msPerOne) / 1_000));
  return {
    look: (key = '') => secondsUntilOne(fill(key)),
    take(key = '') {
      const bucket = fill(key);
      const seconds = secondsUntilOne(bucket);
      if (seconds === 0) bucket.left -= 1;
      // Put last, as the one that was asked for most recently.
      buckets.delete(key);
      buckets.set(key, bucket);
      const [oldest] = buckets.keys();
      if (buckets.size > MANY_KEYS && oldest !== undefined) buckets.delete(oldest);
      return seconds;
    },
  };
}
