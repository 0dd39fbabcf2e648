/** A queue of the imagination, and a schedule that is offered to it. */
import type { ScheduleEntry } from '../../../src/config/schedules.ts';
import type { CalendarDuration } from '../../../src/domain/duration.ts';
import type { JobName } from '../../../src/domain/plan.ts';
import { formatInstant, type Instant } from '../../../src/domain/time.ts';
import { type KnownSchedule, makeOffers, type Offer, type Offers } from '../../../src/queue/offers.ts';
import { at, relation } from '../../support/facts.ts';

export const days = (amount: number): CalendarDuration => ({ amount, unit: 'days' });

export const hourly = (over: Partial<ScheduleEntry> = {}): ScheduleEntry => ({
  job: 'refresh',
  target: relation('app.totals'),
  schedule: { pattern: '0 * * * *', timezone: 'UTC' },
  overlap: 'skip',
  jitterMs: 0,
  catchUp: 'once',
  catchUpWindow: days(31),
  ...over,
});

/** The queue and the ledger that all replicas of a test share: an id is taken once, of a key one job is under way. */
export function fakeQueue() {
  const ids = new Map<string, string>();
  const underWay = new Set<string>();
  const story: string[] = [];
  const paused = new Set<JobName>();
  const state = { isAway: false, missed: 0 };
  const clockOf = (tick: Instant): string => formatInstant(tick).slice(11, 16);
  const replica = (entries: readonly ScheduleEntry[], known: Partial<KnownSchedule> = {}): Offers =>
    makeOffers(entries, () => ({ lastTick: undefined, since: undefined, ...known }), {
      async send(entry, id, tick, startAfter): Promise<Offer> {
        if (state.isAway) throw new Error('the database is away');
        if (ids.has(id)) return 'known';
        const key = `${entry.job}/${entry.target.name}`;
        if (underWay.has(key)) return 'busy';
        underWay.add(key);
        const delayMs = startAfter.since(tick).total('milliseconds');
        ids.set(id, 'sent');
        story.push(`${clockOf(tick)} sent${delayMs > 0 ? ` ${delayMs} ms later` : ''}`);
        return 'taken';
      },
      async skip(_, id, tick, reason): Promise<boolean> {
        if (state.isAway) throw new Error('the database is away');
        if (ids.has(id)) return false;
        ids.set(id, reason);
        story.push(`${clockOf(tick)} ${reason}`);
        return true;
      },
      isPaused: job => paused.has(job),
      countMissed: (_, ticks) => {
        state.missed += ticks;
      },
    });
  return { replica, story, paused, state, ids, finish: () => underWay.clear() };
}

export const MISSED = 'missed: no replica was there to offer it';
export const OVERLAP = 'overlap: the run before it was still going';
export const on = (time: string): Instant => at(`2026-11-21T${time}Z`);
