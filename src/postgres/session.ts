/** One connection, pinned to settings under which our statements mean one thing, and cancellable. */
import { setTimeout as delay } from 'node:timers/promises';
import { type ClientBase, type CustomTypesConfig, types } from 'pg';
import { MaintenanceError } from '../domain/errors.ts';
import type { StatementBudget } from '../domain/policy.ts';
import type { Statement } from './ddl.ts';
import { classify } from './sqlstate.ts';
import { orDestroyed } from './waiting.ts';

export interface Session {
  /** Of the server's process, for those who watch it; undefined where it is not known. */
  readonly pid: number | undefined;
  /** Runs a read with parameters. `attempted` completes "could not …" should it fail. */
  query<Row extends object>(sql: string, parameters: readonly unknown[], attempted: string): Promise<readonly Row[]>;
  /** Runs a statement made by the `ddl` tag. */
  execute(statement: Statement, attempted: string): Promise<void>;
  /** The same for what may take as long as it takes. The session's own timeouts have to allow for it. */
  executeUnbounded(statement: Statement, attempted: string): Promise<void>;
  /** BEGIN … COMMIT, or ROLLBACK when `work` throws. Locks wait for `lockTimeoutMs` each. */
  transaction<T>(budget: TransactionBudget, work: () => Promise<T>): Promise<T>;
}

export type TransactionBudget = Pick<StatementBudget, 'lockTimeoutMs' | 'statementTimeoutMs'>;

/**
 * The server is to notice within 11 s when our machine is gone. Left to itself it would keep a session and its locks for two hours;
 * a quarter of one, whatever the keepalives say, while an answer of its own is not acknowledged. Over a socket file they mean nothing.
 */
export const NOTICE_WHEN_GONE: Readonly<Record<string, string>> = {
  tcp_keepalives_idle: '5',
  tcp_keepalives_interval: '2',
  tcp_keepalives_count: '3',
  // Milliseconds.
  tcp_user_timeout: '11000',
};

/**
 * Pinned once per connection. Bounds are printed in the session's TimeZone and DateStyle; a search_path without user
 * schemas keeps other people's functions and operators from being taken for the system's.
 */
export const pinnedSettings = (budget: TransactionBudget): Readonly<Record<string, string>> => ({
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  client_encoding: 'UTF8',
  search_path: 'pg_catalog, pg_temp',
  lock_timeout: `${budget.lockTimeoutMs}ms`,
  statement_timeout: `${budget.statementTimeoutMs}ms`,
  // Between two statements of a transaction there are milliseconds, unless the process is stopped or its machine gone.
  idle_in_transaction_session_timeout: '10s',
  // From PostgreSQL 17 on. A refresh may take as long as our own budget says.
  transaction_timeout: '0',
  default_transaction_isolation: 'read committed',
  ...NOTICE_WHEN_GONE,
});

/** @returns the process id of the session's backend; behind a pooler the driver knows only one of the pooler's making */
export async function pinSettings(client: ClientBase, budget: TransactionBudget): Promise<number | undefined> {
  const settings = Object.entries(pinnedSettings(budget));
  const { rows } = await client.query<{ pid: number }>(
    'select pg_catalog.set_config(s.name, s.value, false), pg_catalog.pg_backend_pid() as pid from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) as s (name, value) where pg_catalog.current_setting(s.name, true) is not null',
    [settings.map(([name]) => name), settings.map(([, value]) => value)],
  );
  return rows[0]?.pid;
}

// `pg_type.oid`; fixed in the server's source.
const AS_NUMBER = [20, 26]; // int8, oid
const AS_TEXT = [1082, 1114, 1184]; // date, timestamp, timestamptz

/** Timestamps and dates stay text: as JavaScript dates they would lose microseconds, and dates would move by a zone. */
export const typeParsers: CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (AS_NUMBER.includes(oid)) return Number;
    return AS_TEXT.includes(oid) ? String : types.getTypeParser(oid, format);
  },
};

// Longer than the server may need to answer "canceling statement due to statement timeout".
const SILENCE_GRACE_MS = 15_000;
/** How long a statement may take to end once it was cancelled, and a transaction to be rolled back. */
const CANCEL_MS = 2_000;

export interface SessionOptions {
  readonly client: ClientBase;
  readonly pid?: number | undefined;
  readonly budget: TransactionBudget;
  /** How long an answer may be waited for. Undefined: longer than the statement may run. */
  readonly answerWithinMs?: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Asks the server, over another connection, to cancel what this session runs. */
  readonly cancel: () => Promise<void>;
  /** Tears the socket down. */
  readonly destroy: () => void;
}

export function sessionOver({ client, pid, budget, answerWithinMs, signal, cancel, destroy }: SessionOptions): Session {
  const run = async <T>(attempted: string, timeoutMs: number, query: () => Promise<T>): Promise<T> => {
    if (signal?.aborted) throw cancelled(attempted, signal);
    const finished = new AbortController();
    // A backend that hangs takes no notice of being cancelled either.
    const onAbort = () =>
      void cancel()
        .then(() => delay(CANCEL_MS, undefined, { signal: finished.signal, ref: false }))
        .then(destroy, () => {});
    signal?.addEventListener('abort', onAbort, { once: true });
    // statement_timeout lives in the server; behind a network that swallows packets only our own clock notices.
    const patienceMs = answerWithinMs ?? timeoutMs + SILENCE_GRACE_MS;
    let isSilent = false;
    const watchdog =
      patienceMs === Number.POSITIVE_INFINITY
        ? undefined
        : delay(patienceMs, undefined, { signal: finished.signal, ref: false }).then(
            () => {
              isSilent = true;
              destroy();
            },
            () => {},
          );
    try {
      return await query();
    } catch (error) {
      if (signal?.aborted) throw cancelled(attempted, signal, error);
      throw isSilent ? silent(attempted, patienceMs, error) : classify(error, attempted);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      finished.abort();
      await watchdog;
    }
  };

  let timeoutMs = budget.statementTimeoutMs;
  const execute = (text: string, attempted: string) => run(attempted, timeoutMs, () => client.query(text));

  return {
    pid,
    async query<Row extends object>(sql: string, parameters: readonly unknown[], attempted: string) {
      const { rows } = await run(attempted, timeoutMs, () => client.query<Row>(sql, [...parameters]));
      return rows;
    },
    async execute(statement, attempted) {
      await execute(statement.text, attempted);
    },
    async executeUnbounded(statement, attempted) {
      await run(attempted, Number.POSITIVE_INFINITY, () => client.query(statement.text));
    },
    async transaction(limits, work) {
      timeoutMs = limits.statementTimeoutMs;
      await execute(
        `begin; set local lock_timeout = '${Math.trunc(limits.lockTimeoutMs)}ms'; set local statement_timeout = '${Math.trunc(limits.statementTimeoutMs)}ms'`,
        'begin a transaction',
      );
      try {
        const result = await work();
        await execute('commit', 'commit');
        return result;
      } catch (error) {
        // Should this fail as well, the connection is gone and the server has rolled back already.
        await orDestroyed(client.query('rollback'), { ms: CANCEL_MS, destroy }).catch(destroy);
        throw error;
      } finally {
        timeoutMs = budget.statementTimeoutMs;
      }
    },
  };
}

const cancelled = (attempted: string, signal: AbortSignal, cause?: unknown): MaintenanceError =>
  new MaintenanceError('CANCELLED', `stopped before it could ${attempted}: ${String(signal.reason)}`, { cause });

const silent = (attempted: string, ms: number, cause: unknown): MaintenanceError =>
  new MaintenanceError('CONNECTION_LOST', `could not ${attempted}: no answer for ${ms / 1000} s`, {
    cause,
    hint: 'See whether the server hangs, or the network between here and there.',
  });
