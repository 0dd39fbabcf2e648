/** Takes jobs from the queue and runs them, one at a time; what fails is tried again by the queue, with its backoff. */
import type { JobWithMetadata, PgBoss } from 'pg-boss';
import type { JobName } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import type { Rejection, RunOrigin } from '../report/events.ts';
import type { RunReport, RunRequest } from '../run-job.ts';
import { QUEUE } from './boss.ts';
import { readPayload, type Work } from './payload.ts';

export interface WorkerPorts {
  readonly isConfigured: (job: JobName, target: RelationName) => boolean;
  readonly isPaused: (job: JobName, target: RelationName) => Promise<boolean>;
  readonly run: (
    request: Pick<RunRequest, 'job' | 'targets' | 'origin' | 'runId' | 'attempt' | 'isAskedFor' | 'signal'>,
  ) => Promise<readonly RunReport[]>;
  readonly onRejected: (rejection: Rejection, because: string) => void;
  readonly onReport: (report: RunReport) => Promise<void>;
}

/** What a job leaves in the queue; `trigger --wait` reads it. */
export type JobOutput =
  | {
      readonly outcome: RunReport['outcome'];
      readonly done: number;
      readonly failed: number;
      readonly findings: number;
    }
  | { readonly outcome: 'rejected'; readonly reason: Rejection; readonly because: string }
  | { readonly outcome: 'paused' };

const POLLING_SECONDS = 2;

/** @returns the worker's id, to wake it before its next look */
export const startWorker = (boss: PgBoss, ports: WorkerPorts): Promise<string> =>
  boss.work(
    QUEUE,
    { pollingIntervalSeconds: POLLING_SECONDS, batchSize: 1, burstWhenBatchFull: true, includeMetadata: true },
    async ([job]: JobWithMetadata<unknown>[]): Promise<JobOutput | undefined> => (job ? handle(job, ports) : undefined),
  );

async function handle(job: JobWithMetadata<unknown>, ports: WorkerPorts): Promise<JobOutput> {
  const work = readPayload(job.id, job.data, ports.isConfigured);
  if ('rejected' in work) {
    // Trying again would not make it right, so it counts as completed; what it came to is in its output.
    ports.onRejected(work.rejected, work.because);
    return { outcome: 'rejected', reason: work.rejected, because: work.because };
  }
  if (work.tick && (await ports.isPaused(work.job, work.target))) return { outcome: 'paused' };
  const [report] = await ports.run({
    job: work.job,
    targets: [work.target],
    origin: originOf(work),
    runId: job.id,
    attempt: job.retryCount + 1,
    isAskedFor: isAskedFor(work),
    signal: job.signal,
  });
  if (!report) throw new Error('the run ended without a report');
  await ports.onReport(report);
  const { outcome, done, failed, findings, error } = report;
  if (outcome !== 'success') throw new Error(error?.message ?? whyNot(report));
  return { outcome, done, failed, findings: findings.length };
}

/** The name that we sign with when one job asks for another. */
export const OURSELVES = 'partkeeper';

function originOf({ tick, requestedBy, reason }: Work): RunOrigin {
  if (tick) return { trigger: 'schedule', tick };
  return { trigger: requestedBy === OURSELVES ? 'after' : 'manual', requestedBy, reason };
}

const isAskedFor = ({ tick, requestedBy }: Work): boolean => tick === undefined && requestedBy !== OURSELVES;

const whyNot = ({ run, outcome }: RunReport): string => `${run.job} ${formatRelationName(run.target)}: ${outcome}`;
