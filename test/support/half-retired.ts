/** Partitions on their way out, as earlier runs have left them: in the catalog and in the ledger. */
import { connectTo, type TestDatabase } from './database.ts';
import { leaveDetachPending } from './tables.ts';

export interface HalfRetired {
  /** Detached, and its grace is over. */
  readonly over: string;
  /** Detached, and somebody wants it back. */
  readonly asked: string;
  /** Intended, and the detach is pending. */
  readonly pending: string;
}

/** @param parent `schema.name`, as the ledger spells it; the partitions are attached to it, in the same schema */
export async function halfRetire(
  { url, name }: Pick<TestDatabase, 'url' | 'name'>,
  parent: string,
  { over, asked, pending }: HalfRetired,
): Promise<void> {
  const { database, close } = connectTo(url, name);
  const schema = parent.split('.')[0] ?? '';
  const record = (partition: string, state: string, asksAt: string | null) =>
    database.query(
      `insert into partkeeper.retirements (retirement_id, target, parent, schema_name, relation_name, partition, bound, state, is_kept,
              drop_after, why, detached_at, asked_at, asked_by)
       select gen_random_uuid(), $1, $1::text::regclass, $2, c.relname, c.oid, pg_get_expr(c.relpartbound, 0), $4, false,
              case when $4 = 'detached' then timestamptz '2020-01-01' else timestamptz '2100-01-01' end, 'for a test',
              case when $4 <> 'intended' then now() end, $5::timestamptz, case when $5 is not null then 'a test' end
         from pg_class c where c.oid = format('%I.%I', $2::text, $3::text)::regclass`,
      [parent, schema, partition, state, asksAt],
    );
  try {
    await record(over, 'detached', null);
    await record(asked, 'restoring', '2026-01-01');
    await record(pending, 'intended', null);
    for (const detached of [over, asked])
      await database.query(`alter table ${parent} detach partition ${schema}.${detached} concurrently`);
    await leaveDetachPending(database, parent, `${schema}.${pending}`);
  } finally {
    await close();
  }
}
