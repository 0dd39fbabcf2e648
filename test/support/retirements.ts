/** What retiring leaves in the ledger and in the catalog, as the tests of it want to see it. */
import type { DropPartition } from '../../src/domain/plan.ts';
import { waitUntil } from './client.ts';
import type { TestDatabase } from './database.ts';
import { aTablePolicy, at, relation } from './facts.ts';
import { roleTest } from './roles.ts';
import { createTable, months } from './tables.ts';

/** Databases with the ledger. */
export const retireTest = roleTest.extend('template', 'bookkeeping');

export const EVENTS = relation('public.events');
/** The cutoff is 2026-03-17: January and February have expired, March has not. */
export const AT = at('2026-06-15');
export const POLICY = aTablePolicy({ relation: EVENTS, premake: 1 });

type Asking = Pick<TestDatabase, 'query'>;

/** January to July, one row at noon of each month's first day. */
export async function prepareMonths(database: TestDatabase, more = ''): Promise<void> {
  await createTable(database, 'public.events', { more, partitions: months('events', '2026-01', 7) });
  await database.query(
    `insert into events (id, at) select m, make_timestamptz(2026, m, 1, 12, 0, 0, 'UTC') from generate_series(1, 7) m`,
  );
}

/** `events_2026_01 dropped`, in the order in which they were intended. */
export const retirementsOnRecord = async (database: Asking): Promise<readonly string[]> =>
  (
    await database.query<{ line: string }>(
      `select relation_name || ' ' || state as line from partkeeper.retirements order by intended_at, relation_name`,
    )
  ).map(({ line }) => line);

/** Every table named like the events, `attached`, `pending` or `loose`. */
export const tablesOf = async (database: Asking): Promise<readonly string[]> =>
  (
    await database.query<{ line: string }>(
      `select c.relname || case when i.inhrelid is null then ' loose' when i.inhdetachpending then ' pending' else ' attached' end as line
       from pg_class c left join pg_inherits i on i.inhrelid = c.oid
       where c.relname like 'events\\_%' and c.relkind = 'r' order by 1`,
    )
  ).map(({ line }) => line);

export const attached = (first: number): readonly string[] =>
  Array.from({ length: 8 - first }, (_, index) => `events_2026_0${first + index} attached`);

/** As a process leaves it that is killed between intent and deed: the intent is on record, and whatever follows is ours. */
export const leaveIntent = (
  database: Asking,
  {
    parent,
    partition,
    relation: { schema, name },
    boundText,
  }: Pick<DropPartition, 'parent' | 'partition' | 'relation' | 'boundText'>,
): Promise<unknown> =>
  database.query(
    `insert into partkeeper.retirements (retirement_id, target, parent, schema_name, relation_name, partition, bound, is_kept, why)
     values (gen_random_uuid(), 'public.events', $1, $2, $3, $4, $5, false, 'expired')`,
    [parent, schema, name, partition, boundText],
  );

/** Waits until a concurrent detach has come to its wait for a lock or a transaction. */
export const waitUntilItWaits = (database: Asking, event: string): Promise<unknown> =>
  waitUntil(
    async () =>
      (
        await database.query(
          `select from pg_stat_activity where application_name = 'partkeeper detach' and state = 'active'
             and wait_event = $1 and datname = current_database()`,
          [event],
        )
      ).length > 0,
    { what: `the detach to wait for a ${event}` },
  );
