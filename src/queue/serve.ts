/**
 * The queue's side of the service: offers the ticks of the schedules, works on what is queued, and remembers across restarts.
 * Any number of replicas may do so beside one database.
 */
import type { PgBoss } from 'pg-boss';
import { backoffMs } from '../domain/backoff.ts';
import type { Instant } from '../domain/time.ts';
import { classify } from '../postgres/sqlstate.ts';
import type { Emit } from '../report/events.ts';
import type { Runner, RunReport } from '../run-job.ts';
import { isOutdated, openBoss, prepareQueue } from './boss.ts';
import { firstRound } from './first-round.ts';
import { installQueue, isQueueInstalled, isUpToDate } from './install.ts';
import { offerUntil, prepareOffers } from './offering.ts';
import { superviseUntilStopped } from './supervise.ts';
import { type InForce, portsOf, type WorkLimits } from './work.ts';
import { startWorker } from './worker.ts';

/** Works under the configuration in force, to the end; `superseded` aborts when another one is. */
export type UseInForce = <T>(work: (inForce: InForce, superseded: AbortSignal) => Promise<T>) => Promise<T>;

export interface ServeOptions extends WorkLimits, Pick<Runner, 'emit' | 'sleep' | 'random' | 'monotonicMs' | 'clock'> {
  /** Hears of what is no sign that ticks are offered, or work done. */
  readonly tell: Emit;
  /** Where the database is and the schema of the queue are the same in all that follow one another. */
  readonly use: UseInForce;
  /** The database's clock, as far as it is known. */
  readonly databaseNow: () => Instant;
  /** How long the work under way gets at the end. */
  readonly finishMs: number;
  readonly onIteration: () => void;
  /** Why the queue is not served, or undefined once it is. */
  readonly onState: (problem: string | undefined) => void;
  /** Called once, when what was due at the start is done, as far as this process did it. */
  readonly onFirstRound: (reports: readonly RunReport[]) => void;
}

/** Serves until told to stop; a database that goes away is waited for. Throws when the queue cannot be installed. */
export async function serveQueue(options: ServeOptions): Promise<void> {
  const { use, stopping, finishMs } = options;
  const boss = await whenReachable(options, stopping, () => use(start));
  if (!boss) return;
  const onError = complainTo(options);
  try {
    await Promise.all([offerUntilStopped(options, boss), superviseUntilStopped({ ...options, boss, onError })]);
  } finally {
    await boss.stop({ graceful: true, timeout: finishMs + 1_000 }).catch(onError);
  }
}

const complainTo =
  ({ emit }: Pick<Runner, 'emit'>) =>
  (error: unknown): void =>
    emit({ kind: 'queue-troubled', error: classify(error, 'reach the queue') });

/** One configuration after the other; the worker, once there, goes on. */
async function offerUntilStopped(options: ServeOptions, boss: PgBoss): Promise<void> {
  const { use, stopping, onState } = options;
  const first = firstRound(options.onFirstRound);
  let workerId: string | undefined;
  const startOnce = async (): Promise<string> =>
    (workerId ??= await startWorker(boss, work =>
      use(inForce => work(portsOf(inForce, boss, options, first.finished))),
    ));
  const onTaken = (id: string): void => {
    first.offered(id);
    if (workerId !== undefined) boss.notifyWorker(workerId);
  };
  while (!stopping.aborted)
    await use(async (inForce, superseded) => {
      const until = AbortSignal.any([stopping, superseded]);
      const prepared = await whenReachable(options, until, async () => {
        const offers = await prepareOffers(inForce, boss, onTaken);
        await startOnce();
        return offers;
      });
      if (!prepared) return;
      onState(undefined);
      await offerUntil(until, inForce, prepared, { ...options, onError: complainTo(options) });
    });
}

/** Tries until it works. @returns undefined when `until` aborts before */
async function whenReachable<T>(
  { emit, sleep, random, onState }: ServeOptions,
  until: AbortSignal,
  work: () => Promise<T>,
): Promise<T | undefined> {
  for (let failures = 0; !until.aborted; ) {
    try {
      return await work();
    } catch (thrown) {
      failures += 1;
      const error = classify(thrown, 'reach the queue');
      complainTo({ emit })(error);
      onState(error.message);
      await sleep(backoffMs(failures, random), until).catch(() => {});
    }
  }
  return undefined;
}

async function start({ config, runner }: InForce): Promise<PgBoss> {
  const installed = await runner.database.read(session => isQueueInstalled(session, config.queue.schema));
  if (!installed) await installQueue(config);
  // An earlier version's schema lacks what this one can do without: it asks for it, and goes on.
  else if (!(await runner.database.read(isUpToDate))) await installQueue(config).catch(complainTo(runner));
  try {
    return await startBoss({ config, runner });
  } catch (error) {
    // An earlier version's tables, found by a later version of the service.
    if (!isOutdated(error)) throw error;
    await installQueue(config);
    return startBoss({ config, runner });
  }
}

async function startBoss({ config, runner }: InForce): Promise<PgBoss> {
  const boss = await openBoss({
    database: config.database,
    schema: config.queue.schema,
    migrate: false,
    onError: complainTo(runner),
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
