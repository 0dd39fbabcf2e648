/** The server that all contenders are measured on: the same for all of them, or it would not be fair. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbeddedServer } from '../../src/demo/embedded-server.ts';
import type { PostgresBinaries } from '../../src/demo/postgres-binaries.ts';

export interface BenchServer {
  readonly url: string;
  /** Such as `PostgreSQL 15.18, Debian's packages`. */
  readonly description: string;
  readonly close: () => Promise<void>;
}

export type ServerChoice =
  | { readonly kind: 'debian' | 'embedded' | 'auto' }
  | { readonly kind: 'url'; readonly url: string };

// A checkpoint in the middle of a measurement would be charged to whoever happens to work then.
const SETTINGS = { shared_buffers: '1GB', max_wal_size: '8GB', checkpoint_timeout: '1h' };

/** `auto`: Debian's where it has pg_partman, else the one that comes with the dependencies. */
export async function openServer(choice: ServerChoice, signal: AbortSignal): Promise<BenchServer> {
  if (choice.kind === 'url')
    return {
      url: choice.url,
      description: `PostgreSQL ${await versionOf(choice.url)}, as given`,
      close: async () => undefined,
    };
  const debian = choice.kind === 'embedded' ? undefined : await findDebianServer();
  if (choice.kind === 'debian' && debian === undefined)
    throw new Error(
      "Debian's PostgreSQL with pg_partman is not installed: apt-get install postgresql-15 postgresql-15-partman.",
    );
  const server = await startEmbeddedServer({ settings: SETTINGS, signal, ...(debian && { binaries: debian }) });
  return {
    url: server.url,
    description:
      `PostgreSQL ${server.version}, ${debian ? "Debian's package" : 'from npm'}, a server of its own in ${tmpdir()}: ` +
      `fsync and synchronous_commit on, ${Object.entries(SETTINGS)
        .map(([name, value]) => `${name} = ${value}`)
        .join(', ')}`,
    close: server.remove,
  };
}

const DEBIAN_PROGRAMS = '/usr/lib/postgresql';
const DEBIAN_SHARE = '/usr/share/postgresql';

/** The newest that has pg_partman. */
async function findDebianServer(): Promise<PostgresBinaries | undefined> {
  const majors = await readdir(DEBIAN_PROGRAMS).catch((): string[] => []);
  const major = majors
    .filter(name => existsSync(join(DEBIAN_SHARE, name, 'extension', 'pg_partman.control')))
    .filter(name => existsSync(join(DEBIAN_PROGRAMS, name, 'bin', 'initdb')))
    .sort((a, b) => Number(b) - Number(a))[0];
  if (major === undefined) return undefined;
  const nativeDir = join(DEBIAN_PROGRAMS, major);
  return { nativeDir, initdb: join(nativeDir, 'bin', 'initdb'), postgres: join(nativeDir, 'bin', 'postgres') };
}

async function versionOf(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version ?? 'of an unknown version';
  } finally {
    await client.end();
  }
}
