/** What comes due when: every pair of a job and a target that has a schedule. */
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import type { RelationName } from '../domain/relation.ts';
import type { Config, Schedule, TickPolicy } from './config.ts';
import { cronOf, REFERENCE_DAY } from './parsers.ts';

/** With the policy of its job. */
export interface ScheduleEntry extends TickPolicy {
  readonly job: JobName;
  readonly target: RelationName;
  readonly schedule: Schedule;
}

type Targets = readonly { readonly target: RelationName; readonly schedule: Schedule | undefined }[];

const TARGETS: { readonly [K in JobName]: (config: Config) => Targets } = {
  provision: ({ tables, jobs }) =>
    tables.map(({ policy }) => ({ target: policy.relation, schedule: jobs.provision.schedule })),
  retire: ({ tables, jobs }) =>
    tables
      .filter(({ policy }) => policy.retention !== 'forever')
      .map(({ policy }) => ({ target: policy.relation, schedule: jobs.retire.schedule })),
  refresh: ({ views }) => views.map(({ policy, schedule }) => ({ target: policy.relation, schedule })),
  analyze: ({ tables }) =>
    tables.map(({ policy, analyze }) => ({ target: policy.relation, schedule: analyze?.schedule })),
};

/** In the order of the jobs, and of the file within a job. A table that is kept for ever has no `retire`. */
export const schedulesOf = (config: Config): readonly ScheduleEntry[] =>
  JOB_NAMES.flatMap(job =>
    TARGETS[job](config).flatMap(({ target, schedule }) =>
      schedule ? [{ ...config.jobs[job], job, target, schedule }] : [],
    ),
  );

// A year shows every weekday, month and change of summer time. A pattern that fires densely must be seen to pause as
// well: that takes more runs than a day has minutes.
const HORIZON_MS = 400 * 86_400_000;
const MANY_RUNS = 1_500;

export interface Gaps {
  readonly longestMs: number;
  readonly shortestMs: number;
}

/** The pauses between two runs, as far as the next 1,500 or the next 400 days tell. */
export function gapsOf({ pattern, timezone }: Schedule): Gaps {
  const cron = cronOf(pattern, timezone);
  const end = REFERENCE_DAY.getTime() + HORIZON_MS;
  let before = cron.nextRun(REFERENCE_DAY);
  let longestMs = 0;
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let runs = 0; before !== null && before.getTime() < end && runs < MANY_RUNS; runs++) {
    const next = cron.nextRun(before);
    if (next !== null) {
      const gapMs = next.getTime() - before.getTime();
      longestMs = Math.max(longestMs, gapMs);
      shortestMs = Math.min(shortestMs, gapMs);
    }
    before = next;
  }
  return { longestMs, shortestMs };
}
