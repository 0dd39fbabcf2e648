/** A database to show everything on: an embedded server, the bundled schema and a history that nobody has looked after. */
import { Client } from 'pg';
import { migrateUp } from '../schema/migrate.ts';
import { type EmbeddedServer, startEmbeddedServer } from './embedded-server.ts';
import { loadHistory } from './history.ts';

export interface DemoDatabase {
  readonly url: string;
  /** Stops the server, and removes its folder unless it was given. */
  readonly close: () => Promise<void>;
}

export interface DemoOptions {
  /** Kept afterwards and used again when given; a temporary one otherwise. */
  readonly folder: string | undefined;
  readonly rows: number;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
}

const DATABASE = 'partkeeper_demo';

/** Throws when aborted; nothing runs any more then, and a temporary folder is gone. */
export async function openDemoDatabase({ folder, rows, onProgress, signal }: DemoOptions): Promise<DemoDatabase> {
  onProgress('starting an embedded PostgreSQL …');
  const isKept = folder !== undefined;
  const server = await startEmbeddedServer({ ...(isKept && { folder }), durable: isKept, signal });
  const close = () => (isKept ? server.stop() : discard(server));
  try {
    onProgress(`PostgreSQL ${server.version} listens on port ${server.port}`);
    signal.throwIfAborted();
    const { url, isLoaded } = await prepareDatabase(server.url);
    if (isLoaded) onProgress('the events of an earlier demo are still there');
    else {
      onProgress(`loading ${rows.toLocaleString('en')} events of the last 14 months …`);
      const history = await loadHistory(url, { rows, signal, onProgress: () => {} });
      await markAsLoaded(server.url);
      onProgress(
        `loaded ${history.rows.toLocaleString('en')} events into ${history.partitions} monthly partitions in ${(history.ms / 1000).toFixed(1)} s`,
      );
    }
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Without the checkpoint of an orderly stop: it can take seconds, for data that nobody will read again. */
async function discard(server: EmbeddedServer): Promise<void> {
  await server.stop('immediate');
  await server.remove();
}

/** The database with the bundled schema; what an interrupted demo left half loaded is made anew. */
async function prepareDatabase(serverUrl: string): Promise<{ readonly url: string; readonly isLoaded: boolean }> {
  const url = new URL(serverUrl);
  url.pathname = `/${DATABASE}`;
  // The server has no TLS, and whatever PGSSLMODE says is about another one.
  url.searchParams.set('sslmode', 'disable');
  const isLoaded = await withClient(serverUrl, async client => {
    const { rows } = await client.query<{ loaded: boolean }>(
      `select exists (select from pg_catalog.pg_db_role_setting s
                      where s.setdatabase = d.oid and 'partkeeper.demo_loaded=on' = any (s.setconfig)) as loaded
       from pg_catalog.pg_database d where d.datname = $1`,
      [DATABASE],
    );
    if (rows[0]?.loaded) return true;
    await client.query(`drop database if exists ${DATABASE} with (force)`);
    await client.query(`create database ${DATABASE}`);
    // What allows `apply --at` to pretend another date.
    await client.query(`alter database ${DATABASE} set partkeeper.demo = 'on'`);
    return false;
  });
  await withClient(url.href, client => migrateUp(client, ['bookkeeping', 'bundled']));
  return { url: url.href, isLoaded };
}

const markAsLoaded = (serverUrl: string): Promise<unknown> =>
  withClient(serverUrl, client => client.query(`alter database ${DATABASE} set partkeeper.demo_loaded = 'on'`));

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, ssl: false, application_name: 'partkeeper demo' });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
