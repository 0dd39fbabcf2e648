/** The composition root: the only place where things are constructed and where clocks and chance come from. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from './config/config.ts';
import { configHash } from './config/hash.ts';
import { withLedgerTables } from './config/ledger-tables.ts';
import { schedulesOf } from './config/schedules.ts';
import type { Policies } from './domain/policy.ts';
import { instantFromEpochMs } from './domain/time.ts';
import { keepLedger } from './ledger/ledger.ts';
import { type Database, type OnConnectFailed, openDatabase } from './postgres/database.ts';
import { lockOver } from './postgres/run-lock.ts';
import { type Emit, fanOut } from './report/events.ts';
import type { Runner } from './run-job.ts';
import { dueSinceBy } from './schedule/ticks.ts';
import { VERSION } from './version.ts';

export interface App {
  readonly config: Config;
  readonly policies: Policies;
  readonly database: Database;
  readonly runner: Runner;
  /** Closes every connection. */
  readonly close: () => Promise<void>;
}

/** Connects lazily: nothing is asked of the database before the first use. */
export function createApp(given: Config, subscribers: readonly Emit[]): App {
  const config = withLedgerTables(given);
  const policies: Policies = {
    tables: config.tables.map(({ policy }) => policy),
    views: config.views.map(({ policy }) => policy),
  };
  // Locks and DDL need a session of their own; behind a transaction pooler only the direct address gives one.
  const direct = config.directDatabase ?? config.database;
  const author = { replica: `${hostname()}/${process.pid}`, version: VERSION, configHash: configHash(config) };
  const emit = fanOut(subscribers, error => process.emitWarning(error instanceof Error ? error : String(error)));
  const onConnectFailed: OnConnectFailed = reason => emit({ kind: 'connect-failed', reason });
  const database = openDatabase(direct, config.budget, onConnectFailed);
  const runner: Runner = {
    database,
    policies,
    budget: config.budget,
    dueSince: dueSinceBy(schedulesOf(config)),
    emit,
    clock: () => instantFromEpochMs(Date.now()),
    monotonicMs: () => performance.now(),
    lock: lockOver(direct, onConnectFailed),
    ledger: keepLedger(database, author, () => randomUUID(), emit),
    newRunId: () => randomUUID(),
    sleep: (ms, signal) => delay(ms, undefined, { signal }),
    random: Math.random,
  };
  return { config, policies, database, runner, close: () => database.close() };
}
