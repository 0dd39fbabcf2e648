/**
 * Looks at every target at regular times, so that the metrics are true also while nothing is due. Knows the clocks, and
 * whether the database can be worked with: from its own looks, and from those of every run.
 */

import { backoffMs } from '../domain/backoff.ts';
import type { Facts, ServerFacts } from '../domain/facts.ts';
import { type Instant, instantFromEpochMs } from '../domain/time.ts';
import type { Observer } from '../observe.ts';
import type { Emit } from '../report/events.ts';

export interface InventoryOptions extends Pick<Observer, 'clock' | 'monotonicMs' | 'emit'> {
  /** Reads the facts of every target and tells everyone of them, also of not being able to. */
  readonly look: (signal: AbortSignal) => Promise<unknown>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly stopping: AbortSignal;
  /** False: a database that cannot be reached at the first try is not waited for. */
  readonly isPatient: boolean;
}

export interface Inventory {
  /** Goes on until told to stop; a database that is away is asked again, for ever. */
  readonly run: () => Promise<void>;
  /** Resolves with the first facts; rejects when told to stop before there were any, or for want of patience. */
  readonly first: Promise<Facts>;
  /** Looks at once rather than when its time has come: there may be targets that were never looked at. */
  readonly lookNow: () => void;
  /** Has to be told of every event. */
  readonly listen: Emit;
  /** The database's clock by the last look at it. */
  readonly databaseNow: () => Instant;
  /** Why no work can be done, or undefined. */
  readonly problem: () => string | undefined;
  /** What else is needed before work can be done, and why it is not there. */
  readonly setQueueProblem: (problem: string | undefined) => void;
}

const INTERVAL_MS = 30_000;

export function takeInventory(options: InventoryOptions): Inventory {
  const { clock, monotonicMs, emit, stopping, sleep, random, isPatient } = options;
  // Between two looks only time that passes counts: somebody may set the process's clock, and ticks would come too early.
  let offsetMs = clock().epochMilliseconds - monotonicMs();
  let databaseProblem: string | undefined = 'the database has not been reached yet';
  let queueProblem: string | undefined;
  let isAway = false;
  const problem = (): string | undefined => databaseProblem ?? queueProblem;
  let awake = new AbortController();
  // Asked for while a look is under way, which may have begun with the targets of before.
  let isLookWanted = false;
  const { promise: first, resolve, reject } = Promise.withResolvers<Facts>();
  first.catch(() => {});

  const tellAfter = (change: () => void): void => {
    const before = problem();
    change();
    const after = problem();
    if ((after === undefined) === (before === undefined) || stopping.aborted) return;
    emit({ kind: 'ready-changed', ready: after === undefined, because: after ?? 'the database answers' });
  };
  const setProblem = (next: string | undefined): void => {
    const isLost = next !== undefined && databaseProblem === undefined;
    tellAfter(() => {
      databaseProblem = next;
    });
    // It is gone, as somebody else found: look again soon, to notice its return.
    if (isLost) awake.abort();
  };

  const listen: Emit = event => {
    if (event.kind === 'observed') {
      const { server } = event.facts;
      const sinceMs = clock().since(server.processNow).total('milliseconds');
      offsetMs = server.databaseNow.epochMilliseconds + sinceMs - monotonicMs();
      isAway = false;
      setProblem(whyUnusable(server));
      resolve(event.facts);
    } else if (event.kind === 'observation-failed' && event.error.code !== 'CANCELLED') {
      isAway = true;
      setProblem(event.error.message);
      // No patience makes a pooler a server.
      if (!isPatient || event.error.code === 'TRANSACTION_POOLER') reject(event.error);
    } else if (
      // The queue is asked more often than we look: what troubles it may well be the database, and when it answers that is back.
      (event.kind === 'queue-troubled' && databaseProblem === undefined) ||
      (event.kind === 'queue-watched' && isAway)
    )
      awake.abort();
  };

  const look = (): Promise<boolean> =>
    options.look(stopping).then(
      () => true,
      () => false,
    );

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.aborted) {
      isLookWanted = false;
      failures = (await look()) ? 0 : failures + 1;
      if (isLookWanted) continue;
      const delayMs = failures > 0 ? Math.min(INTERVAL_MS, backoffMs(failures + 1, random)) : INTERVAL_MS;
      awake = new AbortController();
      await sleep(delayMs, AbortSignal.any([stopping, awake.signal])).catch(() => {});
    }
    reject(stopping.reason);
  };

  return {
    run,
    first,
    lookNow() {
      isLookWanted = true;
      awake.abort();
    },
    listen,
    databaseNow: () => instantFromEpochMs(Math.floor(monotonicMs() + offsetMs)),
    problem,
    setQueueProblem: next =>
      tellAfter(() => {
        queueProblem = next;
      }),
  };
}

function whyUnusable({ isInRecovery, isReadOnly, database }: ServerFacts): string | undefined {
  if (isInRecovery) return `the server of database ${database} is a standby in recovery`;
  return isReadOnly ? `the server of database ${database} is in read-only mode` : undefined;
}
