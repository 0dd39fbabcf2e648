/** A database to show everything on: an embedded server, the bundled schema and a history that nobody has looked after. */
import { Client } from 'pg';
import { migrateUp } from '../schema/migrate.ts';
import { startEmbeddedServer } from './embedded-server.ts';
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

export async function openDemoDatabase({ folder, rows, onProgress, signal }: DemoOptions): Promise<DemoDatabase> {
  onProgress('starting an embedded PostgreSQL …');
  const server = await startEmbeddedServer({ ...(folder !== undefined && { folder }), signal });
  const close = () => (folder === undefined ? server.remove() : server.stop());
  try {
    onProgress(`PostgreSQL ${server.version} listens on port ${server.port}`);
    const url = await createDatabase(server.url);
    if (await prepare(url)) {
      onProgress(`loading ${rows.toLocaleString('en')} events of the last 14 months …`);
      const history = await loadHistory(url, { rows, signal, onProgress: () => {} });
      onProgress(
        `loaded ${history.rows.toLocaleString('en')} events into ${history.partitions} monthly partitions in ${(history.ms / 1000).toFixed(1)} s`,
      );
    } else onProgress('the events of an earlier demo are still there');
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function createDatabase(serverUrl: string): Promise<string> {
  const url = new URL(serverUrl);
  url.pathname = `/${DATABASE}`;
  await withClient(serverUrl, async client => {
    const { rowCount } = await client.query('select from pg_catalog.pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
    // What allows `apply --at` to pretend another date.
    await client.query(`alter database ${DATABASE} set partkeeper.demo = 'on'`);
  });
  return url.href;
}

/** @returns whether the table of events is empty */
const prepare = (url: string): Promise<boolean> =>
  withClient(url, async client => {
    await migrateUp(client, ['bookkeeping', 'bundled']);
    const { rowCount } = await client.query('select from unified.event_metric_events limit 1');
    return rowCount === 0;
  });

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'partkeeper demo' });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
