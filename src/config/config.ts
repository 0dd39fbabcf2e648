/** The trusted configuration: what everything after `loadConfig` works with. */
import type { DatabaseOptions } from '../domain/database.ts';
import type { CalendarDuration } from '../domain/duration.ts';
import type { LogFormat, LogLevel } from '../domain/logging.ts';
import type { JobName } from '../domain/plan.ts';
import type { StatementBudget, TablePolicy, ViewPolicy } from '../domain/policy.ts';
import type { Listen } from './parsers.ts';
import type { AFTER } from './schema.ts';
import type { CATCH_UPS, OVERLAPS } from './schema-runs.ts';
import type { Token } from './tokens.ts';

/** A cron pattern of five or six parts, known to come due, and the IANA zone in which it is read. */
export interface Schedule {
  readonly pattern: string;
  readonly timezone: string;
}

export interface TableConfig {
  readonly policy: TablePolicy;
  /** Undefined exactly when `policy.analyze` is. */
  readonly analyze:
    | { readonly after: readonly (typeof AFTER)[number][]; readonly schedule: Schedule | undefined }
    | undefined;
}

export interface ViewConfig {
  readonly policy: ViewPolicy;
  readonly schedule: Schedule | undefined;
}

/** What becomes of the ticks of a schedule, the moments at which it comes due. */
export interface TickPolicy {
  /** Of one that comes while the run before it, of the same job and target, is still going. */
  readonly overlap: (typeof OVERLAPS)[number];
  /** A run starts later by less than this; shorter than the shortest gap of every schedule of the job. 0: on time. */
  readonly jitterMs: number;
  /** Of those that passed while no replica was there: one run for all of them, or none. */
  readonly catchUp: (typeof CATCH_UPS)[number];
  /** A tick that was missed longer ago is not caught up. */
  readonly catchUpWindow: CalendarDuration;
}

export interface JobConfig extends TickPolicy {
  /** Of the whole job; the views and tables have theirs, or this one, with them already. */
  readonly schedule?: Schedule | undefined;
}

export interface QueueConfig {
  /** A name that needs no quotes. */
  readonly schema: string;
  /** More than one action may take, and less than a day. */
  readonly runTimeoutMs: number;
}

export interface LedgerConfig {
  /** A month at least. */
  readonly retention: CalendarDuration | 'forever';
}

export interface TriggersConfig {
  readonly listen: Listen;
  readonly tokenFile: string;
  /** Those that are in the file now; at least one. @throws MaintenanceError CONFIG_INVALID */
  readonly tokens: () => readonly Token[];
}

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

export interface Config {
  readonly database: DatabaseOptions;
  /** The same database without a transaction pooler in between, where `database` may go through one. */
  readonly directDatabase: DatabaseOptions | undefined;
  readonly budget: StatementBudget;
  /** In the file's order, no two of one name, and none that is in `views` as well. */
  readonly tables: readonly TableConfig[];
  readonly views: readonly ViewConfig[];
  /** `provision` and `retire` always have a schedule. */
  readonly jobs: { readonly [K in JobName]: JobConfig };
  readonly queue: QueueConfig;
  readonly ledger: LedgerConfig;
  /** Undefined: no server. */
  readonly http: Listen | undefined;
  /** Undefined: nobody may ask for runs over HTTP. */
  readonly triggers: TriggersConfig | undefined;
  readonly log: LogConfig;
  /** The file's name as it was given, or `the bundled policy`. */
  readonly origin: string;
}
