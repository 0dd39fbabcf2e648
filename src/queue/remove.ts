/** Takes the queue back, with every job in it; and its schema, where we made it and nobody else has put anything there. */
import type { Client } from 'pg';
import { ddl, identifier } from '../postgres/ddl.ts';
import { classify } from '../postgres/sqlstate.ts';
import { QUEUE } from './boss.ts';
import { alone, QUEUE_SCHEMA_COMMENT } from './install.ts';

/** What pg-boss makes in a schema. Anything else there is somebody's. */
const TABLES = [
  'bam',
  'job',
  'job_common',
  'job_dependency',
  'queue',
  'queue_stats',
  'schedule',
  'subscription',
  'version',
  'warning',
];
const FUNCTIONS = [
  'create_queue',
  'delete_queue',
  'job_now',
  'job_table_format',
  'job_table_run',
  'job_table_run_async',
];
const TYPES = ['job_state'];

/** @returns what was done, a line each; nothing when there is no queue */
export async function removeQueue(client: Client, schema: string): Promise<readonly string[]> {
  const lines: string[] = [];
  try {
    await alone(client, async () => {
      if (!(await hasQueue(client, schema))) return;
      await client.query(ddl`select ${{ schema, name: 'delete_queue' }}(${{ literal: QUEUE }})`.text);
      lines.push(`removed the queue ${QUEUE} from schema ${schema}`);
      const reason = await whyKept(client, schema);
      if (reason) lines.push(`kept schema ${schema}: ${reason}`);
      else {
        await dropSchema(client, schema);
        lines.push(`dropped schema ${schema}`);
      }
    });
  } catch (error) {
    throw classify(error, `remove the queue from schema ${schema}`);
  }
  return lines;
}

async function hasQueue(client: Client, schema: string): Promise<boolean> {
  const { rows: found } = await client.query(
    `select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname in ('queue', 'job', 'version') having count(*) = 3`,
    [schema],
  );
  if (found.length === 0) return false;
  const { rows } = await client.query(
    ddl`select from ${{ schema, name: 'queue' }} where name = ${{ literal: QUEUE }}`.text,
  );
  return rows.length > 0;
}

async function whyKept(client: Client, schema: string): Promise<string | undefined> {
  const { rows: ours } = await client.query(
    `select from pg_catalog.pg_namespace n where n.nspname = $1 and pg_catalog.obj_description(n.oid, 'pg_namespace') = $2`,
    [schema, QUEUE_SCHEMA_COMMENT],
  );
  if (ours.length === 0) return 'it was not made by partkeeper';
  const { rows: queues } = await client.query<{ name: string }>(
    ddl`select name from ${{ schema, name: 'queue' }}`.text,
  );
  if (queues.length > 0) return `it holds other queues (${queues.map(({ name }) => name).join(', ')})`;
  const { rows: others } = await client.query<{ name: string }>(OTHERS, [schema, TABLES, FUNCTIONS, TYPES]);
  return others.length > 0
    ? `it holds what is not the queue's (${others.map(({ name }) => name).join(', ')})`
    : undefined;
}

// Indexes, constraints, partitions and the types of rows belong to their tables.
const OTHERS = `
  select c.relname as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.relname <> all ($2::text[])
    and not exists (
      select from pg_catalog.pg_inherits i join pg_catalog.pg_class parent on parent.oid = i.inhparent
      where i.inhrelid = c.oid and parent.relnamespace = n.oid and parent.relname = any ($2::text[])
    )
  union all
  select p.proname from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where n.nspname = $1 and p.proname <> all ($3::text[])
  union all
  select t.typname from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where n.nspname = $1 and t.typtype in ('e', 'd', 'r') and t.typname <> all ($4::text[])`;

/** Never with CASCADE: a view of somebody's, in another schema, that reads the queue stops us. */
async function dropSchema(client: Client, schema: string): Promise<void> {
  const tables = TABLES.map(name => ddl`${{ schema, name }}`);
  const functions = FUNCTIONS.map(name => ddl`${{ schema, name }}`);
  const types = TYPES.map(name => ddl`${{ schema, name }}`);
  for (const statement of [
    ddl`drop table if exists ${tables}`,
    ddl`drop function if exists ${functions}`,
    ddl`drop type if exists ${types}`,
    ddl`drop schema ${identifier(schema)}`,
  ])
    await client.query(statement.text);
}
