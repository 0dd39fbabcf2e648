/** A server for one test alone, to be stopped and started at will. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { inject } from 'vitest';
import { type EmbeddedServer, startEmbeddedServer } from '../../src/demo/embedded-server.ts';
import { migrateUp } from '../../src/schema/migrate.ts';
import { daemonTest } from './daemon.ts';
import { connectTo } from './database.ts';
import { DEFAULT_POSTGRES_VERSION, findBinariesOf } from './postgres-versions.ts';
import { urlOfDatabase } from './templates.ts';

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

/** It forgets nothing when it is killed: what is committed survives the end of the processes, and the machine goes on. */
export async function startTestServer(
  settings: Readonly<Record<string, string>> = {},
  folder?: string,
): Promise<EmbeddedServer> {
  const binaries = await findBinariesOf(process.env.TEST_POSTGRES || DEFAULT_POSTGRES_VERSION);
  const ours = { autovacuum: 'off', log_min_messages: 'fatal', synchronous_commit: 'on' };
  return startEmbeddedServer({
    binaries,
    settings: { ...ours, ...settings },
    durable: false,
    ...(folder !== undefined && { folder }),
  });
}

/** Makes databases with partkeeper's own schema in them, one after the other. */
export function databasesOn(server: EmbeddedServer) {
  let count = 0;
  return async (): Promise<ReturnType<typeof connectTo>> => {
    count += 1;
    const name = `own_${count}`;
    if (count === 1) {
      await ask(server.url, 'create database own_template');
      await withClient(urlOfDatabase(server.url, 'own_template'), client => migrateUp(client, ['bookkeeping']));
    }
    await ask(server.url, `create database ${name} template own_template strategy file_copy`);
    return connectTo(urlOfDatabase(server.url, name), name);
  };
}

async function withClient(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'partkeeper test' });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** `server` has the bundled schema in its database `postgres`: a copy of one that is made once for all of them. */
export const ownServerTest = daemonTest.extend(
  'server',
  async ({ database }, { onCleanup }): Promise<EmbeddedServer> => {
    const folders = inject('serverFolders');
    const folder = join(folders, database.name);
    // Not by Node, which would make the copy ours: PostgreSQL may run as another account.
    await promisify(execFile)('cp', ['-a', join(folders, 'template'), folder]);
    const server = await startTestServer({}, folder);
    onCleanup(server.remove);
    return server;
  },
);
