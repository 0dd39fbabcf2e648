/** A server for one test alone, to be stopped and started at will. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { inject } from 'vitest';
import { type EmbeddedServer, startEmbeddedServer } from '../../src/demo/embedded-server.ts';
import { daemonTest } from './daemon.ts';
import { DEFAULT_POSTGRES_VERSION, findBinariesOf } from './postgres-versions.ts';

/** One statement on a connection of its own. */
export async function ask<Row>(url: string, sql: string): Promise<readonly Row[]> {
  const client = new Client({
    connectionString: url,
    application_name: 'partkeeper test',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** `server` has the bundled schema in its database `postgres`, and forgets nothing when it is killed. */
export const ownServerTest = daemonTest.extend(
  'server',
  async ({ database }, { onCleanup }): Promise<EmbeddedServer> => {
    const binaries = await findBinariesOf(process.env.TEST_POSTGRES || DEFAULT_POSTGRES_VERSION);
    const folders = inject('serverFolders');
    const folder = join(folders, database.name);
    // Not by Node, which would make the copy ours: PostgreSQL may run as another account.
    await promisify(execFile)('cp', ['-a', join(folders, 'template'), folder]);
    // What is committed survives the end of the processes, which is all that happens to it; the machine goes on.
    const settings = { autovacuum: 'off', log_min_messages: 'fatal', synchronous_commit: 'on' };
    const server = await startEmbeddedServer({ binaries, folder, settings, durable: false });
    onCleanup(server.remove);
    return server;
  },
);
