/** For tests of locks and interruptions: waiting for something to become true, and seeing who holds what. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';

export interface WaitOptions {
  /** Default 20 s: what is waited for comes soon, but on a machine that is busy with others not at once. */
  readonly deadlineMs?: number;
  /** The longest pause between two questions, default 100 ms; the first ones follow each other sooner. */
  readonly pollMs?: number;
  /** Completes "waited 5 s for …". */
  readonly what?: string;
}

const FIRST_POLL_MS = 10;

type Falsy = false | 0 | '' | null | undefined;

/** Asks until the answer is truthy, and gives that answer. An error ends the wait at once. */
export async function waitUntil<T>(
  predicate: () => T | Falsy | Promise<T | Falsy>,
  { deadlineMs = 20_000, pollMs = 100, what = 'a condition' }: WaitOptions = {},
): Promise<T> {
  const started = performance.now();
  for (;;) {
    const waitedMs = performance.now() - started;
    // The answer of a question asked before the deadline counts, however long it takes.
    const last = waitedMs >= deadlineMs;
    const answer = await predicate();
    if (answer) return answer;
    if (last) throw new Error(`Waited ${deadlineMs / 1000} s for ${what}, in vain.`);
    await sleep(Math.min(pollMs, FIRST_POLL_MS + waitedMs / 10));
  }
}

export interface RelationLock {
  readonly pid: number;
  /** As pg_locks says: AccessExclusiveLock, ShareUpdateExclusiveLock, … */
  readonly mode: string;
  readonly granted: boolean;
  readonly applicationName: string;
}

/** The locks that anybody holds on the relation, the asking connection included. */
export const heldLocks = (client: Pick<ClientBase, 'query'>, relation: string): Promise<RelationLock[]> =>
  readLocks(client, relation, true);

/** The locks on the relation that somebody waits for. */
export const awaitedLocks = (client: Pick<ClientBase, 'query'>, relation: string): Promise<RelationLock[]> =>
  readLocks(client, relation, false);

async function readLocks(
  client: Pick<ClientBase, 'query'>,
  relation: string,
  granted: boolean,
): Promise<RelationLock[]> {
  const { rows } = await client.query<RelationLock>(
    `select l.pid, l.mode, l.granted, coalesce(a.application_name, '') as "applicationName"
       from pg_catalog.pg_locks l
       left join pg_catalog.pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'relation'
        and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
        and l.relation = $1::regclass
        and l.granted = $2
      order by l.pid, l.mode`,
    [relation, granted],
  );
  return rows;
}

/** Waits until the backend is stuck behind another one's lock. */
export const waitUntilBlocked = (client: Pick<ClientBase, 'query'>, pid: number, options: WaitOptions = {}) =>
  waitUntil(
    async () => {
      const { rows } = await client.query<{ blocked: boolean }>(
        'select pg_catalog.cardinality(pg_catalog.pg_blocking_pids($1)) > 0 as blocked',
        [pid],
      );
      return rows[0]?.blocked;
    },
    { what: `backend ${pid} to wait for a lock`, ...options },
  );
