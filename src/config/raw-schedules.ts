/** The schedules of a file that is not validated yet: those that can be read. */
import type { JobName } from '../domain/plan.ts';
import type { Schedule } from './config.ts';
import { DEFAULT_ZONE, defaultSchedule } from './defaults.ts';
import { type Keys, keysOf } from './keys.ts';
import { parseSchedule, parseTimeZone } from './parsers.ts';
import { OFF } from './schema-values.ts';

/** Undefined: there is none, or its mistake is told elsewhere. */
export function readSchedule({ schedule, timezone = DEFAULT_ZONE }: Keys): Schedule | undefined {
  if (typeof schedule !== 'string' || typeof timezone !== 'string') return undefined;
  return parseSchedule(schedule).ok && parseTimeZone(timezone).ok ? { pattern: schedule, timezone } : undefined;
}

/** What can have times of its own, job by job. */
const OWN: { readonly [K in JobName]: (raw: Keys) => readonly Keys[] } = {
  provision: () => [{}],
  retire: () => [{}],
  refresh: ({ views }) => Object.values(keysOf(views)).map(keysOf),
  analyze: ({ tables }) =>
    Object.values(keysOf(tables)).flatMap(table => {
      const { analyze } = keysOf(table);
      return analyze === OFF ? [] : [keysOf(analyze)];
    }),
};

/** Every different schedule by which the targets of a job come due. */
export function schedulesOfJob(job: JobName, raw: Keys): readonly Schedule[] {
  const own = keysOf(keysOf(raw.jobs)[job]);
  const hasHourly = Object.values(keysOf(raw.tables)).some(table => keysOf(table).interval === 'hour');
  const schedules = OWN[job](raw).flatMap(({ schedule, timezone }) => {
    const found = readSchedule({
      schedule: schedule ?? own.schedule ?? defaultSchedule(job, hasHourly),
      timezone: timezone ?? own.timezone,
    });
    return found ? [found] : [];
  });
  return [...new Map(schedules.map(schedule => [JSON.stringify(schedule), schedule])).values()];
}
