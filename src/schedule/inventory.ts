/** Looks at every target at regular times, so that the metrics are true also while nothing is due, and knows the clocks. */

import { backoffMs } from '../domain/backoff.ts';
import { asMaintenanceError, type MaintenanceError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { type Instant, instantFromEpochMs } from '../domain/time.ts';
import { allTargets, type Observer, observe } from '../observe.ts';

export interface InventoryOptions extends Observer {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly stopping: AbortSignal;
}

export interface Inventory {
  /** Goes on until told to stop; a database that is away is asked again, for ever. */
  readonly run: () => Promise<void>;
  /** Resolves with the first facts; rejects only when told to stop before there were any. */
  readonly first: Promise<Facts>;
  /** The database's clock by the last look at it. */
  readonly databaseNow: () => Instant;
  /** Why the database cannot be worked with, or undefined. */
  readonly problem: () => string | undefined;
}

const INTERVAL_MS = 30_000;

export function takeInventory(options: InventoryOptions): Inventory {
  const { clock, emit, policies, stopping, sleep, random } = options;
  let offsetMs = 0;
  let problem: string | undefined = 'the database has not been reached yet';
  const { promise: first, resolve, reject } = Promise.withResolvers<Facts>();
  first.catch(() => {});

  const setProblem = (next: string | undefined): void => {
    if ((next === undefined) !== (problem === undefined))
      emit({ kind: 'ready-changed', ready: next === undefined, because: next ?? 'the database answers' });
    problem = next;
  };

  const look = async (): Promise<MaintenanceError | undefined> => {
    try {
      const facts = await observe(options, allTargets(policies), stopping);
      offsetMs = facts.server.databaseNow.since(facts.server.processNow).total('milliseconds');
      setProblem(undefined);
      resolve(facts);
      return undefined;
    } catch (thrown) {
      const error = asMaintenanceError(thrown);
      setProblem(error.message);
      return error;
    }
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.aborted) {
      failures = (await look()) === undefined ? 0 : failures + 1;
      const delayMs = failures > 0 ? Math.min(INTERVAL_MS, backoffMs(failures + 1, random)) : INTERVAL_MS;
      await sleep(delayMs, stopping).catch(() => {});
    }
    reject(stopping.reason);
  };

  return {
    run,
    first,
    databaseNow: () => instantFromEpochMs(clock().epochMilliseconds + offsetMs),
    problem: () => problem,
  };
}
