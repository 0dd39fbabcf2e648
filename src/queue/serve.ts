/**
 * The queue's side of the service: offers the ticks of the schedules, works on what is queued, and remembers across restarts.
 * Any number of replicas may do so beside one database.
 */
import type { PgBoss } from 'pg-boss';
import type { Config } from '../config/config.ts';
import { type ScheduleEntry, schedulesOf } from '../config/schedules.ts';
import { backoffMs } from '../domain/backoff.ts';
import { asMaintenanceError } from '../domain/errors.ts';
import type { JobName } from '../domain/plan.ts';
import { formatRelationName, isSameRelation, type RelationName } from '../domain/relation.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import { jobOf, targetsOf } from '../jobs/registry.ts';
import type { Pair, RememberedRun } from '../ledger/reading.ts';
import { type Runner, type RunReport, runJob } from '../run-job.ts';
import { nextTick } from '../schedule/ticks.ts';
import { isOutdated, openBoss, prepareQueue, QUEUE } from './boss.ts';
import { installQueue, isQueueInstalled, isUpToDate } from './install.ts';
import { leaveOutOf } from './leave-out.ts';
import { askForClearing } from './leftovers.ts';
import { knownTargets, makeKnown, readPaused, recall, type Scheduled } from './memory.ts';
import { type KnownSchedule, makeOffers, type Offer, type Offers } from './offers.ts';
import { isConfiguredIn, PRIORITY, singletonKey } from './payload.ts';
import { superviseUntilStopped } from './supervise.ts';
import { OURSELVES, startWorker } from './worker.ts';

export interface ServeOptions {
  readonly config: Config;
  readonly runner: Runner;
  /** The database's clock, as far as it is known. */
  readonly databaseNow: () => Instant;
  /** Aborted: take nothing more from the queue. */
  readonly stopping: AbortSignal;
  /** Aborted: cancel what runs. */
  readonly signal: AbortSignal;
  /** How long the work under way gets at the end. */
  readonly finishMs: number;
  readonly onIteration: () => void;
  /** Why the queue is not served, or undefined once it is. */
  readonly onState: (problem: string | undefined) => void;
  /** Called once, when what was due at the start is done, as far as this process did it. */
  readonly onFirstRound: (reports: readonly RunReport[]) => void;
}

const LONGEST_SLEEP_MS = 15_000;
/** What another replica did shows in this one's metrics no later. */
const RECALL_EVERY_MS = 60_000;

/** Serves until told to stop; a database that goes away is waited for. Throws when the queue cannot be installed. */
export async function serveQueue(options: ServeOptions): Promise<void> {
  const { runner, finishMs } = options;
  const boss = await whenReachable(options, () => start(options));
  if (!boss) return;
  try {
    const prepared = await whenReachable(options, () => prepare(options, boss));
    if (!prepared) return;
    const { schema } = options.config.queue;
    const onError = (error: unknown): void => complain(runner, error);
    await Promise.all([
      offerUntilStopped(options, prepared),
      superviseUntilStopped({ boss, runner, schema, stopping: options.stopping, onError }),
    ]);
  } finally {
    await boss.stop({ graceful: true, timeout: finishMs + 1_000 }).catch(error => complain(runner, error));
  }
}

const complain = (runner: Runner, error: unknown): void =>
  runner.emit({ kind: 'queue-troubled', error: asMaintenanceError(error) });

/** Tries until it works. @returns undefined when told to stop before */
async function whenReachable<T>(
  { runner, stopping, onState }: ServeOptions,
  work: () => Promise<T>,
): Promise<T | undefined> {
  for (let failures = 0; !stopping.aborted; ) {
    try {
      return await work();
    } catch (error) {
      failures += 1;
      complain(runner, error);
      onState(asMaintenanceError(error).message);
      await runner.sleep(backoffMs(failures, runner.random), stopping).catch(() => {});
    }
  }
  return undefined;
}

async function start({ config, runner }: ServeOptions): Promise<PgBoss> {
  const installed = await runner.database.read(session => isQueueInstalled(session, config.queue.schema));
  if (!installed) await installQueue(config);
  // An earlier version's schema lacks what this one can do without: it asks for it, and goes on.
  else if (!(await runner.database.read(isUpToDate)))
    await installQueue(config).catch(error => complain(runner, error));
  try {
    return await startBoss(config, runner);
  } catch (error) {
    // An earlier version's tables, found by a later version of the service.
    if (!isOutdated(error)) throw error;
    await installQueue(config);
    return startBoss(config, runner);
  }
}

async function startBoss(config: Config, runner: Runner): Promise<PgBoss> {
  const boss = await openBoss({
    database: config.database,
    schema: config.queue.schema,
    migrate: false,
    onError: error => complain(runner, error),
  });
  try {
    await boss.start();
    await prepareQueue(boss, config.queue.runTimeoutMs);
    return boss;
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => {});
    throw error;
  }
}

interface Prepared {
  readonly offers: Offers;
  /** Looks at what the replicas share, as often as it is worth while. */
  readonly lookAround: () => Promise<void>;
}

async function prepare(options: ServeOptions, boss: PgBoss): Promise<Prepared> {
  const { config, runner, signal, stopping } = options;
  const first = firstRound(options.onFirstRound);
  const entries = schedulesOf(config);
  const targets = knownTargets(runner, entries);
  const scheduled = await makeKnown(runner, config, targets);
  const known = await recall(runner, targets);
  let isPaused = await readPaused(runner, entries);

  const leaveOut = leaveOutOf(runner, config.queue.schema);
  const workerId = await startWorker(boss, {
    isConfigured: isConfiguredIn(job => targetsOf(jobOf(job), runner.policies)),
    isPaused: async (job, target) => (await readPaused(runner, entries))(job, target),
    run: request => {
      const timeout = AbortSignal.timeout(config.queue.runTimeoutMs);
      return runJob(runner, {
        ...request,
        stopping: AbortSignal.any([stopping, timeout]),
        signal: AbortSignal.any([signal, request.signal]),
      });
    },
    onRejected: (rejection, because) => runner.emit({ kind: 'job-rejected', rejection, because }),
    leaveOut: async (id, job, target, tick, reason) =>
      void (await leaveOut({ id, job, target, tick, reason }, { isQueued: true })),
    onReport: async report => {
      first.finished(report);
      await askForAnalyze(config, boss, report);
    },
  });

  const offers = makeOffers(entries, knownOf(known, scheduled), {
    isPaused: (job, target) => isPaused(job, target),
    countMissed: (job, ticks) => runner.emit({ kind: 'ticks-missed', job, ticks }),
    skip: ({ job, target }, id, tick, reason) => leaveOut({ id, job, target, tick, reason }),
    send: async (entry, id, tick, startAfter) => {
      const offer = await sendTick(boss, entry, id, tick, startAfter);
      if (offer === 'taken') {
        first.offered(id);
        boss.notifyWorker(workerId);
      }
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
  boss: PgBoss,
  { job, target }: ScheduleEntry,
  id: string,
  tick: Instant,
  startAfter: Instant,
): Promise<Offer> {
  const payload = { job, target: formatRelationName(target), tick: formatInstant(tick) };
  const sent = await boss.send(QUEUE, payload, {
    id,
    singletonKey: singletonKey(job, target),
    priority: PRIORITY[job],
    ...(startAfter.equals(tick) ? {} : { startAfter: new Date(startAfter.epochMilliseconds) }),
  });
  if (sent !== null) return 'taken';
  return (await boss.getJobById(QUEUE, id)) ? 'known' : 'busy';
}

/** The ANALYZE that a table wants after another job has changed it. */
async function askForAnalyze(config: Config, boss: PgBoss, { run, done }: RunReport): Promise<void> {
  const table = config.tables.find(({ policy }) => isSameRelation(policy.relation, run.target));
  if (done === 0 || !table?.analyze?.after.some(after => after === run.job)) return;
  const payload = {
    job: 'analyze',
    target: formatRelationName(run.target),
    requestedBy: OURSELVES,
    reason: `after ${run.job}`,
  };
  await boss.send(QUEUE, payload, { singletonKey: singletonKey('analyze', run.target), priority: PRIORITY.analyze });
}

async function offerUntilStopped(options: ServeOptions, { offers, lookAround }: Prepared): Promise<void> {
  const { config, runner, databaseNow, stopping, onIteration } = options;
  options.onState(undefined);
  for (let failures = 0; !stopping.aborted; ) {
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
      complain(runner, error);
    }
    await runner
      .sleep(failures > 0 ? backoffMs(failures, runner.random) : untilNext(offers, databaseNow()), stopping)
      .catch(() => {});
  }
}

/** Waits for the runs that were offered first; one that another replica took, or that comes later, is not waited for. */
function firstRound(onFirstRound: ServeOptions['onFirstRound']) {
  const open = new Set<string>();
  const reports: RunReport[] = [];
  let isOver = false;
  return {
    offered: (id: string): void => {
      if (!isOver) open.add(id);
    },
    finished: (report: RunReport): void => {
      if (isOver) return;
      reports.push(report);
      open.delete(report.run.runId);
      if (open.size > 0) return;
      isOver = true;
      onFirstRound(reports);
    },
  };
}

const untilNext = (offers: Offers, now: Instant): number => {
  const next = offers.nextAfter(now);
  const ms = next ? Math.ceil(next.since(now).total('milliseconds')) : LONGEST_SLEEP_MS;
  return Math.min(LONGEST_SLEEP_MS, Math.max(0, ms));
};
