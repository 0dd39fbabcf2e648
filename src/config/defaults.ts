/** Defaults that more than the schema has to know. */
import type { JobName } from '../domain/plan.ts';

export const DEFAULT_PREMAKE = 2;
export const DEFAULT_ZONE = 'UTC';

/** The jobs that run even when nobody says when: without them, inserts fail or the disk fills. */
const SCHEDULES: { readonly [K in JobName]?: { readonly daily: string; readonly hourly: string } } = {
  provision: { daily: '10 0 * * *', hourly: '10 * * * *' },
  retire: { daily: '40 2 * * *', hourly: '40 * * * *' },
};

/** Hourly partitions would run out, or pile up, from one day to the next. */
export const defaultSchedule = (job: JobName, hasHourly: boolean): string | undefined =>
  SCHEDULES[job]?.[hasHourly ? 'hourly' : 'daily'];

/** For the description of the key. */
export const describeDefaultSchedule = (job: JobName): string => {
  const daily = defaultSchedule(job, false);
  return daily === undefined
    ? 'never'
    : `\`${daily}\`, or \`${defaultSchedule(job, true)}\` where a table has hourly partitions`;
};
