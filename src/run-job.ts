/**
 * One job on some targets: observe → plan → execute → observe → report. A target that fails does not keep the next one from
 * its turn, nor an action the actions after it.
 */
import { asMaintenanceError, MaintenanceError, retryOf } from './domain/errors.ts';
import { findingsOfFailures } from './domain/failure-finding.ts';
import type { Finding } from './domain/findings.ts';
import { momentsOf } from './domain/moments.ts';
import { type Action, type JobName, joinParts, NOTHING, type Plan, type Skip } from './domain/plan.ts';
import type { StatementBudget } from './domain/policy.ts';
import { formatRelationName, isSameRelation, type RelationName } from './domain/relation.ts';
import type { Instant } from './domain/time.ts';
import { type ExecutionOptions, executeAction } from './executor/execute.ts';
import type { ActionRecorder } from './executor/record.ts';
import type { DueSince } from './jobs/job.ts';
import { planRound } from './jobs/plan-round.ts';
import { jobOf } from './jobs/registry.ts';
import type { Ledger } from './ledger/ledger.ts';
import { type Observer, observe } from './observe.ts';
import type { HeldLock, TakeLock } from './postgres/run-lock.ts';
import type { Outcome, RunIdentity, RunOrigin } from './report/events.ts';
import {
  acceptedRetention,
  asLost,
  blockedFinding,
  ENDS_THE_RUN,
  endsPendingDetach,
  isDeferred,
  LEAVES_NO_RECORD,
  outcomeOf,
} from './run-verdict.ts';

export interface Runner extends Observer {
  readonly budget: StatementBudget;
  readonly dueSince: DueSince;
  /** Of one job and target, one run at a time, whoever started it. */
  readonly lock: TakeLock;
  readonly ledger: Ledger;
  readonly newRunId: () => string;
  readonly sleep: ExecutionOptions['sleep'];
  readonly random: ExecutionOptions['random'];
}

export interface RunRequest {
  readonly job: JobName;
  readonly targets: readonly RelationName[];
  /** Why it runs, and for whom. */
  readonly origin: RunOrigin;
  /** The run's id and attempt where a queue has given them; a new id and 1 otherwise. */
  readonly runId?: string | undefined;
  readonly attempt?: number | undefined;
  /** Do it although it is not due. */
  readonly isAskedFor: boolean;
  /** Aborted: what runs is cancelled. */
  readonly signal: AbortSignal;
  /** Aborted: what runs may finish, and nothing more is begun. */
  readonly stopping: AbortSignal;
  /** A moment to pretend instead of the clocks: for a demonstration database only. */
  readonly at?: Instant | undefined;
  /** The names of unusual plans that somebody has agreed to. */
  readonly acknowledged?: ReadonlySet<string> | undefined;
  /** Only actions of this kind; what else is planned is left for the job's next turn. */
  readonly only?: Action['kind'] | undefined;
}

export interface RunReport {
  readonly run: RunIdentity;
  readonly outcome: Outcome;
  readonly done: number;
  readonly failed: number;
  /** Put off to the next tick, because somebody's transaction is in the way; each is a finding as well. */
  readonly deferred: number;
  /** What the run's plan left alone. */
  readonly skips: readonly Skip[];
  /** As they are after the run. */
  readonly findings: readonly Finding[];
  readonly error: MaintenanceError | undefined;
}

/** How often a run starts from fresh facts when its plan has gone stale under its hands. */
const MAX_PLANS = 3;

/** Never throws: what goes wrong is in the reports, one per target. */
export async function runJob(runner: Runner, request: RunRequest): Promise<readonly RunReport[]> {
  let plan: Plan | MaintenanceError;
  try {
    plan = await observeAndPlan(runner, request, request.targets);
  } catch (error) {
    plan = asMaintenanceError(error);
  }
  const reports: RunReport[] = [];
  for (const target of inPlanOrder(request.targets, plan)) reports.push(await runTarget(runner, request, target, plan));
  return reports;
}

async function observeAndPlan(runner: Runner, request: RunRequest, targets: readonly RelationName[]): Promise<Plan> {
  const facts = await observe(runner, targets, request.signal);
  const plan = planRound([{ job: jobOf(request.job), targets }], {
    facts,
    policies: runner.policies,
    moments: momentsOf(facts.server, request.at),
    dueSince: runner.dueSince,
    isAskedFor: request.isAskedFor,
    acknowledged: request.acknowledged,
  });
  const { only } = request;
  return only === undefined ? plan : { ...plan, actions: plan.actions.filter(({ kind }) => kind === only) };
}

/** The planner puts a view after the views that it reads; targets with nothing to do come last. */
function inPlanOrder(targets: readonly RelationName[], plan: Plan | MaintenanceError): readonly RelationName[] {
  if (plan instanceof Error) return targets;
  const place = (target: RelationName): number => {
    const index = plan.actions.findIndex(action => isSameRelation(action.target, target));
    return index < 0 ? plan.actions.length : index;
  };
  return targets.toSorted((a, b) => place(a) - place(b));
}

const partOf = ({ now, actions, skips, findings }: Plan, target: RelationName): Plan => {
  const isMine = (entry: { readonly target: RelationName }): boolean => isSameRelation(entry.target, target);
  return { now, actions: actions.filter(isMine), skips: skips.filter(isMine), findings: findings.filter(isMine) };
};

async function runTarget(
  runner: Runner,
  request: RunRequest,
  target: RelationName,
  planned: Plan | MaintenanceError,
): Promise<RunReport> {
  const { job, origin } = request;
  const run: RunIdentity = {
    runId: request.runId ?? runner.newRunId(),
    attempt: request.attempt ?? 1,
    job,
    target,
    ...origin,
  };
  const started = runner.monotonicMs();
  const tally: Tally = { done: 0, findings: [], failures: [], deferred: [] };
  runner.emit({ kind: 'run-started', run, at: runner.clock() });
  const finish = (outcome: Outcome, plan?: Plan, skips: readonly Skip[] = []): RunReport => {
    const { findings } = joinParts([
      plan ?? NOTHING,
      { ...NOTHING, findings: [...tally.findings, ...tally.deferred, ...findingsOfFailures(target, tally.failures)] },
    ]);
    const report: RunReport = {
      run,
      outcome,
      done: tally.done,
      failed: tally.failures.length,
      deferred: tally.deferred.length,
      skips,
      findings,
      error: tally.failures[0],
    };
    runner.emit({ kind: 'run-finished', at: runner.clock(), durationMs: runner.monotonicMs() - started, ...report });
    return report;
  };

  let lock: HeldLock | undefined;
  try {
    // Where the database is away there is no lock to be had either, and nothing to write into.
    if (planned instanceof Error && LEAVES_NO_RECORD.has(planned.code)) throw planned;
    lock = await runner.lock(`partkeeper/${job}/${formatRelationName(target)}`);
  } catch (error) {
    tally.failures.push(asMaintenanceError(error));
    return finish(outcomeOf(tally));
  }
  if (!lock) return finish('skipped');

  const record = await runner.ledger.begin(run);
  if (record.isDone) {
    await lock.release();
    return finish('success');
  }
  const end = async (report: RunReport): Promise<RunReport> => {
    // Only a part of it, or another date, is no judgment on the table.
    const isWhole = request.only === undefined && request.at === undefined;
    const accepted = isWhole ? acceptedRetention(runner.policies.tables, report) : undefined;
    await record.finish({ ...report, accepted });
    await lock.release();
    return report;
  };
  if (planned instanceof Error) {
    tally.failures.push(planned);
    return end(finish(outcomeOf(tally)));
  }
  let plan = partOf(planned, target);
  const { skips } = plan;
  try {
    runner.emit({ kind: 'planned', run, plan });
    const signal = AbortSignal.any([request.signal, lock.lost]);
    for (let plans = 1; plan.actions.length > 0; plans += 1) {
      tally.failures = [];
      tally.deferred = [];
      await runActions(runner, { ...request, signal, lost: lock.lost }, run, record.recorder, plan.actions, tally);
      // Somebody else may have the lock by now, and the work with it.
      if (lock.lost.aborted && tally.failures.length > 0) break;
      // What the findings say must be true of the table as it is now, not as it was meant to become.
      plan = await observeAndPlan(runner, request, [target]);
      const isRetried = tally.failures.every(({ code }) => retryOf(code) === 'next-run');
      // Somebody else has done it, or it need not be done any more: that it failed here is nobody's trouble.
      if (plan.actions.length === 0 && isRetried) tally.failures = [];
      if (plan.actions.length === 0) tally.deferred = [];
      if (plans >= MAX_PLANS || !tally.failures.some(({ code }) => retryOf(code) === 'next-run')) break;
    }
  } catch (error) {
    // After a failed action, that the facts could not be read either is the same trouble.
    if (tally.failures.length === 0) tally.failures.push(asMaintenanceError(error));
  }
  return end(finish(outcomeOf(tally), plan, skips));
}

interface Tally {
  done: number;
  /** What was found while it was done, beyond what the facts show afterwards. */
  findings: Finding[];
  failures: MaintenanceError[];
  deferred: Finding[];
}

async function runActions(
  runner: Runner,
  { signal, stopping, lost }: RunRequest & { readonly lost: AbortSignal },
  run: RunIdentity,
  recorder: ActionRecorder,
  actions: readonly Action[],
  tally: Tally,
): Promise<void> {
  for (const action of actions) {
    if (stopping.aborted)
      throw new MaintenanceError('CANCELLED', `stopped before every action was begun: ${String(stopping.reason)}`);
    runner.emit({ kind: 'action-started', run, action });
    const started = runner.monotonicMs();
    let attempts = 1;
    // Who was in the way of one partition is mostly in the way of the next one: look once, and leave it at that.
    const budget = tally.deferred.length > 0 ? { ...runner.budget, lockAttempts: 1 } : runner.budget;
    const onRetry = (attempt: number, delayMs: number, error: MaintenanceError) => {
      attempts = attempt + 1;
      runner.emit({ kind: 'action-retried', run, action, attempt, delayMs, error });
    };
    const onLockWait = (waitMs: number) => runner.emit({ kind: 'lock-waited', run, action, waitMs });
    try {
      const result = await executeAction(action, { ...runner, budget, recorder, signal, onRetry, onLockWait });
      tally.done += 1;
      tally.findings.push(...result.findings);
      runner.emit({ kind: 'action-finished', run, action, result });
    } catch (thrown) {
      const error = lost.aborted ? asLost(asMaintenanceError(thrown)) : asMaintenanceError(thrown);
      if (isDeferred(action, error)) {
        tally.deferred.push(blockedFinding(action, error));
        runner.emit({ kind: 'action-deferred', run, action, error });
        if (endsPendingDetach(action)) return;
        continue;
      }
      tally.failures.push(error);
      runner.emit({ kind: 'action-failed', run, action, error, attempts, durationMs: runner.monotonicMs() - started });
      if (ENDS_THE_RUN.has(error.code) || error.code === 'RETIRE_UNFINISHED' || endsPendingDetach(action)) return;
    }
  }
}
