/** When a schedule comes due. croner only calculates here: its own timers lose ticks whenever the event loop is blocked. */
import type { Cron } from 'croner';
import type { Schedule } from '../config/config.ts';
import { cronOf } from '../config/parsers.ts';
import type { ScheduleEntry } from '../config/schedules.ts';
import { isSameRelation } from '../domain/relation.ts';
import { type Instant, instantFromEpochMs, isAfter } from '../domain/time.ts';
import type { DueSince } from '../jobs/job.ts';

// Understanding a pattern takes longer than asking it, and each is asked several times a minute.
const calculators = new WeakMap<Schedule, Cron>();

function calculatorOf(schedule: Schedule): Cron {
  const known = calculators.get(schedule) ?? cronOf(schedule.pattern, schedule.timezone);
  calculators.set(schedule, known);
  return known;
}

/** The last tick at or before `at`. */
export function lastTick(schedule: Schedule, at: Instant): Instant | undefined {
  // croner looks strictly before the moment it is given.
  const [tick] = calculatorOf(schedule).previousRuns(1, new Date(at.epochMilliseconds + 1));
  return tick && instantFromEpochMs(tick.getTime());
}

/** The first tick after `at`. */
export function nextTick(schedule: Schedule, at: Instant): Instant | undefined {
  const tick = calculatorOf(schedule).nextRun(new Date(at.epochMilliseconds));
  return tick ? instantFromEpochMs(tick.getTime()) : undefined;
}

/** The ticks strictly between two moments: how many, and the newest `limit` of them, oldest first. */
export function ticksBetween(
  schedule: Schedule,
  after: Instant,
  before: Instant,
  limit: number,
): { readonly count: number; readonly newest: readonly Instant[] } {
  const cron = calculatorOf(schedule);
  let ticks: readonly Instant[] = [];
  // Mostly there are none, so a few are looked at before many.
  for (let wanted = 1; wanted <= MAX_COUNTED; wanted *= 8) {
    const found = cron.previousRuns(wanted, new Date(before.epochMilliseconds));
    ticks = found.map(tick => instantFromEpochMs(tick.getTime())).filter(tick => isAfter(tick, after));
    if (ticks.length < wanted) break;
  }
  return { count: ticks.length, newest: ticks.slice(0, limit).toReversed() };
}

/** Days of every-minute ticks; beyond it the figure is a lower bound. */
const MAX_COUNTED = 8 ** 4;

export const dueSinceBy =
  (entries: readonly ScheduleEntry[]): DueSince =>
  (job, target, now) => {
    const entry = entries.find(candidate => candidate.job === job && isSameRelation(candidate.target, target));
    return entry && lastTick(entry.schedule, now);
  };
