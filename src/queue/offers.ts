/**
 * Offers every tick of every schedule to the queue. Each replica asks which tick was the last at the database's clock, and
 * sends it under an id that follows from job, target and tick: however many replicas offer it, the queue takes it once.
 */
import { createHash } from 'node:crypto';
import type { ScheduleEntry } from '../config/schedules.ts';
import { subtract } from '../domain/duration.ts';
import type { JobName } from '../domain/plan.ts';
import type { RelationName } from '../domain/relation.ts';
import { type Instant, isAfter, isBefore, later } from '../domain/time.ts';
import { lastTick, nextTick, ticksBetween } from '../schedule/ticks.ts';
import { singletonKey, tickId } from './payload.ts';

/** What became of a tick that was offered. */
export type Offer = 'taken' | 'known' | 'busy';

export interface OfferPorts {
  /** `known`: a job of this id exists already. `busy`: another job of the same key is queued or active. */
  readonly send: (entry: ScheduleEntry, id: string, tick: Instant, startAfter: Instant) => Promise<Offer>;
  /** Leaves a tick out. @returns whether it did: not when the tick was sent, or left out, by another replica */
  readonly skip: (entry: ScheduleEntry, id: string, tick: Instant, reason: string) => Promise<boolean>;
  /** Throws when that cannot be told. */
  readonly isPaused: (job: JobName, target: RelationName) => boolean;
  /** Counts ticks that passed while nobody was there to offer them. */
  readonly countMissed: (job: JobName, ticks: number) => void;
}

export interface Offers {
  /**
   * Offers what has come due by `now`. A schedule that fails does not keep the others from their turn; the first failure is
   * thrown at the end, and the tick is offered again next time.
   */
  readonly offerDue: (now: Instant) => Promise<void>;
  /** When the next tick of any schedule is; undefined without schedules. */
  readonly nextAfter: (now: Instant) => Instant | undefined;
}

/** A tick offered later than this was missed by every replica that runs. */
const LATE_MS = 60_000;
/** So many missed ticks are put on record one by one; more are only counted. */
const MAX_EXPLAINED = 100;
const MISSED = 'missed: no replica was there to offer it';
export const OVERLAP = 'overlap: the run before it was still going';

/** What is on record of a schedule. */
export interface KnownSchedule {
  /** The last tick that was served or left out. */
  readonly lastTick: Instant | undefined;
  /** Since when it is as it is: a tick from before was never due, though the newest of them is offered as at a first start. */
  readonly since: Instant | undefined;
}

interface State {
  readonly entry: ScheduleEntry;
  readonly since: Instant | undefined;
  /** Ticks up to this one are sent, left out with a reason, or wait. */
  seen: Instant | undefined;
  /** With `queue-one`: the tick that waits for the run before it. */
  waiting: Instant | undefined;
  /** Seen, and neither sent nor left out so far. */
  open: Instant | undefined;
}

export function makeOffers(
  entries: readonly ScheduleEntry[],
  known: (job: JobName, target: RelationName) => KnownSchedule,
  ports: OfferPorts,
): Offers {
  const states = entries.map((entry): State => {
    const { lastTick: seen, since } = known(entry.job, entry.target);
    return { entry, since, seen, waiting: undefined, open: undefined };
  });
  return {
    async offerDue(now) {
      const failures: unknown[] = [];
      for (const state of states) await offerNewest(state, now, ports).catch(error => failures.push(error));
      if (failures.length > 0) throw failures[0];
    },
    nextAfter: now =>
      entries.reduce<Instant | undefined>((soonest, { schedule }) => {
        const next = nextTick(schedule, now);
        return next && (!soonest || isBefore(next, soonest)) ? next : soonest;
      }, undefined),
  };
}

async function offerNewest(state: State, now: Instant, ports: OfferPorts): Promise<void> {
  const tick = lastTick(state.entry.schedule, now);
  if (!tick) return;
  if (!state.seen || isAfter(tick, state.seen)) await lookAtNew(state, tick, now, ports);
  if (state.open && (await isDealtWith(state, state.open, ports))) state.open = undefined;
}

/** A tick comes up: what lies between it and the last one was missed, and it takes the place of one that waits. */
async function lookAtNew(state: State, tick: Instant, now: Instant, ports: OfferPorts): Promise<void> {
  const { entry, since, seen, waiting, open } = state;
  const id = tickId(entry.job, entry.target, tick);
  const after = seen && since ? later(seen, since) : seen;
  const wasDue = after !== undefined && isAfter(tick, after);
  if (waiting) await ports.skip(entry, tickId(entry.job, entry.target, waiting), waiting, OVERLAP);
  const unsent = waiting ? undefined : open;
  let missed = wasDue ? await explainMissed(entry, unsent, after, tick, ports) : 0;
  const isLate = wasDue && now.since(tick).total('milliseconds') > LATE_MS;
  const why = isLate ? whyNotCaughtUp(entry, tick, now) : undefined;
  if (why !== undefined && (await ports.skip(entry, id, tick, why))) missed += 1;
  if (missed > 0) ports.countMissed(entry.job, missed);
  state.seen = tick;
  state.waiting = undefined;
  state.open = why === undefined ? tick : undefined;
}

/** @returns how many nobody has offered or explained before us */
async function explainMissed(
  entry: ScheduleEntry,
  unsent: Instant | undefined,
  after: Instant,
  before: Instant,
  ports: OfferPorts,
): Promise<number> {
  const { count, newest } = ticksBetween(entry.schedule, after, before, MAX_EXPLAINED);
  const explained = unsent ? [unsent, ...newest] : newest;
  let missed = 0;
  for (const [index, tick] of explained.entries()) {
    if (!(await ports.skip(entry, tickId(entry.job, entry.target, tick), tick, MISSED))) continue;
    // Whoever explains the first of them counts those that are not explained one by one, so that they count once as well.
    missed += index === 0 ? 1 + count - newest.length : 1;
  }
  return missed;
}

async function isDealtWith(state: State, tick: Instant, ports: OfferPorts): Promise<boolean> {
  const { entry } = state;
  const { job, target } = entry;
  const id = tickId(job, target, tick);
  if (ports.isPaused(job, target)) {
    await ports.skip(entry, id, tick, 'paused');
    return true;
  }
  const outcome = await ports.send(entry, id, tick, tick.add({ milliseconds: jitterOf(entry) }));
  if (outcome !== 'busy') return true;
  if (entry.overlap === 'queue-one') {
    state.waiting = tick;
    return false;
  }
  await ports.skip(entry, id, tick, OVERLAP);
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

/** The same on every replica, and spread over the targets: names that differ in one letter must not come close together. */
function jitterOf({ job, target, jitterMs }: ScheduleEntry): number {
  if (jitterMs === 0) return 0;
  return createHash('sha256').update(singletonKey(job, target)).digest().readUInt32BE() % jitterMs;
}
