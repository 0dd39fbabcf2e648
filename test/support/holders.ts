/** Somebody else, who has begun something and does not end it. */
import type { Client } from 'pg';
import { waitUntil } from './client.ts';
import type { TestDatabase } from './database.ts';

export interface Holder {
  readonly client: Client;
  readonly pid: number;
  /** Ends the transaction, and leaves nothing behind. */
  readonly release: () => Promise<void>;
}

/** What people and programs do at the beginning of transactions that then stay open. */
export const HABITS = {
  /** idle in transaction: it has read the table once. */
  reads: (table: string) => `select count(*) from ${table}`,
  /** A row that is not committed. */
  writes: (table: string) => `insert into ${table} select * from ${table} limit 1`,
  'locks for a schema change': (table: string) => `lock table only ${table} in access exclusive mode`,
  'locks as VACUUM and ANALYZE do': (table: string) => `lock table only ${table} in share update exclusive mode`,
} as const;

/** A transaction that has done this and stays open, as after a debugger's breakpoint. */
export async function hold(
  database: Pick<TestDatabase, 'connect'>,
  sql: string,
  { snapshot = false } = {},
): Promise<Holder> {
  const client = await database.connect();
  await client.query(`begin isolation level ${snapshot ? 'repeatable read' : 'read committed'}`);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  await client.query(sql);
  return { client, pid: rows[0]?.pid ?? 0, release: () => client.query('rollback').then(() => undefined) };
}

/** A VACUUM that takes its time: it holds SHARE UPDATE EXCLUSIVE until it is cancelled by `release`. */
export async function vacuumSlowly(database: Pick<TestDatabase, 'connect' | 'query'>, table: string): Promise<Holder> {
  const client = await database.connect();
  // So much for each page, and a sleep of 400 ms whenever the account is full.
  await client.query('set vacuum_cost_delay = 100; set vacuum_cost_limit = 1; set vacuum_cost_page_hit = 10000');
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid ?? 0;
  const ended = client.query(`vacuum (freeze, disable_page_skipping) ${table}`).then(
    () => true,
    () => false,
  );
  const isAsleep = async (): Promise<boolean> =>
    (await database.query("select from pg_stat_activity where pid = $1 and wait_event = 'VacuumDelay'", [pid])).length >
    0;
  await waitUntil(isAsleep, { what: 'VACUUM to be under way' });
  return {
    client,
    pid,
    async release() {
      await database.query('select pg_cancel_backend($1)', [pid]);
      if (await ended) throw new Error('VACUUM had ended before the test had');
    },
  };
}
