/** Installs what the queue needs: partkeeper's own schema, pg-boss's, our queue in it, and the function to trigger by SQL. */
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import type { Config } from '../config/config.ts';
import { MaintenanceError } from '../domain/errors.ts';
import { clientConfig } from '../postgres/database.ts';
import { ddl, identifier } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { classify } from '../postgres/sqlstate.ts';
import { migrateUp } from '../schema/migrate.ts';
import { openBoss, prepareQueue, QUEUE } from './boss.ts';
import { OWN_TABLES } from './grants.ts';

const TRIGGER = readFileSync(new URL('../../sql/queue/trigger.sql', import.meta.url), 'utf8');

/** Is everything there that the service works with? Reads only. */
export async function isQueueInstalled(session: Session, schema: string): Promise<boolean> {
  const [row] = await session.query<{ ledger: boolean; queue: boolean; trigger: boolean }>(
    `select
       (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'partkeeper' and c.relname in ('runs', 'actions', 'pauses', 'targets', 'view_refreshes')) = 5 as ledger,
       exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = 'queue') as queue,
       exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'partkeeper' and p.proname = 'trigger') as trigger`,
    [schema],
    'look whether the queue is installed',
  );
  if (!row?.ledger || !row.queue || !row.trigger) return false;
  const queues = await session.query(
    ddl`select from ${{ schema, name: 'queue' }} where name = ${{ literal: QUEUE }}`.text,
    [],
    'look for the queue',
  );
  return queues.length === 1;
}

/** Does partkeeper's own schema have all that this version works with? What a later version added may be missing. */
export async function isUpToDate(session: Session): Promise<boolean> {
  const [row] = await session.query<{ missing: number }>(
    `select count(*)::int as missing from unnest($1::text[]) as wanted (name)
     where not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                       where n.nspname = 'partkeeper' and c.relname = wanted.name)`,
    [[...OWN_TABLES]],
    'look whether the ledger is up to date',
  );
  return row?.missing === 0;
}

/** Idempotent; several may do it at once. Needs the right to create schemas, unless an administrator made them. */
export async function installQueue(
  config: Pick<Config, 'database' | 'directDatabase' | 'queue'>,
  log: (line: string) => void = () => {},
): Promise<void> {
  const database = config.directDatabase ?? config.database;
  const { schema, runTimeoutMs } = config.queue;
  const client = new Client({ ...clientConfig(database), application_name: 'partkeeper migrate' });
  client.on('error', () => {});
  try {
    await client.connect();
    for (const name of await migrateUp(client, ['bookkeeping'])) log(`applied bookkeeping migration ${name}`);
    await alone(client, () => createSchema(client, schema, log));
    const boss = await openBoss({ database, schema, migrate: true, onError: () => {} });
    try {
      await boss.start();
      await prepareQueue(boss, runTimeoutMs);
    } finally {
      await boss.stop({ graceful: false });
    }
    await alone(client, () => client.query(TRIGGER.replaceAll('{{schema}}', ddl`${identifier(schema)}`.text)));
  } catch (error) {
    const { code, message, sqlstate, hint } = classify(error, `install the queue in schema ${schema}`);
    throw new MaintenanceError(code, message, {
      cause: error,
      sqlstate,
      hint: code === 'PERMISSION_DENIED' ? MIGRATE_FIRST : hint,
    });
  } finally {
    await client.end().catch(() => {});
  }
}

const MIGRATE_FIRST =
  "Run 'partkeeper migrate up --grant-to ROLE' once as a role that may create schemas; ROLE is the service's own.";

/** Tells a schema that was made for the queue from one that was here before: that one stays when the queue goes. */
export const QUEUE_SCHEMA_COMMENT = "partkeeper's job queue (pg-boss).";

async function createSchema(client: Client, schema: string, log: (line: string) => void): Promise<void> {
  const { rows } = await client.query('select from pg_catalog.pg_namespace where nspname = $1', [schema]);
  if (rows.length > 0) return;
  const name = identifier(schema);
  await client.query(
    ddl`create schema ${name}; comment on schema ${name} is ${{ literal: QUEUE_SCHEMA_COMMENT }}`.text,
  );
  log(`created schema ${schema} for the queue`);
}

/** In one transaction, one caller at a time: two that replace the same function at once would fail. */
export async function alone(client: Client, work: () => Promise<unknown>): Promise<void> {
  await client.query(
    "begin; select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('partkeeper/install the queue', 0))",
  );
  try {
    await work();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
