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

/**
 * Does `work`, which runs its statements on the backend `pid`.
 *
 * @param patienceMs how long one statement may wait for a lock where the server has not been told
 * @throws MaintenanceError LOCK_UNAVAILABLE when it was cancelled for the sake of others
 */
export async function givingWay<T>(
  database: Database,
  pid: number | undefined,
  work: () => Promise<T>,
  patienceMs?: number,
): Promise<T> {
  if (pid === undefined) return work();
  const watcher = watch(database, pid, patienceMs);
  try {
    return await work();
  } catch (thrown) {
    const error = asMaintenanceError(thrown);
    if (!watcher.hasGivenWay() || error.code !== 'CANCELLED') throw error;
    throw new MaintenanceError(
      'LOCK_UNAVAILABLE',
      `gave way, because others had queued up behind it: ${error.message}`,
      {
        cause: error,
      },
    );
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
      const cancelled = look(session);
      looking = cancelled;
      if ((await cancelled).length > 0) hasGivenWay = true;
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
    hasGivenWay: () => hasGivenWay,
    /** A last look that is under way must not meet the next statement of that backend. */
    async end(): Promise<void> {
      over.abort();
      await looking.catch(() => {});
    },
  };
}
