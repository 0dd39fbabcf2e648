/** What comes due when: every pair of a job and a target that has a schedule. */
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import { isSameRelation, type RelationName } from '../domain/relation.ts';
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

/**
 * How often a job is to run on a target, in seconds: the longest pause of its schedule; undefined where it has none. Walking through
 * a schedule takes a tenth of a second, so it is done when first asked, and once for all that have the same.
 */
export function runIntervalOf(config: Config): (job: JobName, target: RelationName) => number | undefined {
  const entries = schedulesOf(config);
  const known = new Map<string, number>();
  return (job, target) => {
    const schedule = entries.find(entry => entry.job === job && isSameRelation(entry.target, target))?.schedule;
    if (schedule === undefined) return undefined;
    const key = JSON.stringify(schedule);
    const seconds = known.get(key) ?? longestGapMs(schedule) / 1000;
    known.set(key, seconds);
    return seconds;
  };
}

// A year shows every weekday, month and change of summer time. A pattern that fires densely must be seen to pause as
// well: that takes more runs than a day has minutes.
const HORIZON_DAYS = 400;
const MANY_RUNS = 1_500;

/** The longest pause between two runs, as far as the next 1,500 or the next 400 days tell. */
export const longestGapMs = (schedule: Schedule): number => Math.max(0, ...gapsMs(schedule, MANY_RUNS));

/** The shortest one: dense patterns show it soon, the others once a day or less often. */
export const shortestGapMs = (schedule: Schedule): number => Math.min(...gapsMs(schedule, HORIZON_DAYS));

function* gapsMs({ pattern, timezone }: Schedule, runs: number): Generator<number> {
  const cron = cronOf(pattern, timezone);
  const end = REFERENCE_DAY.getTime() + HORIZON_DAYS * 86_400_000;
  let before = cron.nextRun(REFERENCE_DAY);
  for (let run = 0; before !== null && before.getTime() < end && run < runs; run++) {
    const next = cron.nextRun(before);
    if (next !== null) yield next.getTime() - before.getTime();
    before = next;
  }
}
