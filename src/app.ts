/** The composition root: the only place where things are constructed and where clocks and chance come from. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from './config/config.ts';
import { schedulesOf } from './config/schedules.ts';
import type { Policies } from './domain/policy.ts';
import { instantFromEpochMs } from './domain/time.ts';
import { type Database, openDatabase } from './postgres/database.ts';
import { type Emit, fanOut } from './report/events.ts';
import type { Runner } from './run-job.ts';
import { dueSinceBy } from './schedule/ticks.ts';

export interface App {
  readonly config: Config;
  readonly policies: Policies;
  readonly database: Database;
  readonly runner: Runner;
  /** Closes every connection. */
  readonly close: () => Promise<void>;
}

/** Connects lazily: nothing is asked of the database before the first use. */
export function createApp(config: Config, subscribers: readonly Emit[]): App {
  const policies: Policies = {
    tables: config.tables.map(({ policy }) => policy),
    views: config.views.map(({ policy }) => policy),
  };
  const database = openDatabase(config.database, config.budget);
  const runner: Runner = {
    database,
    policies,
    budget: config.budget,
    dueSince: dueSinceBy(schedulesOf(config)),
    emit: fanOut(subscribers, error => process.emitWarning(error instanceof Error ? error : String(error))),
    clock: () => instantFromEpochMs(Date.now()),
    monotonicMs: () => performance.now(),
    newRunId: randomUUID,
    sleep: (ms, signal) => delay(ms, undefined, { signal }),
    random: Math.random,
  };
  return { config, policies, database, runner, close: () => database.close() };
}
