/** A database that answers at once, or not at all, and a time that passes only while somebody sleeps. */

import { loadConfig } from '../../../src/config/load.ts';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import type { Facts } from '../../../src/domain/facts.ts';
import { type Instant, instantFrom } from '../../../src/domain/time.ts';
import { unrecorded } from '../../../src/executor/record.ts';
import { allTargets } from '../../../src/observe.ts';
import type { Database } from '../../../src/postgres/database.ts';
import type { Event } from '../../../src/report/events.ts';
import type { Runner } from '../../../src/run-job.ts';
import { aServer } from '../../support/facts.ts';

export const configOf = (yaml: string) =>
  loadConfig({ flags: {}, env: {}, cwd: '/', isTerminal: false, readFile: () => yaml });

export interface Imagined {
  readonly runner: Runner;
  readonly events: readonly Event[];
  readonly now: () => Instant;
  /** What its clock says from here on, without anybody having slept. */
  readonly setClock: (text: string) => void;
  readonly setReachable: (isReachable: boolean) => void;
  /** Aborted once somebody has slept up to the end. */
  readonly stopping: AbortSignal;
  readonly sleeps: readonly number[];
  /** Each run that began: when, and of which job. */
  readonly runs: () => readonly string[];
}

/** Its tables do not exist, so that every run is a success and has nothing to do. */
export function imagine(config: ReturnType<typeof configOf>, from: string, to: string): Imagined {
  let now = instantFrom(from);
  let isReachable = true;
  const stopping = new AbortController();
  const events: Event[] = [];
  const started: string[] = [];
  const sleeps: number[] = [];
  const policies = {
    tables: config.tables.map(({ policy }) => policy),
    views: config.views.map(({ policy }) => policy),
  };
  const facts = (): Facts => ({
    server: aServer({ databaseNow: now, processNow: now }),
    hasBookkeeping: true,
    ledger: undefined,
    tables: [],
    views: [],
    missing: allTargets(policies).map(relation => ({ relation, reason: 'absent' })),
  });
  const read = async (): Promise<Facts> => {
    if (!isReachable) throw new MaintenanceError('CONNECTION_FAILED', 'could not connect');
    return facts();
  };
  const unused = () => Promise.reject(new Error('nothing is there to be changed'));
  // Whoever reads wants facts; none of them is looked for.
  const database: Database = {
    read: read as Database['read'],
    use: unused,
    useOnce: unused,
    close: unused,
    address: 'postgres://imagined',
  };
  const runner: Runner = {
    database,
    policies,
    budget: config.budget,
    dueSince: () => undefined,
    emit(event) {
      events.push(event);
      if (event.kind === 'run-started') started.push(`${now.toString()} ${event.run.job}`);
    },
    clock: () => now,
    monotonicMs: () => now.epochMilliseconds,
    newRunId: () => `run ${started.length}`,
    async sleep(ms) {
      sleeps.push(ms);
      now = now.add({ milliseconds: Math.ceil(ms) });
      if (now.epochMilliseconds >= instantFrom(to).epochMilliseconds) stopping.abort('the end');
    },
    random: () => 0.5,
    lock: async () => ({ lost: new AbortController().signal, release: async () => {} }),
    ledger: {
      begin: async () => ({ recorder: unrecorded, finish: async () => {} }),
      skipTick: async () => true,
      interruptVanished: async () => undefined,
    },
  };
  return {
    runner,
    events,
    now: () => now,
    setClock(text) {
      now = instantFrom(text);
    },
    setReachable(reachable) {
      isReachable = reachable;
    },
    stopping: stopping.signal,
    sleeps,
    runs: () => started,
  };
}
