/** Which moment counts as now, and for what. */

import type { ServerFacts } from './facts.ts';
import { MAX_CLOCK_SKEW_MS } from './policy.ts';
import { earlier, type Instant, later } from './time.ts';

export interface Moments {
  /** The database's clock, or the instant that a person asked for. */
  readonly now: Instant;
  /** The later of the two clocks: rather a partition too early than one too late. */
  readonly forCreating: Instant;
  /** The earlier of the two clocks: rather a partition too long than a row too short. */
  readonly forRetiring: Instant;
  /** Set when the clocks are so far apart that one of them must be wrong. Milliseconds. */
  readonly excessiveSkewMs: number | undefined;
}

/** @param asked a moment to pretend, for `plan --at`: then no clock counts */
export function momentsOf(
  { databaseNow, processNow }: Pick<ServerFacts, 'databaseNow' | 'processNow'>,
  asked?: Instant,
): Moments {
  if (asked) return { now: asked, forCreating: asked, forRetiring: asked, excessiveSkewMs: undefined };
  const skewMs = Math.abs(databaseNow.since(processNow).total('milliseconds'));
  return {
    now: databaseNow,
    // A clock that must be wrong is no reason to create partitions for its century.
    forCreating: skewMs > MAX_CLOCK_SKEW_MS ? databaseNow : later(databaseNow, processNow),
    forRetiring: earlier(databaseNow, processNow),
    excessiveSkewMs: skewMs > MAX_CLOCK_SKEW_MS ? skewMs : undefined,
  };
}
