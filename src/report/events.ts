/** What happens, as data. Whoever acts emits; log, metrics, progress and ledger subscribe and decide nothing. */
import type { ConnectFailure } from '../domain/database.ts';
import type { MaintenanceError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import type { Finding } from '../domain/findings.ts';
import type { Action, JobName, Plan, Skip } from '../domain/plan.ts';
import type { TablePolicy, ViewPolicy } from '../domain/policy.ts';
import type { RelationName } from '../domain/relation.ts';
import type { Instant } from '../domain/time.ts';

/** What made a run start. */
export const TRIGGERS = ['schedule', 'manual', 'startup', 'after'] as const;
export type Trigger = (typeof TRIGGERS)[number];

/**
 * `success`: everything planned was done, or there was nothing to do. `partial`: some of it. `failure`: none of what was
 * planned, or no plan could be made. `canceled`: stopped on request. `skipped`: left out, because of a run of the same job on
 * the same target that is still going, or a pause.
 */
export const OUTCOMES = ['success', 'partial', 'failure', 'canceled', 'skipped'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One job on one target, from observing to observing again. */
export interface RunIdentity extends RunOrigin {
  readonly runId: string;
  /** From 1; the queue tries a run that failed again under the same id. */
  readonly attempt: number;
  readonly job: JobName;
  readonly target: RelationName;
}

/** Why a run is there. */
export interface RunOrigin {
  readonly trigger: Trigger;
  /** The moment of the schedule that it serves. */
  readonly tick?: Instant | undefined;
  /** Who asked for it, and why. */
  readonly requestedBy?: string | undefined;
  readonly reason?: string | undefined;
}

/** What doing an action came to. */
export interface ActionResult {
  /** `already-done`: somebody else did it first, and it is as wanted. */
  readonly outcome: 'done' | 'already-done';
  /** Each statement that was run, in order. */
  readonly statements: readonly string[];
  readonly attempts: number;
  readonly durationMs: number;
  /** Rows and bytes that it removed or refreshed, where known. */
  readonly rows?: number | undefined;
  readonly bytes?: number | undefined;
}

/** Why a job of the queue is not run. */
export const REJECTIONS = ['payload_invalid', 'unknown_target', 'forged_tick'] as const;
export type Rejection = (typeof REJECTIONS)[number];

/** What becomes of a job of the queue; `retried`: it failed, and the queue offers it again. */
export const JOB_OUTCOMES = ['completed', 'retried', 'failed', 'rejected', 'paused'] as const;
export type JobOutcome = (typeof JOB_OUTCOMES)[number];

/** Who looks at something in the background, again and again: facts, the queue, pauses, last runs, recent actions. */
export const COLLECTORS = ['inventory', 'queue', 'pauses', 'runs', 'actions'] as const;
export type Collector = (typeof COLLECTORS)[number];

/** The jobs of the queue that are not over. */
export interface QueueBacklog {
  /** Could be taken at once. */
  readonly ready: number;
  /** Their time has not come. */
  readonly deferred: number;
  readonly active: number;
  /** Since when the first of the ready ones could have been taken; undefined if there is none. */
  readonly readySince: Instant | undefined;
}

export type Event =
  | { readonly kind: 'run-started'; readonly run: RunIdentity; readonly at: Instant }
  | { readonly kind: 'planned'; readonly run: RunIdentity; readonly plan: Plan }
  | { readonly kind: 'action-started'; readonly run: RunIdentity; readonly action: Action }
  | {
      readonly kind: 'action-retried';
      readonly run: RunIdentity;
      readonly action: Action;
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: MaintenanceError;
    }
  | {
      readonly kind: 'action-finished';
      readonly run: RunIdentity;
      readonly action: Action;
      readonly result: ActionResult;
    }
  | {
      readonly kind: 'action-failed';
      readonly run: RunIdentity;
      readonly action: Action;
      readonly error: MaintenanceError;
      readonly attempts: number;
      readonly durationMs: number;
    }
  /** Put off to the next tick: somebody's transaction is in the way. */
  | {
      readonly kind: 'action-deferred';
      readonly run: RunIdentity;
      readonly action: Action;
      readonly error: MaintenanceError;
    }
  | {
      readonly kind: 'run-finished';
      readonly run: RunIdentity;
      readonly outcome: Outcome;
      readonly at: Instant;
      readonly durationMs: number;
      readonly done: number;
      readonly failed: number;
      readonly deferred: number;
      readonly skips: readonly Skip[];
      readonly findings: readonly Finding[];
      readonly error?: MaintenanceError | undefined;
    }
  /** One try of an action has waited for locks as long as this, whether it got them or not. */
  | { readonly kind: 'lock-waited'; readonly run: RunIdentity; readonly action: Action; readonly waitMs: number }
  /** Facts were read in the background or by a run: the source of every state metric. */
  | { readonly kind: 'observed'; readonly facts: Facts; readonly durationMs: number }
  | { readonly kind: 'observation-failed'; readonly error: MaintenanceError; readonly durationMs: number }
  /** Who looks in the background has looked, or could not; of facts, the two above tell. */
  | {
      readonly kind: 'collected';
      readonly collector: Exclude<Collector, 'inventory'>;
      readonly isGood: boolean;
      readonly at: Instant;
      readonly durationMs: number;
    }
  | { readonly kind: 'connect-failed'; readonly reason: ConnectFailure }
  | {
      readonly kind: 'scheduled';
      readonly job: JobName;
      readonly target: RelationName;
      /** Undefined when the job has no schedule for this target. */
      readonly nextRun: Instant | undefined;
    }
  /** A tick that was left out, and why; told by the replica that put it on record. */
  | {
      readonly kind: 'tick-skipped';
      readonly job: JobName;
      readonly target: RelationName;
      readonly tick: Instant;
      readonly reason: string;
    }
  /** Ticks that passed while no replica was there to offer them. */
  | { readonly kind: 'ticks-missed'; readonly job: JobName; readonly ticks: number }
  /** A job of the queue that asked for what is not to be had. */
  | { readonly kind: 'job-rejected'; readonly rejection: Rejection; readonly because: string }
  | { readonly kind: 'queue-watched'; readonly backlog: QueueBacklog }
  /** A job of the queue was picked up, so long after it could have been. */
  | { readonly kind: 'job-taken'; readonly waitMs: number }
  | { readonly kind: 'job-handled'; readonly outcome: JobOutcome }
  /** The queue could not be worked with; it is tried again. */
  | { readonly kind: 'queue-troubled'; readonly error: MaintenanceError }
  /** Something could not be put on record, or read from there; what was to be done was done all the same. */
  | { readonly kind: 'ledger-troubled'; readonly error: MaintenanceError }
  /** A run whose process vanished, marked by whoever found it. */
  | { readonly kind: 'run-interrupted'; readonly runId: string; readonly job: string; readonly target: string }
  /** What rests, for every schedule there is. */
  | { readonly kind: 'pauses-read'; readonly pauses: readonly PauseState[] }
  /** What an earlier process knew of the runs of a job on a target, read from the ledger. */
  | { readonly kind: 'remembered'; readonly job: JobName; readonly target: RelationName; readonly history: RunHistory }
  /** A configuration is in force from here on. */
  | {
      readonly kind: 'config-loaded';
      readonly how: 'start' | 'reload';
      readonly at: Instant;
      readonly origin: string;
      readonly hash: string;
      readonly tables: readonly TablePolicy[];
      readonly views: readonly ViewPolicy[];
      /** Those that partkeeper keeps for itself, and that no file names. */
      readonly ledgerTables: readonly TablePolicy[];
      /** The keys whose values are others than before. */
      readonly changes: readonly string[];
    }
  /** What was read anew is not valid, or not possible; what was in force still is. */
  | { readonly kind: 'reload-failed'; readonly error: MaintenanceError }
  /** Somebody asked over HTTP, and these are the runs, also those that were under way already. */
  | { readonly kind: 'trigger-asked'; readonly via: string; readonly runs: readonly AskedRun[] }
  /** Somebody who may ask did so in vain. */
  | { readonly kind: 'trigger-failed'; readonly via: string; readonly error: MaintenanceError }
  /** A request was turned away, and `untold` before it of which nothing was said. */
  | {
      readonly kind: 'trigger-refused';
      readonly code: number;
      readonly address: string;
      readonly because: string;
      readonly untold: number;
    }
  | { readonly kind: 'ready-changed'; readonly ready: boolean; readonly because: string }
  | { readonly kind: 'listening'; readonly address: string }
  | { readonly kind: 'stopping'; readonly because: string }
  | { readonly kind: 'stopped' };

export interface AskedRun {
  readonly runId: string;
  readonly job: JobName;
  readonly target: string;
  readonly status: string;
}

export interface PauseState {
  readonly job: JobName;
  readonly target: RelationName;
  readonly isPaused: boolean;
  /** Who paused it, why, and since when. */
  readonly pause?:
    | { readonly by: string; readonly reason: string | undefined; readonly since: Instant | undefined }
    | undefined;
}

/** The last runs of a job on a target. */
export interface RunHistory {
  /** Id and attempt (`id.2`) of the last one that has ended, on whichever replica. */
  readonly lastRun: string | undefined;
  /** An {@link Outcome}, or `interrupted`. */
  readonly lastOutcome?: string | undefined;
  readonly lastAttempt: Instant | undefined;
  readonly lastSuccess: Instant | undefined;
  readonly lastDurationMs: number | undefined;
  readonly consecutiveFailures: number;
}

export type Emit = (event: Event) => void;

/** Sends every event to every subscriber; one that throws does not keep the others from theirs. */
export const fanOut =
  (subscribers: readonly Emit[], onSubscriberError: (error: unknown) => void): Emit =>
  event => {
    for (const subscriber of subscribers) {
      try {
        subscriber(event);
      } catch (error) {
        onSubscriberError(error);
      }
    }
  };
