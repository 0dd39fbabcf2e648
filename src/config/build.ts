/** A file that passed every check → the configuration. Nothing can go wrong here any more. */
import { DEFAULT_NAME } from '../domain/naming.ts';
import type { JobName } from '../domain/plan.ts';
import { PASSING_MS, PATIENCE_MS, type StatementBudget } from '../domain/policy.ts';
import { parseRelationName, type RelationName } from '../domain/relation.ts';
import type { Config, JobConfig, LedgerConfig, QueueConfig, Schedule, TableConfig, ViewConfig } from './config.ts';
import { DEFAULT_ZONE, defaultSchedule } from './defaults.ts';
import type { FileConfig } from './schema.ts';
import { OFF } from './schema-values.ts';

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
  deferOlderThanMs: database.deferIfTransactionOlderThan,
  passingMs: PASSING_MS,
  patienceMs: Math.max(PATIENCE_MS, database.deferIfTransactionOlderThan),
});

export function tablesOf({ tables, jobs }: FileConfig): readonly TableConfig[] {
  return Object.entries(tables).map(([name, { analyze, default: defaultPartition, ...table }]) => ({
    policy: {
      relation: relationOf(name),
      ...table,
      grace: table.grace === 'none' ? undefined : table.grace,
      defaultPartition,
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
  const jobOf = (name: JobName): JobConfig => {
    const { schedule, timezone, jitter, ...ticks } = jobs[name];
    const own = scheduleOf({ schedule, timezone }, undefined, defaultSchedule(name, hasHourly));
    return { schedule: own, jitterMs: jitter, ...ticks };
  };
  return {
    provision: jobOf('provision'),
    retire: jobOf('retire'),
    refresh: jobOf('refresh'),
    analyze: jobOf('analyze'),
  };
}

export const queueOf = ({ queue }: FileConfig): QueueConfig => ({
  schema: queue.schema,
  runTimeoutMs: queue.runTimeout,
});

export const ledgerOf = ({ ledger }: FileConfig): LedgerConfig => ledger;

function relationOf(name: string): RelationName {
  const relation = parseRelationName(name);
  if ('problem' in relation) throw new TypeError(relation.problem);
  return relation;
}
