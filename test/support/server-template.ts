/** vitest's global setup for tests with servers of their own: a prepared data folder to copy, because initdb takes a second. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedServer } from '../../src/demo/embedded-server.ts';
import { startServerGuardian } from '../../src/demo/server-guardian.ts';
import { migrateUp } from '../../src/schema/migrate.ts';
import { DEFAULT_POSTGRES_VERSION, findBinariesOf } from './postgres-versions.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder `template` in it is a server's; copies go beside it and are deleted with it at the end. */
    serverFolders: string;
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const root = project.vitest.getRootProject();
  // Called once per project; what the first provides to the root, all can see.
  if (root.getProvidedContext().serverFolders !== undefined) return undefined;
  const folders = await mkdtemp(join(tmpdir(), 'partkeeper-servers-'));
  // Whoever kills vitest leaves nothing behind.
  const guardian = startServerGuardian(folders);
  // mkdtemp makes it ours alone, and PostgreSQL may run as another account.
  await chmod(folders, 0o755);
  await fill(join(folders, 'template'));
  root.provide('serverFolders', folders);
  return async () => {
    await rm(folders, { recursive: true, force: true });
    guardian.release();
  };
}

/** The bundled schema in the database `postgres`. */
async function fill(folder: string): Promise<void> {
  const binaries = await findBinariesOf(process.env.TEST_POSTGRES || DEFAULT_POSTGRES_VERSION);
  const server = await startEmbeddedServer({ binaries, folder, durable: false });
  try {
    const client = new Client({ connectionString: server.url, application_name: 'partkeeper test template' });
    await client.connect();
    try {
      await migrateUp(client, ['bookkeeping', 'bundled']);
    } finally {
      await client.end();
    }
  } finally {
    await server.stop();
  }
}
