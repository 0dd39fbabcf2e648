/** The long-running service: HTTP first, then the database as soon as it answers, then one round, then the schedule. */
import type { App } from './app.ts';
import { MaintenanceError } from './domain/errors.ts';
import { startHttp } from './http/server.ts';
import { watchEventLoop } from './report/event-loop.ts';
import type { Metrics } from './report/metrics.ts';
import type { RunReport } from './run-job.ts';
import { takeInventory } from './schedule/inventory.ts';
import { runRound, runSchedule, type SchedulerOptions } from './schedule/scheduler.ts';

export interface DaemonOptions {
  readonly app: App;
  readonly metrics: Metrics;
  /** Aborted by SIGTERM and SIGINT. */
  readonly stopping: AbortSignal;
  /** Stop after the first round. */
  readonly once: boolean;
  /** Called when the first round is over. */
  readonly onFirstRound?: ((reports: readonly RunReport[], address: string | undefined) => void) | undefined;
}

/** What runs may take this long to finish by itself once we were told to stop; then it is cancelled on the server. */
const FINISH_MS = 3_000;
/** Sounds the alarm of /livez: no statement of ours may take longer than its budget and this. */
const STALLED_AFTER_MS = 120_000;

/** @returns what the first round came to; throws when the HTTP address is not to be had, or the database with `once` */
export async function runDaemon({
  app,
  metrics,
  stopping,
  once,
  onFirstRound,
}: DaemonOptions): Promise<readonly RunReport[]> {
  const { config, runner } = app;
  const cancelling = new AbortController();
  stopping.addEventListener('abort', () => setTimeout(() => cancelling.abort(stopping.reason), FINISH_MS).unref(), {
    once: true,
  });
  const finished = new AbortController();
  const over = AbortSignal.any([stopping, finished.signal]);

  let lastSignOfLife = runner.monotonicMs();
  const onIteration = () => {
    lastSignOfLife = runner.monotonicMs();
  };
  const emit: typeof runner.emit = event => {
    onIteration();
    runner.emit(event);
  };
  const watched = { ...runner, emit };
  const stopWatching = watchEventLoop(metrics.countStall);
  const inventory = takeInventory({ ...watched, stopping: over });
  const stalledAfterMs = config.budget.statementTimeoutMs + STALLED_AFTER_MS;
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
        const silentMs = runner.monotonicMs() - lastSignOfLife;
        const alive = silentMs < stalledAfterMs;
        return { alive, reasons: alive ? [] : [`no sign of life from its loops for ${Math.round(silentMs / 1000)} s`] };
      },
      onRequest: metrics.countRequest,
    }));
  if (http) emit({ kind: 'listening', address: http.address });
  stopping.addEventListener('abort', () => emit({ kind: 'stopping', because: String(stopping.reason) }), {
    once: true,
  });

  const looking = inventory.run();
  let reports: readonly RunReport[] = [];
  try {
    if (!(await isReached(inventory.first, stopping))) return reports;
    const scheduler: SchedulerOptions = {
      config,
      runner: watched,
      databaseNow: inventory.databaseNow,
      stopping,
      signal: cancelling.signal,
      onIteration,
    };
    const startedAt = inventory.databaseNow();
    reports = await runRound(scheduler, 'startup');
    if (!stopping.aborted) onFirstRound?.(reports, http?.address);
    if (!once) await runSchedule(scheduler, startedAt);
    return reports;
  } finally {
    finished.abort('the service ends');
    await looking;
    stopWatching();
    await http?.close();
    await app.close();
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
    throw new MaintenanceError('UNEXPECTED', 'the inventory ended by itself', { cause: error });
  }
}
