/** What people ask for, table by table and view by view; parsed and trusted. */
import type { CalendarDuration } from './duration.ts';
import type { Interval } from './interval.ts';
import type { RelationName } from './relation.ts';

/** What becomes of an expired partition: `detach` keeps it as a table of its own. */
export const RETIREMENTS = ['drop', 'detach'] as const;
export type Retirement = (typeof RETIREMENTS)[number];

/**
 * What is made of a default partition. `report`: rows in it keep the partition that they belong to from being made; `drain`:
 * they are moved there; `forbid`: there must be none.
 */
export const DEFAULT_POLICIES = ['report', 'drain', 'forbid'] as const;
export type DefaultPolicy = (typeof DEFAULT_POLICIES)[number];

export interface TablePolicy {
  readonly relation: RelationName;
  readonly interval: Interval;
  /** Future partitions beyond the current one. */
  readonly premake: number;
  readonly retention: CalendarDuration | 'forever';
  readonly retire: Retirement;
  /** How long a detached partition stays before it is dropped; undefined: not at all. Only with `retire: drop`. */
  readonly grace: CalendarDuration | undefined;
  /** No more than these in one run. */
  readonly maxPerRun: number;
  /** More than a few partitions that hold more than this share of the table's bytes are not retired unacknowledged. */
  readonly maxShare: number;
  /** A partition stays until each of these was refreshed after its end. */
  readonly retireAfter: readonly RelationName[];
  readonly defaultPartition: DefaultPolicy;
  /** IANA name; decides where a day, a month begins. */
  readonly timezone: string;
  /** Template of partition names, see `naming.ts`. */
  readonly name: string;
  /** After creating a partition, insert a row through the table, see where it lands, and roll it back? */
  readonly probe: boolean;
  readonly analyze: AnalyzePolicy | undefined;
}

export interface AnalyzePolicy {
  /** A table whose rows changed by less than this share since its last ANALYZE is skipped; 0.1 is PostgreSQL's own figure. */
  readonly changedShare: number;
}

export interface ViewPolicy {
  readonly relation: RelationName;
  /** May a view that was never populated be filled with a plain refresh? Nobody can read it before. */
  readonly populate: boolean;
  /** May a view that cannot be refreshed concurrently be refreshed under a lock that stops its readers? */
  readonly blocking: boolean;
  /** May a refresh be left out when nothing that the view reads has changed? */
  readonly skipUnchanged: boolean;
}

export interface Policies {
  readonly tables: readonly TablePolicy[];
  readonly views: readonly ViewPolicy[];
}

/** How long statements may wait and run. Milliseconds. */
export interface StatementBudget {
  /** For one lock: what a writer may have to queue behind us. */
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** Tries of one transaction whose locks were not to be had. */
  readonly lockAttempts: number;
  /** A transaction older than this is not waited for: what would have to wait is put off to the next tick. */
  readonly deferOlderThanMs: number;
  /** A transaction that is older than this when it is seen will not be over in a moment: no lock is queued for behind it. */
  readonly passingMs: number;
  /**
   * What the server is given no timeout for, because that would leave it half done, is ended by us after so long a wait: it is
   * half done then as well, but other work goes on, and the next run finishes it.
   */
  readonly patienceMs: number;
}

/** For {@link StatementBudget.passingMs}: with it, the longest insert falls from 101 to 4–9 ms beside a long reader (measured). */
export const PASSING_MS = 200;

/** For {@link StatementBudget.patienceMs}. */
export const PATIENCE_MS = 60_000;

/** How far the clocks of this process and of the database may be apart before nothing is destroyed any more. */
export const MAX_CLOCK_SKEW_MS = 60_000;
