/**
 * While a statement of ours waits for a lock, whoever needs that lock in a conflicting way waits behind it. A watcher looks
 * from another connection, and has the statement cancelled as soon as somebody does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { asMaintenanceError, MaintenanceError } from '../domain/errors.ts';
import type { Database } from '../postgres/database.ts';
import type { Session } from '../postgres/session.ts';
import { statements } from './statements.ts';

/** Longer than nearly everything that we do takes, so that mostly nobody has to look. */
const FIRST_LOOK_MS = 20;
const NEXT_LOOK_MS = 20;
/** What runs for long is looked at less often: a look costs the server something as well. */
const LONGEST_PAUSE_MS = 100;
const SLOWER = 1.1;
/** When nobody can look just now, the lock budget bounds the wait all the same. */
const AFTER_TROUBLE_MS = 200;

export interface GivingWay {
  readonly signal: AbortSignal;
  /** How long one statement may wait for a lock where the server has not been told. */
  readonly patienceMs?: number | undefined;
}

/** Does `work`, in whose session a statement that was cancelled for the sake of others fails with LOCK_UNAVAILABLE. */
export async function givingWay<T>(
  database: Database,
  session: Session,
  { signal, patienceMs }: GivingWay,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { pid } = session;
  if (pid === undefined) return work(session);
  const watcher = watch(database, pid, patienceMs);
  const told = async <R>(statement: Promise<R>): Promise<R> => {
    try {
      return await statement;
    } catch (thrown) {
      const error = asMaintenanceError(thrown);
      if (error.code !== 'CANCELLED' || signal.aborted || !(await watcher.hasGivenWay())) throw error;
      throw new MaintenanceError('LOCK_UNAVAILABLE', `gave way to others, or had waited for long: ${error.message}`, {
        cause: error,
      });
    }
  };
  try {
    return await work({
      ...session,
      query: (sql, parameters, attempted) => told(session.query(sql, parameters, attempted)),
      execute: (statement, attempted) => told(session.execute(statement, attempted)),
      executeUnbounded: (statement, attempted) => told(session.executeUnbounded(statement, attempted)),
    });
  } finally {
    await watcher.end();
  }
}

function watch(database: Database, pid: number, patienceMs: number | undefined) {
  const over = new AbortController();
  let hasGivenWay = false;
  let looking: Promise<unknown> = Promise.resolve();
  const pause = (ms: number): Promise<void> =>
    delay(ms, undefined, { signal: over.signal, ref: false }).catch(() => {});

  const look = (session: Session): Promise<readonly object[]> =>
    session.query(statements.giveWay, [pid, patienceMs ?? null], 'see whether anybody waits behind us');
  const lookOn = async (session: Session): Promise<void> => {
    for (let pauseMs = NEXT_LOOK_MS; !over.signal.aborted; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * SLOWER)) {
      const looked = look(session).then(rows => {
        hasGivenWay ||= rows.length > 0;
      });
      looking = looked;
      await looked;
      await pause(pauseMs);
    }
  };
  const lookUntilOver = async (): Promise<void> => {
    await pause(FIRST_LOOK_MS);
    while (!over.signal.aborted) {
      await database.read(lookOn).catch(() => {});
      await pause(AFTER_TROUBLE_MS);
    }
  };
  void lookUntilOver();

  return {
    /** Since it was last asked; the answer of a look that is under way is waited for. */
    async hasGivenWay(): Promise<boolean> {
      await looking.catch(() => {});
      const answer = hasGivenWay;
      hasGivenWay = false;
      return answer;
    },
    /** A last look that is under way must not meet the next statement of that backend. */
    async end(): Promise<void> {
      over.abort();
      await looking.catch(() => {});
    },
  };
}
