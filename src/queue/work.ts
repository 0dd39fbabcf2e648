/** What a job of the queue is handled with: under one configuration, from the look at its payload to its end. */
import type { PgBoss } from 'pg-boss';
import type { Config } from '../config/config.ts';
import { formatLength } from '../config/lengths.ts';
import { schedulesOf } from '../config/schedules.ts';
import { isSameRelation } from '../domain/relation.ts';
import { jobOf, targetsOf } from '../jobs/registry.ts';
import { type Runner, type RunReport, runJob } from '../run-job.ts';
import { leaveOutOf } from './leave-out.ts';
import { readPaused } from './memory.ts';
import { isConfiguredIn } from './payload.ts';
import { askFor } from './send.ts';
import type { WorkerPorts } from './worker.ts';

/** A configuration in force, and what runs under it. */
export interface InForce {
  readonly config: Config;
  readonly runner: Runner;
}

export interface WorkLimits {
  /** Aborted: what runs may finish, and nothing more is begun. */
  readonly stopping: AbortSignal;
  /** Aborted: cancel what runs. */
  readonly signal: AbortSignal;
}

export function portsOf(
  { config, runner }: InForce,
  boss: PgBoss,
  { stopping, signal }: WorkLimits,
  onReport: (report: RunReport) => void,
): WorkerPorts {
  const entries = schedulesOf(config);
  const leaveOut = leaveOutOf(runner, config.queue.schema);
  return {
    isConfigured: isConfiguredIn(job => targetsOf(jobOf(job), runner.policies)),
    isPaused: async (job, target) => (await readPaused(runner, entries))(job, target),
    async run(request) {
      // Not AbortSignal.timeout(): its timer is kept until it fires, long after most runs are over.
      const timeout = new AbortController();
      const { runTimeoutMs } = config.queue;
      const timer = setTimeout(
        () => timeout.abort(`queue.runTimeout, ${formatLength(runTimeoutMs)}, is over`),
        runTimeoutMs,
      );
      try {
        return await runJob(runner, {
          ...request,
          stopping: AbortSignal.any([stopping, timeout.signal]),
          signal: AbortSignal.any([signal, request.signal]),
        });
      } finally {
        clearTimeout(timer);
      }
    },
    onRejected: (rejection, because) => runner.emit({ kind: 'job-rejected', rejection, because }),
    leaveOut: async (id, job, target, tick, reason) =>
      void (await leaveOut({ id, job, target, tick, reason }, { isQueued: true })),
    onTaken: waitMs => runner.emit({ kind: 'job-taken', waitMs }),
    onHandled: outcome => runner.emit({ kind: 'job-handled', outcome }),
    async onReport(report) {
      onReport(report);
      await askForAnalyze({ config, runner }, boss, report);
    },
  };
}

/** The ANALYZE that a table wants after another job has changed it. */
async function askForAnalyze({ config, runner }: InForce, boss: PgBoss, { run, done }: RunReport): Promise<void> {
  const table = config.tables.find(({ policy }) => isSameRelation(policy.relation, run.target));
  if (done === 0 || !table?.analyze?.after.some(after => after === run.job)) return;
  await askFor(runner, boss, 'analyze', run.target, `after ${run.job}`);
}
