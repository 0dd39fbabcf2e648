/** Events → what was last known of everything: the memory that every answer comes from. It decides nothing. */
import type { MaintenanceError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import type { Finding } from '../domain/findings.ts';
import type { JobName } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { type Instant, isBefore } from '../domain/time.ts';
import type { Emit, Event, PauseState } from '../report/events.ts';
import { trackFindings } from '../report/finding-tracker.ts';
import { LEFT_TO_LOG_AND_METRICS, listenWith } from '../report/listeners.ts';
import type { RecentAction } from './document.ts';
import { mergeFacts, relationsIn } from './merge-facts.ts';
import { deferredAction, failedAction, finishedAction, MAX_ACTIONS } from './recent-actions.ts';

/** What is known of the runs of one job on one target. */
export interface KnownRuns {
  readonly runningSince?: Instant | undefined;
  readonly lastRun?: string | undefined;
  readonly lastFinished?: Instant | undefined;
  readonly lastOutcome?: string | undefined;
  readonly lastSuccess?: Instant | undefined;
  readonly lastDurationMs?: number | undefined;
  readonly consecutiveFailures: number;
  /** Only of a run of this process. */
  readonly error?: MaintenanceError | undefined;
}

export interface Kept {
  readonly facts: Facts | undefined;
  /** When each target was looked at, at the database's clock. */
  readonly readAt: ReadonlyMap<string, Instant>;
  /** Of the last look, if it failed. */
  readonly trouble: MaintenanceError | undefined;
  readonly runs: ReadonlyMap<string, KnownRuns>;
  readonly pauses: ReadonlyMap<string, PauseState>;
  /** What the last runs have found. */
  readonly findings: readonly Finding[];
  /** Of this process, newest first. */
  readonly actions: readonly RecentAction[];
}

export interface Keeper {
  readonly emit: Emit;
  readonly kept: () => Kept;
  /** Moves with everything that changes what is kept. */
  readonly revision: () => number;
}

export const slotOf = (job: JobName, target: RelationName): string => `${job} ${formatRelationName(target)}`;

const NEVER_RAN: KnownRuns = { consecutiveFailures: 0 };

/** @param now the database's clock, as far as it is known */
export function keepStatus(now: () => Instant): Keeper {
  const tracker = trackFindings();
  const readAt = new Map<string, Instant>();
  const runs = new Map<string, KnownRuns>();
  const pauses = new Map<string, PauseState>();
  const actions: RecentAction[] = [];
  let facts: Facts | undefined;
  let trouble: MaintenanceError | undefined;
  let revision = 0;

  const change = (slot: string, how: Partial<KnownRuns>): void =>
    void runs.set(slot, { ...(runs.get(slot) ?? NEVER_RAN), ...how });
  const keepAction = (action: RecentAction): void => {
    actions.unshift(action);
    actions.length = Math.min(actions.length, MAX_ACTIONS);
  };

  const finish = (finished: Extract<Event, { kind: 'run-finished' }>): void => {
    const { run, outcome, at, durationMs, error } = finished;
    const slot = slotOf(run.job, run.target);
    tracker.update(finished);
    if (outcome === 'skipped') {
      change(slot, { runningSince: undefined });
      return;
    }
    const { lastSuccess, consecutiveFailures } = runs.get(slot) ?? NEVER_RAN;
    const isGood = outcome === 'success';
    runs.set(slot, {
      lastRun: `${run.runId}.${run.attempt}`,
      lastFinished: at,
      lastOutcome: outcome,
      lastSuccess: isGood ? at : lastSuccess,
      lastDurationMs: durationMs,
      consecutiveFailures: isGood ? 0 : consecutiveFailures + Number(outcome !== 'canceled'),
      error,
    });
  };

  const remember = ({ job, target, history }: Extract<Event, { kind: 'remembered' }>): void => {
    const slot = slotOf(job, target);
    const known = runs.get(slot);
    const { lastRun, lastAttempt } = history;
    // What this process has seen itself may be newer than what it was able to put on record.
    if (!lastAttempt || (known?.lastFinished && isBefore(lastAttempt, known.lastFinished))) return;
    const isOurs = known?.lastRun === lastRun;
    if (!isOurs) tracker.forget(job, target);
    change(slot, {
      lastRun,
      lastFinished: lastAttempt,
      lastOutcome: history.lastOutcome ?? known?.lastOutcome,
      lastSuccess: history.lastSuccess,
      lastDurationMs: history.lastDurationMs,
      consecutiveFailures: history.consecutiveFailures,
      error: isOurs ? known?.error : undefined,
    });
  };

  const listen = listenWith({
    observed: event => {
      facts = mergeFacts(facts, event.facts);
      for (const relation of relationsIn(event.facts))
        readAt.set(formatRelationName(relation), event.facts.server.databaseNow);
      trouble = undefined;
    },
    'observation-failed': ({ error }) => {
      if (error.code !== 'CANCELLED') trouble = error;
    },
    'run-started': ({ run }) => change(slotOf(run.job, run.target), { runningSince: now() }),
    'run-finished': finish,
    remembered: remember,
    planned: ({ run }) => tracker.planned(run),
    'pauses-read': event => {
      pauses.clear();
      for (const pause of event.pauses) pauses.set(slotOf(pause.job, pause.target), pause);
    },
    'action-finished': ({ action, result }) => keepAction(finishedAction(action, result, now())),
    'action-failed': ({ action, error, durationMs }) => keepAction(failedAction(action, error, durationMs, now())),
    'action-deferred': ({ action, error }) => keepAction(deferredAction(action, error, now())),
    // A configuration that is loaded concerns it as well, but is asked for with each answer.
    ...LEFT_TO_LOG_AND_METRICS,
    'action-started': () => {},
    'action-retried': () => {},
    'ledger-troubled': () => {},
    'run-interrupted': () => {},
    stopping: () => {},
  });

  return {
    emit: event => {
      revision += 1;
      listen(event);
    },
    revision: () => revision,
    kept: () => ({ facts, readAt, trouble, runs, pauses, findings: tracker.current(), actions }),
  };
}
