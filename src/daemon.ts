/** The long-running service: HTTP first, then the database as soon as it answers, then the queue. */
import { MaintenanceError } from './domain/errors.ts';
import { startHttp } from './http/server.ts';
import { allTargets, observe } from './observe.ts';
import { serveQueue } from './queue/serve.ts';
import type { Live } from './reload.ts';
import { collecting } from './report/collecting.ts';
import { watchEventLoop } from './report/event-loop.ts';
import type { Emit } from './report/events.ts';
import type { LabelValue } from './report/label-values.ts';
import type { Metrics } from './report/metrics.ts';
import type { RunReport } from './run-job.ts';
import { takeInventory } from './schedule/inventory.ts';
import { runRound } from './schedule/round.ts';
import { openStatus } from './status/status.ts';
import { startTriggers } from './triggers.ts';

export interface DaemonOptions {
  readonly live: Live;
  readonly metrics: Metrics;
  /** Aborted by SIGTERM and SIGINT. */
  readonly stopping: AbortSignal;
  /** Called with what reads the configuration anew; whoever gets it calls it when asked to. */
  readonly onReloadable?: ((reload: () => void) => void) | undefined;
  /** Stop after the first round, and do not wait for a database that is away. */
  readonly once: boolean;
  /** What runs may take this long to finish by itself once we were told to stop; then it is cancelled on the server. */
  readonly finishMs?: number | undefined;
  /** Called when the first round is over: with `once` every job, else what was due when the service started. */
  readonly onFirstRound?: ((reports: readonly RunReport[], address: string | undefined) => void) | undefined;
}

const FINISH_MS = 3_000;
/** Sounds the alarm of /livez: no statement of ours may take longer than its budget and this. */
const STALLED_AFTER_MS = 120_000;

/** @returns what the first round came to; throws when the HTTP address is not to be had, or the database with `once` */
export async function runDaemon({
  live,
  metrics,
  stopping,
  onReloadable,
  once,
  finishMs = FINISH_MS,
  onFirstRound,
}: DaemonOptions): Promise<readonly RunReport[]> {
  const { config, runner } = live.app();
  const cancelling = new AbortController();
  stopping.addEventListener('abort', () => setTimeout(() => cancelling.abort(stopping.reason), finishMs).unref(), {
    once: true,
  });
  const finished = new AbortController();
  const over = AbortSignal.any([stopping, finished.signal]);

  const emit: Emit = event => {
    runner.emit(event);
    inventory.listen(event);
    status.listen(event);
  };
  const pulse = watchPulses(runner.monotonicMs, loop => metrics.beat(loop, runner.clock()));
  const looks = pulse.of('inventory');
  const runs = pulse.of('schedule');
  const whileLooking = beating(looks, emit);
  const inventory = takeInventory({
    ...runner,
    emit: whileLooking,
    look: signal => live.use(app => observe({ ...app.runner, emit: whileLooking }, allTargets(app.policies), signal)),
    stopping: over,
    isPatient: !once,
  });
  const status = openStatus({
    app: live.app,
    read: (work, signal) => live.use(app => app.database.read(work, signal)),
    now: inventory.databaseNow,
    problem: () => (stopping.aborted ? 'it is stopping' : inventory.problem()),
    sleep: runner.sleep,
    collect: look => collecting({ ...runner, emit }, 'actions', look),
  });
  // From the start: a database that answers makes no service ready by itself.
  if (!once) inventory.setQueueProblem('the queue is not served yet');
  const stopWatching = watchEventLoop(metrics.countStall);
  const stalledAfterMs = (): number => live.app().config.budget.statementTimeoutMs + STALLED_AFTER_MS;
  const http =
    config.http &&
    (await startHttp({
      ...config.http,
      metrics,
      readiness: () => {
        const problem = stopping.aborted ? 'it is stopping' : inventory.problem();
        return { ready: problem === undefined, reasons: problem === undefined ? [] : [problem] };
      },
      liveness: () => {
        const reasons = pulse.stalled(stalledAfterMs());
        return { alive: reasons.length === 0, reasons };
      },
      status: status.document,
      onRequest: metrics.countRequest,
    }));
  if (http) emit({ kind: 'listening', address: http.address });
  const triggers = once
    ? undefined
    : await startTriggers({
        ...runner,
        live,
        emit,
        metrics,
        problem: () => (stopping.aborted ? 'it is stopping' : inventory.problem()),
      }).catch(async error => {
        await http?.close();
        throw error;
      });
  stopping.addEventListener('abort', () => emit({ kind: 'stopping', because: String(stopping.reason) }), {
    once: true,
  });

  onReloadable?.(() => {
    if (over.aborted) return;
    live.reload();
    inventory.lookNow();
  });

  looks.beat();
  const looking = Promise.all([inventory.run(), http && status.run(over)]);
  let reports: readonly RunReport[] = [];
  try {
    if (!(await isReached(inventory.first, stopping))) return reports;
    runs.beat();
    const whileServing = beating(runs, emit);
    const watched = { ...runner, emit: whileServing };
    if (once) {
      reports = await runRound(watched, { stopping, signal: cancelling.signal });
      if (!stopping.aborted) onFirstRound?.(reports, http?.address);
      return reports;
    }
    await serveQueue({
      ...watched,
      tell: emit,
      use: work =>
        live.use((app, superseded) => {
          const inForce = { config: app.config, runner: { ...app.runner, emit: whileServing } };
          return work(inForce, superseded);
        }),
      databaseNow: inventory.databaseNow,
      stopping,
      signal: cancelling.signal,
      finishMs,
      onIteration: runs.beat,
      onState: inventory.setQueueProblem,
      onFirstRound: found => onFirstRound?.(found, http?.address),
    });
    return reports;
  } finally {
    runs.rest();
    finished.abort('the service ends');
    await looking;
    stopWatching();
    await Promise.all([triggers?.close(), http?.close()]);
    await live.close();
    emit({ kind: 'stopped' });
  }
}

/** Waits for the database for as long as it takes. @returns false when told to stop first */
async function isReached(first: Promise<unknown>, stopping: AbortSignal): Promise<boolean> {
  try {
    await first;
    return true;
  } catch (error) {
    if (stopping.aborted) return false;
    if (error instanceof MaintenanceError) throw error;
    throw new MaintenanceError('UNEXPECTED', 'the inventory ended by itself', { cause: error });
  }
}

type Loop = LabelValue<'loop'>;

interface Pulse {
  readonly beat: () => void;
  /** It has ended, and is not missed. */
  readonly rest: () => void;
}

const beating =
  ({ beat }: Pulse, emit: Emit): Emit =>
  event => {
    beat();
    emit(event);
  };

/** Each loop of the service has a pulse of its own: that one goes on says nothing about the other. */
function watchPulses(monotonicMs: () => number, onBeat: (loop: Loop) => void) {
  const last = new Map<string, number>();
  return {
    of: (loop: Loop): Pulse => ({
      beat: () => {
        last.set(loop, monotonicMs());
        onBeat(loop);
      },
      rest: () => void last.delete(loop),
    }),
    stalled: (afterMs: number): readonly string[] =>
      [...last]
        .map(([loop, atMs]) => ({ loop, silentMs: monotonicMs() - atMs }))
        .filter(({ silentMs }) => silentMs >= afterMs)
        .map(({ loop, silentMs }) => `no sign of life from the ${loop} for ${Math.round(silentMs / 1000)} s`),
  };
}
