/** A file that passed every check → the configuration. Nothing can go wrong here any more. */
import { DEFAULT_NAME } from '../domain/naming.ts';
import { JOB_NAMES } from '../domain/plan.ts';
import type { StatementBudget } from '../domain/policy.ts';
import { parseRelationName, type RelationName } from '../domain/relation.ts';
import type { Config, Schedule, TableConfig, ViewConfig } from './config.ts';
import { DEFAULT_ZONE, defaultSchedule } from './defaults.ts';
import { type FileConfig, OFF } from './schema.ts';

interface Timing {
  readonly schedule?: string | undefined;
  readonly timezone?: string | undefined;
}

/** A target's own times, and for what it leaves open those of its job. */
function scheduleOf(own: Timing, job: Timing | undefined, fallback?: string): Schedule | undefined {
  const pattern = own.schedule ?? job?.schedule ?? fallback;
  return pattern === undefined ? undefined : { pattern, timezone: own.timezone ?? job?.timezone ?? DEFAULT_ZONE };
}

export const budgetOf = ({ database }: FileConfig): StatementBudget => ({
  lockTimeoutMs: database.lockTimeout,
  statementTimeoutMs: database.statementTimeout,
  lockAttempts: database.lockAttempts,
});

export function tablesOf({ tables, jobs }: FileConfig): readonly TableConfig[] {
  return Object.entries(tables).map(([name, { analyze, ...table }]) => ({
    policy: {
      relation: relationOf(name),
      ...table,
      name: table.name ?? DEFAULT_NAME[table.interval],
      analyze: analyze === OFF ? undefined : { changedShare: analyze.changedShare },
    },
    analyze: analyze === OFF ? undefined : { after: analyze.after, schedule: scheduleOf(analyze, jobs.analyze) },
  }));
}

export function viewsOf({ views, jobs }: FileConfig): readonly ViewConfig[] {
  return Object.entries(views).map(([name, { schedule, timezone, ...view }]) => ({
    policy: { relation: relationOf(name), ...view },
    schedule: scheduleOf({ schedule, timezone }, jobs.refresh),
  }));
}

export function jobsOf({ jobs, tables }: FileConfig): Config['jobs'] {
  const hasHourly = Object.values(tables).some(({ interval }) => interval === 'hour');
  const entries = JOB_NAMES.flatMap(job => {
    const schedule = scheduleOf(jobs[job] ?? {}, undefined, defaultSchedule(job, hasHourly));
    return schedule ? [[job, { schedule }] as const] : [];
  });
  return Object.fromEntries(entries);
}

function relationOf(name: string): RelationName {
  const relation = parseRelationName(name);
  if ('problem' in relation) throw new TypeError(relation.problem);
  return relation;
}
