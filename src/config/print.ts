/** The configuration in force, as a file that means the same: `config print`. */
import { stringify } from 'yaml';
import { type CalendarDuration, formatDuration } from '../domain/duration.ts';
import { formatRelationName } from '../domain/relation.ts';
import type { Config, Schedule, TableConfig, ViewConfig } from './config.ts';
import { redactDatabaseUrl } from './database-url.ts';
import { OFF } from './schema.ts';

/**
 * YAML with every default spelled out and no secret. Loaded again, in the same environment, it gives the same
 * configuration but for the secrets and its origin.
 */
export function printConfig(config: Config): string {
  const { database, budget, tables, views, jobs, http, log, origin } = config;
  const file = {
    database: {
      url: database.connectionString === undefined ? undefined : redactDatabaseUrl(database.connectionString),
      pool: database.pool,
      connectTimeout: printTimeout(database.connectTimeoutMs),
      lockTimeout: printTimeout(budget.lockTimeoutMs),
      lockAttempts: budget.lockAttempts,
      statementTimeout: printTimeout(budget.statementTimeoutMs),
    },
    tables: byName(tables, printTable),
    views: byName(views, printView),
    jobs: Object.fromEntries(Object.entries(jobs).map(([job, { schedule }]) => [job, printSchedule(schedule)])),
    http:
      http === undefined ? OFF : { listen: `${http.host.includes(':') ? `[${http.host}]` : http.host}:${http.port}` },
    log,
  };
  const heading = `# The configuration in force, from ${origin}. What the PG… variables say is not in it; *** stands for a secret.\n`;
  return heading + stringify(escapePlaceholders(file), { lineWidth: 0, singleQuote: true });
}

const byName = <T extends TableConfig | ViewConfig>(items: readonly T[], print: (item: T) => object): object =>
  Object.fromEntries(items.map(item => [formatRelationName(item.policy.relation), print(item)]));

const printTable = ({ policy, analyze }: TableConfig): object => ({
  interval: policy.interval,
  premake: policy.premake,
  retention: printRetention(policy.retention),
  retire: policy.retire,
  timezone: policy.timezone,
  name: policy.name,
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

const printSchedule = (schedule: Schedule | undefined): object =>
  schedule ? { schedule: schedule.pattern, timezone: schedule.timezone } : {};

const printRetention = (retention: CalendarDuration | 'forever'): string =>
  retention === 'forever' ? 'keep forever' : formatDuration(retention);

const UNITS = [
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

function printTimeout(milliseconds: number): string {
  const [unit, factor] = UNITS.find(([, size]) => milliseconds % size === 0) ?? ['ms', 1];
  return `${milliseconds / factor}${unit}`;
}

/** Every `${` that is left in a value is meant literally. */
const escapePlaceholders = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${');
  if (Array.isArray(value)) return value.map(escapePlaceholders);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escapePlaceholders(inner)]));
};
