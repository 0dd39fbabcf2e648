/**
 * The daemon's loop: what is due is run, one job after the other, creating before everything else.
 *
 * In this process and for this process only; it keeps no record, so at the start everything is looked at once.
 */

import type { Config } from '../config/config.ts';
import { type ScheduleEntry, schedulesOf } from '../config/schedules.ts';
import { backoffMs } from '../domain/backoff.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import { MAX_CLOCK_SKEW_MS } from '../domain/policy.ts';
import { isSameRelation, type RelationName } from '../domain/relation.ts';
import { type Instant, isAfter } from '../domain/time.ts';
import { jobs, targetsOf } from '../jobs/registry.ts';
import type { Trigger } from '../report/events.ts';
import { type Runner, type RunReport, type RunRequest, runJob } from '../run-job.ts';
import { nextTick } from './ticks.ts';

export interface SchedulerOptions {
  readonly config: Config;
  readonly runner: Runner;
  /** The database's clock, as far as it is known. */
  readonly databaseNow: () => Instant;
  /** Aborted: start nothing more. */
  readonly stopping: AbortSignal;
  /** Aborted: cancel what runs. */
  readonly signal: AbortSignal;
  readonly onIteration: () => void;
}

/** Looking again this often lets a changed clock, or a resumed machine, make itself felt. */
const LONGEST_SLEEP_MS = 15_000;

/** One round of every job on every target, in the order of the jobs. */
export async function runRound(options: SchedulerOptions, trigger: Trigger): Promise<readonly RunReport[]> {
  const reports: RunReport[] = [];
  for (const job of jobs) {
    if (options.stopping.aborted) break;
    reports.push(...(await runTargets(options, job.name, targetsOf(job, options.runner.policies), trigger)));
  }
  return reports;
}

/** Runs what comes due after `since`, and what the round before could not reach, until told to stop. */
export async function runSchedule(
  options: SchedulerOptions,
  since: Instant,
  before: readonly RunReport[],
): Promise<void> {
  const { config, runner, databaseNow, stopping } = options;
  const entries = schedulesOf(config).map(
    (entry): Entry => ({ ...entry, ...reckon(runner, entry, since), failures: Number(isUnreached(before, entry)) }),
  );
  while (!stopping.aborted) {
    options.onIteration();
    await runner.sleep(sleepMs(entries, databaseNow(), runner.random), stopping).catch(() => {});
    if (stopping.aborted) return;
    const now = databaseNow();
    for (const entry of entries) if (isFromTheFuture(entry, now)) Object.assign(entry, reckon(runner, entry, now));
    await runDue(options, entries, now);
  }
}

/** The next tick is kept: reckoning it for hundreds of entries at every turn would keep the processor busy. */
interface Reckoning {
  reckonedAt: Instant;
  /** The first tick after that. */
  next: Instant | undefined;
}

interface Entry extends ScheduleEntry, Reckoning {
  /** Runs in a row that the connection failed; they are tried again before the next tick. */
  failures: number;
}

function reckon(runner: Runner, { job, target, schedule }: ScheduleEntry, now: Instant): Reckoning {
  const next = nextTick(schedule, now);
  runner.emit({ kind: 'scheduled', job, target, nextRun: next });
  return { reckonedAt: now, next };
}

/** The clock was wrong then: nothing must wait until it is that late again. */
const isFromTheFuture = ({ reckonedAt }: Entry, now: Instant): boolean =>
  reckonedAt.since(now).total('milliseconds') > MAX_CLOCK_SKEW_MS;

const isDue = ({ failures, next }: Entry, now: Instant): boolean =>
  failures > 0 || (next !== undefined && !isAfter(next, now));

const UNREACHED: ReadonlySet<ErrorCode | undefined> = new Set(['CONNECTION_FAILED', 'CONNECTION_LOST']);

const isUnreached = (reports: readonly RunReport[], { job, target }: ScheduleEntry): boolean =>
  reports.some(({ run, error }) => run.job === job && isSameRelation(run.target, target) && UNREACHED.has(error?.code));

async function runDue(options: SchedulerOptions, entries: readonly Entry[], now: Instant): Promise<void> {
  for (const job of JOB_NAMES) {
    const due = entries.filter(entry => entry.job === job && isDue(entry, now));
    if (due.length === 0 || options.stopping.aborted) continue;
    const reports = await runTargets(
      options,
      job,
      due.map(({ target }) => target),
      'schedule',
    );
    for (const entry of due) {
      const failed = isUnreached(reports, entry);
      entry.failures = failed ? entry.failures + 1 : 0;
      // However many ticks have passed by now, they are served; those that pass from now on are not.
      if (!failed) Object.assign(entry, reckon(options.runner, entry, now));
    }
  }
}

/** The job itself, and the ANALYZE that a table wants after it. */
async function runTargets(
  options: SchedulerOptions,
  job: JobName,
  targets: readonly RelationName[],
  trigger: Trigger,
): Promise<readonly RunReport[]> {
  const { runner, stopping, signal, config } = options;
  const request: Omit<RunRequest, 'job' | 'targets' | 'trigger'> = { isAskedFor: false, signal, stopping };
  const reports = await runJob(runner, { ...request, job, targets, trigger });
  const wanting = reports
    .filter(
      ({ done, run }) =>
        done > 0 &&
        config.tables.some(
          table =>
            isSameRelation(table.policy.relation, run.target) && table.analyze?.after.some(after => after === job),
        ),
    )
    .map(({ run }) => run.target);
  // At the start every table is analysed anyway, in its turn.
  if (wanting.length === 0 || trigger === 'startup' || stopping.aborted) return reports;
  return [...reports, ...(await runJob(runner, { ...request, job: 'analyze', targets: wanting, trigger: 'after' }))];
}

function sleepMs(entries: readonly Entry[], now: Instant, random: () => number): number {
  const failures = Math.max(0, ...entries.map(entry => entry.failures));
  if (failures > 0) return Math.min(LONGEST_SLEEP_MS, backoffMs(failures, random));
  const untilNext = entries.map(({ next }) => next?.since(now).total('milliseconds') ?? LONGEST_SLEEP_MS);
  return Math.max(0, Math.min(LONGEST_SLEEP_MS, Math.ceil(Math.min(...untilNext))));
}
