/** PgBouncer, from Debian's package, in front of a test's database. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { identityOf, readServerAccount } from '../../src/demo/server-account.ts';
import { waitUntil } from './client.ts';

export const hasPgbouncer = (): boolean => spawnSync('pgbouncer', ['--version']).status === 0;

export interface Pgbouncer {
  /** The same database, through the pooler. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export async function startPgbouncer(databaseUrl: string, mode: 'transaction' | 'session'): Promise<Pgbouncer> {
  const server = new URL(databaseUrl);
  const folder = await mkdtemp(join(tmpdir(), 'pk-pgbouncer-'));
  const port = await freePort();
  const credentials = `user=${decodeURIComponent(server.username)} password=${decodeURIComponent(server.password)}`;
  await writeFile(
    join(folder, 'pgbouncer.ini'),
    `[databases]\n* = host=${server.hostname} port=${server.port} ${credentials}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nauth_type = any\npool_mode = ${mode}\nunix_socket_dir =\n`,
  );
  await chmod(folder, 0o755);
  const child = spawn('pgbouncer', ['-q', join(folder, 'pgbouncer.ini')], {
    // It refuses to run as root, as the server does.
    ...identityOf(await readServerAccount()),
    stdio: 'ignore',
  });
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  await waitUntil(() => answers(url.href), { what: 'PgBouncer', deadlineMs: 10_000 });
  return {
    url: url.href,
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  return client.connect().then(
    async () => {
      await client.end();
      return true;
    },
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
