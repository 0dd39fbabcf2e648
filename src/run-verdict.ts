/** What an error, an action or a whole run amounts to: the judgments of `run-job.ts`, all of them pure. */
import { formatDuration } from './domain/duration.ts';
import { MaintenanceError } from './domain/errors.ts';
import { type Finding, finding } from './domain/findings.ts';
import { type Action, JOB_OF, type Skip } from './domain/plan.ts';
import type { TablePolicy } from './domain/policy.ts';
import { isSameRelation } from './domain/relation.ts';
import type { Outcome, RunIdentity } from './report/events.ts';

interface Ended {
  readonly run: RunIdentity;
  readonly outcome: Outcome;
  readonly deferred: number;
  readonly skips: readonly Skip[];
}

/** A table from which everything was retired that should be: from here on, this retention is the one to compare with. */
export function acceptedRetention(
  tables: readonly TablePolicy[],
  { run, outcome, deferred, skips }: Ended,
): string | undefined {
  if (run.job !== 'retire' || outcome !== 'success') return undefined;
  if (deferred > 0 || skips.some(({ reason }) => KEEP_WAITING.has(reason))) return undefined;
  const policy = tables.find(({ relation }) => isSameRelation(relation, run.target));
  if (!policy) return undefined;
  return policy.retention === 'forever' ? 'forever' : formatDuration(policy.retention);
}

/** A table that is held back has not been found in order. */
const KEEP_WAITING: ReadonlySet<Skip['reason']> = new Set([
  'not-acknowledged',
  'clock-skew',
  'wrong-database',
  'coverage-broken',
  'max-per-run',
  'missing',
]);

/** Cancelled because the lock of the run was gone: nobody has asked for that. */
export const asLost = (error: MaintenanceError): MaintenanceError =>
  error.code === 'CANCELLED' ? new MaintenanceError('CONNECTION_LOST', error.message, { cause: error }) : error;

/** What nobody needs today waits for the next tick; a partition that is missing is a failure. */
export const isDeferred = ({ kind }: Action, { code }: MaintenanceError): boolean =>
  (code === 'BLOCKED' && JOB_OF[kind] !== 'provision') || (code === 'LOCK_UNAVAILABLE' && JOB_OF[kind] === 'retire');

/** While a detach is pending, nothing else of the table can be detached concurrently. */
export const endsPendingDetach = (action: Action): boolean =>
  action.kind === 'finalize-detach' || ('from' in action && action.from === 'pending');

export const blockedFinding = ({ target }: Action, { message, hint }: MaintenanceError): Finding =>
  finding('BLOCKED', target, message, hint ?? 'It is tried again at the next tick.');

/** Without a connection, or told to stop, the actions that follow would fail alike. */
export const ENDS_THE_RUN: ReadonlySet<MaintenanceError['code']> = new Set([
  'CANCELLED',
  'CONNECTION_FAILED',
  'CONNECTION_LOST',
  'READ_ONLY',
]);

export const LEAVES_NO_RECORD: ReadonlySet<MaintenanceError['code']> = new Set([...ENDS_THE_RUN, 'TRANSACTION_POOLER']);

export function outcomeOf({
  done,
  failures,
}: {
  readonly done: number;
  readonly failures: readonly MaintenanceError[];
}): Outcome {
  if (failures.length === 0) return 'success';
  if (failures.some(({ code }) => code === 'CANCELLED')) return 'canceled';
  return done > 0 ? 'partial' : 'failure';
}
