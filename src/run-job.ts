/**
 * One job on some targets: observe → plan → execute → observe → report. A target that fails does not keep the next one from
 * its turn, nor an action the actions after it.
 */
import { asMaintenanceError, MaintenanceError, retryOf } from './domain/errors.ts';
import { momentsOf } from './domain/moments.ts';
import type { Action, Finding, JobName, Plan, Skip } from './domain/plan.ts';
import type { StatementBudget } from './domain/policy.ts';
import { isSameRelation, type RelationName } from './domain/relation.ts';
import type { Instant } from './domain/time.ts';
import { type ExecutionOptions, executeAction } from './executor/execute.ts';
import type { DueSince } from './jobs/job.ts';
import { planRound } from './jobs/plan-round.ts';
import { jobOf } from './jobs/registry.ts';
import { type Observer, observe } from './observe.ts';
import type { Outcome, RunIdentity, Trigger } from './report/events.ts';

export interface Runner extends Observer {
  readonly budget: StatementBudget;
  readonly dueSince: DueSince;
  readonly newRunId: () => string;
  readonly sleep: ExecutionOptions['sleep'];
  readonly random: ExecutionOptions['random'];
}

export interface RunRequest {
  readonly job: JobName;
  readonly targets: readonly RelationName[];
  readonly trigger: Trigger;
  /** Do it although it is not due. */
  readonly isAskedFor: boolean;
  /** Aborted: what runs is cancelled. */
  readonly signal: AbortSignal;
  /** Aborted: what runs may finish, and nothing more is begun. */
  readonly stopping: AbortSignal;
  /** A moment to pretend instead of the clocks: for a demonstration database only. */
  readonly at?: Instant | undefined;
}

export interface RunReport {
  readonly run: RunIdentity;
  readonly outcome: Outcome;
  readonly done: number;
  readonly failed: number;
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
  return planRound([{ job: jobOf(request.job), targets }], {
    facts,
    policies: runner.policies,
    moments: momentsOf(facts.server, request.at),
    dueSince: runner.dueSince,
    isAskedFor: request.isAskedFor,
  });
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
  const run: RunIdentity = { runId: runner.newRunId(), job: request.job, target, trigger: request.trigger };
  const started = runner.monotonicMs();
  runner.emit({ kind: 'run-started', run, at: runner.clock() });
  const tally: Tally = { done: 0, failures: [] };
  let skips: readonly Skip[] = [];
  let plan: Plan | undefined;
  try {
    if (planned instanceof Error) throw planned;
    plan = partOf(planned, target);
    skips = plan.skips;
    runner.emit({ kind: 'planned', run, plan });
    for (let plans = 1; plan.actions.length > 0; plans += 1) {
      tally.failures = [];
      await runActions(runner, request, run, plan.actions, tally);
      // What the findings say must be true of the table as it is now, not as it was meant to become.
      plan = await observeAndPlan(runner, request, [target]);
      const isRetried = tally.failures.every(({ code }) => retryOf(code) === 'next-run');
      // Somebody else has done it, or it need not be done any more: that it failed here is nobody's trouble.
      if (plan.actions.length === 0 && isRetried) tally.failures = [];
      if (plans >= MAX_PLANS || !tally.failures.some(({ code }) => retryOf(code) === 'next-run')) break;
    }
  } catch (error) {
    // After a failed action, that the facts could not be read either is the same trouble.
    if (tally.failures.length === 0) tally.failures.push(asMaintenanceError(error));
  }
  const report: RunReport = {
    run,
    outcome: outcomeOf(tally),
    done: tally.done,
    failed: tally.failures.length,
    skips,
    findings: plan?.findings ?? [],
    error: tally.failures[0],
  };
  runner.emit({ kind: 'run-finished', at: runner.clock(), durationMs: runner.monotonicMs() - started, ...report });
  return report;
}

interface Tally {
  done: number;
  failures: MaintenanceError[];
}

async function runActions(
  runner: Runner,
  { signal, stopping }: RunRequest,
  run: RunIdentity,
  actions: readonly Action[],
  tally: Tally,
): Promise<void> {
  for (const action of actions) {
    if (stopping.aborted)
      throw new MaintenanceError('CANCELLED', `stopped before every action was begun: ${String(stopping.reason)}`);
    runner.emit({ kind: 'action-started', run, action });
    const started = runner.monotonicMs();
    let attempts = 1;
    const onRetry = (attempt: number, delayMs: number, error: MaintenanceError) => {
      attempts = attempt + 1;
      runner.emit({ kind: 'action-retried', run, action, attempt, delayMs, error });
    };
    try {
      const result = await executeAction(action, { ...runner, signal, onRetry });
      tally.done += 1;
      runner.emit({ kind: 'action-finished', run, action, result });
    } catch (thrown) {
      const error = asMaintenanceError(thrown);
      tally.failures.push(error);
      runner.emit({ kind: 'action-failed', run, action, error, attempts, durationMs: runner.monotonicMs() - started });
      if (ENDS_THE_RUN.has(error.code)) return;
    }
  }
}

/** Without a connection, or told to stop, the actions that follow would fail alike. */
const ENDS_THE_RUN: ReadonlySet<MaintenanceError['code']> = new Set([
  'CANCELLED',
  'CONNECTION_FAILED',
  'CONNECTION_LOST',
  'READ_ONLY',
]);

function outcomeOf({ done, failures }: Tally): Outcome {
  if (failures.length === 0) return 'success';
  if (failures.some(({ code }) => code === 'CANCELLED')) return 'canceled';
  return done > 0 ? 'partial' : 'failure';
}
