/** The trusted configuration: what everything after `loadConfig` works with. */
import type { DatabaseOptions } from '../domain/database.ts';
import type { LogFormat, LogLevel } from '../domain/logging.ts';
import type { JobName } from '../domain/plan.ts';
import type { StatementBudget, TablePolicy, ViewPolicy } from '../domain/policy.ts';
import type { Listen } from './parsers.ts';
import type { AFTER } from './schema.ts';

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

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

export interface Config {
  readonly database: DatabaseOptions;
  readonly budget: StatementBudget;
  /** In the file's order, no two of one name, and none that is in `views` as well. */
  readonly tables: readonly TableConfig[];
  readonly views: readonly ViewConfig[];
  /** `provision` and `retire` always have a schedule; those of the others are already with their views and tables. */
  readonly jobs: { readonly [K in JobName]?: { readonly schedule: Schedule } };
  /** Undefined: no server. */
  readonly http: Listen | undefined;
  readonly log: LogConfig;
  /** The file's name as it was given, or `the bundled policy`. */
  readonly origin: string;
}
