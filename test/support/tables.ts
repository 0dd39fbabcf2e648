/** Partitioned tables for tests: `(id, at)`, partitioned by range of `at`. */
import { escapeIdentifier } from 'pg';
import type { RelationName } from '../../src/domain/relation.ts';
import type { KeyType } from '../../src/domain/time.ts';
import { waitUntilBlocked } from './client.ts';
import type { TestDatabase } from './database.ts';
import { relation } from './facts.ts';

export interface TableOptions {
  readonly key?: KeyType;
  /** Further columns and constraints, each with a comma before it. */
  readonly more?: string;
  /** Each partition's name and bounds: `{ events_2026_01: ['2026-01-01', '2026-02-01'] }`, in UTC. */
  readonly partitions?: Readonly<Record<string, readonly [lower: string, upper: string]>>;
}

/** The name as SQL, always quoted. */
export const sqlName = ({ schema, name }: RelationName): string =>
  `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;

/** Makes the table and its partitions, and returns its name. */
export async function createTable(
  database: Pick<TestDatabase, 'query'>,
  name = 'public.events',
  { key = 'timestamptz', more = '', partitions = {} }: TableOptions = {},
): Promise<RelationName> {
  const table = relation(name);
  await database.query(
    `create table ${sqlName(table)} (id bigint not null default 0, at ${key} not null${more}) partition by range (at)`,
  );
  for (const [partition, [lower, upper]] of Object.entries(partitions))
    await createPartition(database, table, partition, lower, upper, key);
  return table;
}

/** A partition in the parent's schema, as anybody would make one by hand. */
export async function createPartition(
  database: Pick<TestDatabase, 'query'>,
  table: RelationName,
  name: string,
  lower: string,
  upper: string,
  key: KeyType = 'timestamptz',
): Promise<void> {
  const utc = key === 'timestamptz' ? '+00' : '';
  const bound = (text: string): string => (/^(MIN|MAX)VALUE$/.test(text) ? text : `'${text}${utc}'`);
  await database.query(
    `create table ${sqlName({ ...table, name })} partition of ${sqlName(table)} for values from (${bound(lower)}) to (${bound(upper)})`,
  );
}

/** `months('events', '2026-01', 3)`: the partitions events_2026_01 to events_2026_03. */
export function months(table: string, first: string, count: number): Record<string, readonly [string, string]> {
  const [year = 0, month = 0] = first.split('-').map(Number);
  const day = (index: number): string => new Date(Date.UTC(year, month - 1 + index, 1)).toISOString().slice(0, 10);
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `${table}_${day(index).slice(0, 7).replace('-', '_')}`,
      [day(index), day(index + 1)] as const,
    ]),
  );
}

/** Every partition of the table with its bound as the catalog prints it in UTC, oldest name first. */
export async function partitionsOf(
  database: Pick<TestDatabase, 'query'>,
  table: RelationName,
): Promise<Readonly<Record<string, string>>> {
  const rows = await database.query<{ name: string; bound: string }>(
    `select c.relname as name, pg_get_expr(c.relpartbound, 0) as bound
       from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = $1::regclass order by c.relname collate "C"`,
    [sqlName(table)],
  );
  return Object.fromEntries(rows.map(({ name, bound }) => [name, bound]));
}

/** Does a relation of this name exist? */
export async function exists(database: Pick<TestDatabase, 'query'>, table: RelationName): Promise<boolean> {
  const [row] = await database.query<{ found: string | null }>('select to_regclass($1)::text as found', [
    sqlName(table),
  ]);
  return row?.found != null;
}

/** A reader of the table keeps DETACH CONCURRENTLY in its second phase, where it is cancelled. */
export async function leaveDetachPending(database: TestDatabase, parent: string, partition: string): Promise<void> {
  const [reader, detacher] = await Promise.all([database.connect(), database.connect()]);
  await reader.query(`begin isolation level repeatable read; select from ${parent}`);
  const { rows } = await detacher.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid ?? 0;
  const detaching = detacher.query(`alter table ${parent} detach partition ${partition} concurrently`).then(
    () => 'detached',
    () => 'cancelled',
  );
  await waitUntilBlocked(reader, pid);
  await database.query('select pg_cancel_backend($1)', [pid]);
  if ((await detaching) !== 'cancelled') throw new Error('the detach was not to be finished');
  await reader.query('rollback');
}

/** Runs a statement and has it counted: counters are sent at a transaction's end, but not more often than once a second. */
export async function change(database: Pick<TestDatabase, 'query'>, sql: string): Promise<void> {
  await database.query(sql);
  await database.query('select pg_stat_force_next_flush()');
  await database.query('select 1');
}
