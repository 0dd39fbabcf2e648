/**
 * Offers every tick of every schedule to the queue. Each replica asks which tick was the last at the database's clock, and
 * sends it under an id that follows from job, target and tick: however many replicas offer it, the queue takes it once.
 */
import type { ScheduleEntry } from '../config/schedules.ts';
import { subtract } from '../domain/duration.ts';
import type { JobName } from '../domain/plan.ts';
import type { RelationName } from '../domain/relation.ts';
import { type Instant, isAfter, isBefore } from '../domain/time.ts';
import { lastTick, nextTick, ticksBetween } from '../schedule/ticks.ts';
import { singletonKey, tickId } from './payload.ts';

/** What became of a tick that was offered. */
export type Offer = 'taken' | 'known' | 'busy';

export interface OfferPorts {
  /** `known`: a job of this id exists already. `busy`: another job of the same key is queued or active. */
  readonly send: (entry: ScheduleEntry, id: string, tick: Instant, startAfter: Instant) => Promise<Offer>;
  readonly skip: (entry: ScheduleEntry, id: string, tick: Instant, reason: string) => Promise<void>;
  readonly isPaused: (job: JobName, target: RelationName) => Promise<boolean>;
  /** Counts ticks that passed while nobody was there to offer them. */
  readonly countMissed: (job: JobName, ticks: number) => void;
}

export interface Offers {
  /** Offers what has come due by `now`. Throws when the queue cannot be reached; the tick is offered again next time. */
  readonly offerDue: (now: Instant) => Promise<void>;
  /** When the next tick of any schedule is; undefined without schedules. */
  readonly nextAfter: (now: Instant) => Instant | undefined;
}

/** A tick offered later than this was missed by every replica. */
const LATE_MS = 60_000;
/** So many missed ticks are put on record one by one; more are only counted. */
const MAX_EXPLAINED = 100;

/** @param lastKnown the last tick that the ledger has of a schedule */
export function makeOffers(
  entries: readonly ScheduleEntry[],
  lastKnown: (job: JobName, target: RelationName) => Instant | undefined,
  ports: OfferPorts,
): Offers {
  const states = entries.map(entry => ({ entry, offered: lastKnown(entry.job, entry.target) }));
  return {
    async offerDue(now) {
      for (const state of states) {
        const tick = lastTick(state.entry.schedule, now);
        if (!tick || (state.offered && !isAfter(tick, state.offered))) continue;
        if (await offer(state.entry, state.offered, tick, now, ports)) state.offered = tick;
      }
    },
    nextAfter: now =>
      entries.reduce<Instant | undefined>((soonest, { schedule }) => {
        const next = nextTick(schedule, now);
        return next && (!soonest || isBefore(next, soonest)) ? next : soonest;
      }, undefined),
  };
}

/** @returns whether the tick is dealt with */
async function offer(
  entry: ScheduleEntry,
  before: Instant | undefined,
  tick: Instant,
  now: Instant,
  ports: OfferPorts,
): Promise<boolean> {
  const { job, target } = entry;
  const skip = (missed: Instant, reason: string) => ports.skip(entry, tickId(job, target, missed), missed, reason);
  if (before) {
    const missed = ticksBetween(entry.schedule, before, tick, MAX_EXPLAINED);
    if (missed.count > 0) ports.countMissed(job, missed.count);
    for (const each of missed.newest) await skip(each, 'missed: no replica was there to offer it');
  }
  if (await ports.isPaused(job, target)) {
    await skip(tick, 'paused');
    return true;
  }
  if (before && now.since(tick).total('milliseconds') > LATE_MS) {
    const reason = whyNotCaughtUp(entry, tick, now);
    if (reason) {
      ports.countMissed(job, 1);
      await skip(tick, reason);
      return true;
    }
  }
  const outcome = await ports.send(entry, tickId(job, target, tick), tick, tick.add({ milliseconds: jitterOf(entry) }));
  if (outcome !== 'busy') return true;
  if (entry.overlap === 'queue-one') return false;
  await skip(tick, 'overlap: the run before it was still going');
  return true;
}

function whyNotCaughtUp(
  { catchUp, catchUpWindow, schedule }: ScheduleEntry,
  tick: Instant,
  now: Instant,
): string | undefined {
  if (catchUp === 'skip') return 'missed: catchUp is skip';
  return isBefore(tick, subtract(now, catchUpWindow, schedule.timezone))
    ? 'missed: longer ago than catchUpWindow'
    : undefined;
}

/** The same on every replica, and spread over the targets. */
function jitterOf({ job, target, jitterMs }: ScheduleEntry): number {
  if (jitterMs === 0) return 0;
  let hash = 0;
  for (const character of singletonKey(job, target)) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % jitterMs;
}
