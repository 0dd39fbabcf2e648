/** Views whose refresh waits at a gate: a test that closes the gate has a run that goes on until it opens it again. */
import type { Client } from 'pg';
import { waitUntil } from './client.ts';
import type { TestDatabase } from './database.ts';

/** Any number of our own. */
const GATE = 7_772;

/** `app.first` and `app.second` wait at gates 1 and 2; `app.broken` cannot be refreshed. */
export const GATED_VIEWS = `
  create schema app;
  create function app.pass(gate int) returns int language sql volatile as
    'select pg_catalog.pg_advisory_xact_lock_shared(${GATE}, gate); select gate';
  create materialized view app.first as select app.pass(1) as n with no data;
  create materialized view app.second as select app.pass(2) as n with no data;
  create materialized view app.broken as select 1 / (n - n) as n from (select app.pass(3) as n offset 0) s with no data;
  create unique index on app.first (n);
  create unique index on app.second (n);
`;

/** Policies under which nothing happens unless it is asked for, once the first ticks are served. */
export const QUIET_VIEWS = `views:
  app.first: { schedule: '0 0 1 1 *', skipUnchanged: false }
  app.second: { schedule: '0 0 1 1 *', skipUnchanged: false }
`;

/** While `work` goes on, refreshes wait at the gate; it gets told when one does. */
export async function withClosedGate<T>(
  database: TestDatabase,
  gate: 1 | 2 | 3,
  work: (untilSomebodyWaits: () => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const holder: Client = await database.connect();
  await holder.query('select pg_advisory_lock($1, $2)', [GATE, gate]);
  const isAwaited = async (): Promise<boolean> => {
    const rows = await database.query(
      `select from pg_locks where locktype = 'advisory' and classid = $1 and objid = $2 and not granted
         and database = (select oid from pg_database where datname = current_database())`,
      [GATE, gate],
    );
    return rows.length > 0;
  };
  try {
    return await work(() => waitUntil(isAwaited, { deadlineMs: 60_000, what: `a refresh to wait at gate ${gate}` }));
  } finally {
    await holder.query('select pg_advisory_unlock($1, $2)', [GATE, gate]);
  }
}
