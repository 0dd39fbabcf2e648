/** When a schedule comes due. croner only calculates here: its own timers lose ticks whenever the event loop is blocked. */
import type { Schedule } from '../config/config.ts';
import { cronOf } from '../config/parsers.ts';
import type { ScheduleEntry } from '../config/schedules.ts';
import { isSameRelation } from '../domain/relation.ts';
import { type Instant, instantFromEpochMs } from '../domain/time.ts';
import type { DueSince } from '../jobs/job.ts';

/** The last tick at or before `at`. */
export function lastTick(schedule: Schedule, at: Instant): Instant | undefined {
  // croner looks strictly before the moment it is given.
  const [tick] = cronOf(schedule.pattern, schedule.timezone).previousRuns(1, new Date(at.epochMilliseconds + 1));
  return tick && instantFromEpochMs(tick.getTime());
}

/** The first tick after `at`. */
export function nextTick(schedule: Schedule, at: Instant): Instant | undefined {
  const tick = cronOf(schedule.pattern, schedule.timezone).nextRun(new Date(at.epochMilliseconds));
  return tick ? instantFromEpochMs(tick.getTime()) : undefined;
}

export const dueSinceBy =
  (entries: readonly ScheduleEntry[]): DueSince =>
  (job, target, now) => {
    const entry = entries.find(candidate => candidate.job === job && isSameRelation(candidate.target, target));
    return entry && lastTick(entry.schedule, now);
  };
