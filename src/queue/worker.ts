/**
 * Takes jobs from the queue and runs them, one at a time. What fails for a reason that may pass is tried again by the queue,
 * with its backoff.
 */
import type { JobResult, JobWithMetadata, PgBoss } from 'pg-boss';
import { asMaintenanceError, type ErrorCode, retryOf } from '../domain/errors.ts';
import type { JobName } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import type { Instant } from '../domain/time.ts';
import type { JobOutcome, Rejection, RunOrigin } from '../report/events.ts';
import { redact } from '../report/redact.ts';
import type { RunReport, RunRequest } from '../run-job.ts';
import { QUEUE } from './boss.ts';
import { OVERLAP } from './offers.ts';
import { readPayload, type Work } from './payload.ts';

export interface WorkerPorts {
  readonly isConfigured: (job: JobName, target: RelationName) => boolean;
  /** Rejects when that cannot be told. */
  readonly isPaused: (job: JobName, target: RelationName) => Promise<boolean>;
  readonly run: (
    request: Pick<RunRequest, 'job' | 'targets' | 'origin' | 'runId' | 'attempt' | 'isAskedFor' | 'signal'>,
  ) => Promise<readonly RunReport[]>;
  readonly onRejected: (rejection: Rejection, because: string) => void;
  /** A tick whose job ends without a run: it was queued before a pause began, or another run would not let it. */
  readonly leaveOut: (id: string, job: JobName, target: RelationName, tick: Instant, reason: string) => Promise<void>;
  readonly onReport: (report: RunReport) => Promise<void>;
  /** Picked up, so long after it could have been. */
  readonly onTaken: (waitMs: number) => void;
  readonly onHandled: (outcome: JobOutcome) => void;
}

/** What a job leaves in the queue; `trigger --wait` reads it. */
export type JobOutput =
  | {
      readonly outcome: RunReport['outcome'];
      readonly done: number;
      readonly failed: number;
      readonly findings: number;
      /** Findings of severity error. */
      readonly errors: number;
      readonly code?: ErrorCode;
      readonly message?: string;
    }
  | { readonly outcome: 'rejected'; readonly reason: Rejection; readonly because: string }
  | { readonly outcome: 'paused' };

interface Settled {
  /** `deadletter`: failed for good; ours goes to no other queue. */
  readonly status: 'completed' | 'failed' | 'deadletter';
  readonly output: JobOutput;
}

const POLLING_SECONDS = 2;
const MAX_BECAUSE = 500;

/** Gives what one job is handled with, from its first look at the payload to its last word. */
export type WithPorts = <T>(work: (ports: WorkerPorts) => Promise<T>) => Promise<T>;

/** @returns the worker's id, to wake it before its next look */
export async function startWorker(boss: PgBoss, withPorts: WithPorts): Promise<string> {
  let wake = (): void => {};
  const workerId = await boss.work(
    QUEUE,
    { pollingIntervalSeconds: POLLING_SECONDS, batchSize: 1, includeMetadata: true, perJobResults: true },
    async (jobs: JobWithMetadata<unknown>[]): Promise<JobResult[]> => {
      const results: JobResult[] = [];
      for (const job of jobs) results.push({ id: job.id, ...(await withPorts(ports => settle(job, ports))) });
      // Where there was one there may be more; pg-boss's own bursts are not for batches of one.
      wake();
      return results;
    },
  );
  wake = () => boss.notifyWorker(workerId);
  return workerId;
}

async function settle(job: JobWithMetadata<unknown>, ports: WorkerPorts): Promise<Settled> {
  // All of them are the server's moments.
  const { startedOn, createdOn, startAfter } = job;
  ports.onTaken(Math.max(0, startedOn.getTime() - Math.max(createdOn.getTime(), startAfter.getTime())));
  const settled = await handle(job, ports);
  ports.onHandled(jobOutcomeOf(job, settled));
  return settled;
}

function jobOutcomeOf({ retryCount, retryLimit }: JobWithMetadata<unknown>, { status, output }: Settled): JobOutcome {
  if (output.outcome === 'rejected' || output.outcome === 'paused') return output.outcome;
  if (status === 'completed') return 'completed';
  return status === 'failed' && retryCount < retryLimit ? 'retried' : 'failed';
}

async function handle(job: JobWithMetadata<unknown>, ports: WorkerPorts): Promise<Settled> {
  const work = readPayload(job.id, job.data, ports.isConfigured);
  if ('rejected' in work) {
    const because = redact(work.because).slice(0, MAX_BECAUSE);
    ports.onRejected(work.rejected, because);
    // Trying again would not make it right, so it counts as completed; what it came to is in its output.
    return { status: 'completed', output: { outcome: 'rejected', reason: work.rejected, because } };
  }
  try {
    const { job: name, target, tick } = work;
    if (tick && (await ports.isPaused(name, target))) {
      await ports.leaveOut(job.id, name, target, tick, 'paused');
      return { status: 'completed', output: { outcome: 'paused' } };
    }
    const [report] = await ports.run({
      job: name,
      targets: [target],
      origin: originOf(work),
      runId: job.id,
      attempt: job.retryCount + 1,
      isAskedFor: isAskedFor(work),
      signal: job.signal,
    });
    if (!report) throw new Error('the run ended without a report');
    await ports.onReport(report);
    const isLast = job.retryCount >= job.retryLimit;
    if (tick && isLast && report.outcome === 'skipped') await ports.leaveOut(job.id, name, target, tick, OVERLAP);
    return { status: statusOf(report), output: outputOf(report) };
  } catch (thrown) {
    // The queue would keep the whole error, with its causes; only what is fit to be read goes there.
    const { code, message } = asMaintenanceError(thrown);
    const output = {
      outcome: 'failure',
      done: 0,
      failed: 0,
      findings: 0,
      errors: 0,
      code,
      message: redact(message),
    } as const;
    return { status: 'failed', output };
  }
}

/** What a person must see to is not tried again; what may be otherwise next time is. */
function statusOf({ outcome, error }: RunReport): Settled['status'] {
  if (outcome === 'success') return 'completed';
  return error === undefined || retryOf(error.code) !== undefined ? 'failed' : 'deadletter';
}

const outputOf = (report: RunReport): JobOutput => {
  const { outcome, done, failed, findings, error } = report;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const figures = { outcome, done, failed, findings: findings.length, errors };
  if (outcome === 'success') return figures;
  return error
    ? { ...figures, code: error.code, message: redact(error.message) }
    : { ...figures, message: whyNot(report) };
};

/** The name that we sign with when one job asks for another. */
export const OURSELVES = 'partkeeper';

function originOf({ tick, requestedBy, reason }: Work): RunOrigin {
  if (tick) return { trigger: 'schedule', tick };
  return { trigger: requestedBy === OURSELVES ? 'after' : 'manual', requestedBy, reason };
}

const isAskedFor = ({ tick, requestedBy }: Work): boolean => tick === undefined && requestedBy !== OURSELVES;

const whyNot = ({ run, outcome }: RunReport): string =>
  `${run.job} ${formatRelationName(run.target)}: ${outcome === 'skipped' ? 'another run of it is going' : outcome}`;
