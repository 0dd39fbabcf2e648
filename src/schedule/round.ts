/** One round of every job on every target, in the order of the jobs: what `run --once` is, for a CronJob without a queue. */
import { jobs, targetsOf } from '../jobs/registry.ts';
import { type Runner, type RunReport, type RunRequest, runJob } from '../run-job.ts';

export async function runRound(
  runner: Runner,
  signals: Pick<RunRequest, 'signal' | 'stopping'>,
): Promise<readonly RunReport[]> {
  const reports: RunReport[] = [];
  for (const job of jobs) {
    if (signals.stopping.aborted) break;
    const targets = targetsOf(job, runner.policies);
    reports.push(
      ...(await runJob(runner, {
        ...signals,
        job: job.name,
        targets,
        origin: { trigger: 'startup' },
        isAskedFor: false,
      })),
    );
  }
  return reports;
}
