/** Installs what the queue needs: partkeeper's own schema, pg-boss's, our queue in it, and the function to trigger by SQL. */
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import type { Config } from '../config/config.ts';
import { clientConfig } from '../postgres/database.ts';
import { ddl, identifier } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { classify } from '../postgres/sqlstate.ts';
import { migrateUp } from '../schema/migrate.ts';
import { openBoss, prepareQueue, QUEUE } from './boss.ts';

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

/** Idempotent; several may do it at once. Needs the right to create schemas, unless an administrator made them. */
export async function installQueue(
  config: Pick<Config, 'database' | 'directDatabase' | 'queue'>,
  log: (line: string) => void = () => {},
): Promise<void> {
  const database = config.directDatabase ?? config.database;
  const client = new Client({ ...clientConfig(database), application_name: 'partkeeper migrate' });
  client.on('error', () => {});
  try {
    await client.connect();
    for (const name of await migrateUp(client, ['bookkeeping'])) log(`applied bookkeeping migration ${name}`);
    const boss = openBoss({ database, schema: config.queue.schema, migrate: true, onError: () => {} });
    try {
      await boss.start();
      await prepareQueue(boss, config.queue.runTimeoutMs);
    } finally {
      await boss.stop({ graceful: false });
    }
    await createTrigger(client, config.queue.schema);
  } catch (error) {
    throw classify(error, `install the queue in schema ${config.queue.schema}`);
  } finally {
    await client.end().catch(() => {});
  }
}

// Two that replace the same function at once would fail with "tuple concurrently updated".
async function createTrigger(client: Client, schema: string): Promise<void> {
  const text = TRIGGER.replaceAll('{{schema}}', ddl`${identifier(schema)}`.text);
  await client.query(
    "begin; select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('partkeeper/trigger function', 0))",
  );
  try {
    await client.query(text);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
