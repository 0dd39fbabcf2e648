/** Offers the ticks of one configuration to the queue, for as long as that configuration is in force. */
import type { PgBoss } from 'pg-boss';
import { type ScheduleEntry, schedulesOf } from '../config/schedules.ts';
import { backoffMs } from '../domain/backoff.ts';
import type { JobName } from '../domain/plan.ts';
import { isSameRelation, type RelationName } from '../domain/relation.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import type { Pair, RememberedRun } from '../ledger/reading.ts';
import type { Runner } from '../run-job.ts';
import { nextTick } from '../schedule/ticks.ts';
import { prepareQueue, QUEUE } from './boss.ts';
import { leaveOutOf } from './leave-out.ts';
import { askForClearing } from './leftovers.ts';
import { knownTargets, makeKnown, readPaused, recall, type Scheduled } from './memory.ts';
import { type KnownSchedule, makeOffers, type Offer, type Offers } from './offers.ts';
import { sendJob } from './send.ts';
import type { InForce } from './work.ts';

const LONGEST_SLEEP_MS = 15_000;
/** What another replica did shows in this one's metrics no later. */
const RECALL_EVERY_MS = 60_000;

export interface Prepared {
  readonly offers: Offers;
  /** Looks at what the replicas share, as often as it is worth while. */
  readonly lookAround: () => Promise<void>;
}

/** Tells the database what is configured, and recalls what is on record of it. `onTaken` hears of each tick that the queue took. */
export async function prepareOffers(
  { config, runner }: InForce,
  boss: PgBoss,
  onTaken: (id: string) => void,
): Promise<Prepared> {
  await prepareQueue(boss, config.queue.runTimeoutMs);
  const entries = schedulesOf(config);
  const targets = knownTargets(runner, entries);
  const scheduled = await makeKnown(runner, config, targets);
  const known = await recall(runner, targets);
  let isPaused = await readPaused(runner, entries);
  const leaveOut = leaveOutOf(runner, config.queue.schema);

  const offers = makeOffers(entries, knownOf(known, scheduled), {
    isPaused: (job, target) => isPaused(job, target),
    countMissed: (job, ticks) => runner.emit({ kind: 'ticks-missed', job, ticks }),
    skip: ({ job, target }, id, tick, reason) => leaveOut({ id, job, target, tick, reason }),
    send: async (entry, id, tick, startAfter) => {
      const offer = await sendTick(runner, boss, entry, id, tick, startAfter);
      if (offer === 'taken') onTaken(id);
      return offer;
    },
  });
  await askForClearing(runner, boss);
  let recalledMs = runner.monotonicMs();
  const lookAround = async (): Promise<void> => {
    isPaused = await readPaused(runner, entries);
    if (runner.monotonicMs() - recalledMs < RECALL_EVERY_MS) return;
    recalledMs = runner.monotonicMs();
    await recall(runner, targets);
  };
  return { offers, lookAround };
}

const knownOf =
  (runs: readonly RememberedRun[], scheduled: readonly Scheduled[]) =>
  (job: JobName, target: RelationName): KnownSchedule => {
    const isIt = (pair: Pair): boolean => pair.job === job && isSameRelation(pair.target, target);
    return { lastTick: runs.find(isIt)?.lastTick, since: scheduled.find(isIt)?.since };
  };

async function sendTick(
  runner: Runner,
  boss: PgBoss,
  { job, target }: ScheduleEntry,
  id: string,
  tick: Instant,
  startAfter: Instant,
): Promise<Offer> {
  const later = startAfter.equals(tick) ? {} : { startAfter: new Date(startAfter.epochMilliseconds) };
  const sent = await sendJob(runner, boss, job, target, { tick: formatInstant(tick) }, { id, ...later });
  if (sent !== null) return 'taken';
  return (await boss.getJobById(QUEUE, id)) ? 'known' : 'busy';
}

export interface OfferingOptions {
  /** The database's clock, as far as it is known. */
  readonly databaseNow: () => Instant;
  readonly onIteration: () => void;
  readonly onError: (error: unknown) => void;
}

/** Ends when `until` aborts; what goes wrong is told, and tried again. */
export async function offerUntil(
  until: AbortSignal,
  { config, runner }: InForce,
  { offers, lookAround }: Prepared,
  { databaseNow, onIteration, onError }: OfferingOptions,
): Promise<void> {
  for (let failures = 0; !until.aborted; ) {
    onIteration();
    const now = databaseNow();
    for (const { job, target, schedule } of schedulesOf(config))
      runner.emit({ kind: 'scheduled', job, target, nextRun: nextTick(schedule, now) });
    try {
      await lookAround();
      await offers.offerDue(now);
      failures = 0;
    } catch (error) {
      failures += 1;
      onError(error);
    }
    // Of many schedules one may fail: the others have their next ticks in time.
    const nextMs = untilNext(offers, databaseNow());
    const delayMs = failures > 0 ? Math.min(nextMs, backoffMs(failures, runner.random)) : nextMs;
    await runner.sleep(delayMs, until).catch(() => {});
  }
}

const untilNext = (offers: Offers, now: Instant): number => {
  const next = offers.nextAfter(now);
  const ms = next ? Math.ceil(next.since(now).total('milliseconds')) : LONGEST_SLEEP_MS;
  return Math.min(LONGEST_SLEEP_MS, Math.max(0, ms));
};
