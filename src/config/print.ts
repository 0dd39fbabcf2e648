/** The configuration in force, as a file that means the same: `config print`. */
import { stringify } from 'yaml';
import { type CalendarDuration, formatDuration } from '../domain/duration.ts';
import { formatRelationName } from '../domain/relation.ts';
import type { Config, JobConfig, Schedule, TableConfig, ViewConfig } from './config.ts';
import { redactDatabaseUrl } from './database-url.ts';
import { formatJitter, formatLength } from './lengths.ts';
import type { Listen } from './parsers.ts';
import { OFF } from './schema-values.ts';

/**
 * YAML with every default spelled out and no secret. Loaded again, in the same environment, it gives the same
 * configuration but for the secrets and its origin.
 */
export function printConfig(config: Config): string {
  const heading = `# The configuration in force, from ${config.origin}. What the PG… variables say is not in it; *** stands for a secret.\n`;
  return heading + stringify(escapePlaceholders(describeConfig(config)), { lineWidth: 0, singleQuote: true });
}

/** The keys and values of a file that means the same, without secrets. */
export function describeConfig(config: Config) {
  const { database, directDatabase, budget, tables, views, jobs, queue, ledger, http, triggers, log } = config;
  return {
    database: {
      url: printAddress(database.connectionString),
      directUrl: printAddress(directDatabase?.connectionString),
      pool: database.pool,
      connectTimeout: formatLength(database.connectTimeoutMs),
      lockTimeout: formatLength(budget.lockTimeoutMs),
      lockAttempts: budget.lockAttempts,
      deferIfTransactionOlderThan: formatLength(budget.deferOlderThanMs),
      statementTimeout: formatLength(budget.statementTimeoutMs),
    },
    tables: byName(tables, printTable),
    views: byName(views, printView),
    jobs: Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, printJob(job)])),
    queue: { schema: queue.schema, runTimeout: formatLength(queue.runTimeoutMs) },
    ledger: { retention: printRetention(ledger.retention) },
    http: http === undefined ? OFF : { listen: printListen(http) },
    triggers: triggers ? { listen: printListen(triggers.listen), tokenFile: triggers.tokenFile } : OFF,
    log,
  };
}

const printListen = ({ host, port }: Listen): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

const printAddress = (address: string | undefined): string | undefined => address && redactDatabaseUrl(address);

const byName = <T extends TableConfig | ViewConfig>(items: readonly T[], print: (item: T) => object): object =>
  Object.fromEntries(items.map(item => [formatRelationName(item.policy.relation), print(item)]));

const printTable = ({ policy, analyze }: TableConfig): object => ({
  interval: policy.interval,
  premake: policy.premake,
  retention: printRetention(policy.retention),
  retire: policy.retire,
  grace: policy.grace === undefined ? 'none' : formatDuration(policy.grace),
  maxPerRun: policy.maxPerRun,
  maxShare: policy.maxShare,
  retireAfter: policy.retireAfter.map(formatRelationName),
  default: policy.defaultPartition,
  timezone: policy.timezone,
  name: policy.name,
  probe: policy.probe,
  analyze:
    analyze && policy.analyze
      ? { after: analyze.after, ...printSchedule(analyze.schedule), changedShare: policy.analyze.changedShare }
      : OFF,
});

const printView = ({ policy: { populate, blocking, skipUnchanged }, schedule }: ViewConfig): object => ({
  ...printSchedule(schedule),
  populate,
  blocking,
  skipUnchanged,
});

const printJob = ({ schedule, overlap, jitterMs, catchUp, catchUpWindow }: JobConfig): object => ({
  ...printSchedule(schedule),
  overlap,
  jitter: formatJitter(jitterMs),
  catchUp,
  catchUpWindow: formatDuration(catchUpWindow),
});

const printSchedule = (schedule: Schedule | undefined): object =>
  schedule ? { schedule: schedule.pattern, timezone: schedule.timezone } : {};

const printRetention = (retention: CalendarDuration | 'forever'): string =>
  retention === 'forever' ? 'keep forever' : formatDuration(retention);

/** Every `${` that is left in a value is meant literally. */
const escapePlaceholders = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${');
  if (Array.isArray(value)) return value.map(escapePlaceholders);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escapePlaceholders(inner)]));
};
