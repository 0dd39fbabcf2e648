import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  startEmbeddedServer,
} from '../../src/demo/embedded-server.ts';
import { waitUntil } from '../support/client.ts';

async function start(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer({ durable: false, ...options });
  onTestFinished(server.remove);
  return server;
}

async function ask<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const isProcess = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** For the rest of the test, temporary folders are made in one of its own. */
async function useOwnTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'partkeeper-test-'));
  // mkdtemp makes it ours alone, and PostgreSQL may run as another account.
  await chmod(folder, 0o755);
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
  return folder;
}

test('answers on loopback only, in UTF8 and UTC, to its password', async () => {
  const server = await start();
  expect(
    await ask(
      server.url,
      `select current_setting('server_version') as version, current_setting('listen_addresses') as addresses,
              current_setting('unix_socket_directories') as sockets, current_setting('server_encoding') as encoding,
              current_setting('TimeZone') as zone, current_setting('fsync') as fsync`,
    ),
  ).toEqual([
    { version: server.version, addresses: '127.0.0.1', sockets: '', encoding: 'UTF8', zone: 'UTC', fsync: 'off' },
  ]);
  await expect(ask(server.url.replace(server.password, 'guessed'), 'select 1')).rejects.toThrow(
    /password authentication failed/,
  );
});

test('leaves no process and no folder after remove', async () => {
  const server = await start();
  const pid = server.pid();
  expect(pid).toBeGreaterThan(1);
  expect(await exists(server.dataDir)).toBe(true);
  await server.remove();
  expect(server.pid()).toBeUndefined();
  expect(isProcess(pid ?? 0)).toBe(false);
  expect(await isListening(server.port)).toBe(false);
  expect(await exists(server.folder)).toBe(false);
  await server.remove();
});

test('starts again on the same port and data after every way to stop it', async () => {
  // Durable, because an undurable server may forget what it had just committed.
  const server = await start({ durable: true });
  for (const mode of ['fast', 'immediate', 'kill'] as const) {
    await ask(server.url, `create table kept_${mode} as select 42 as answer`);
    const before = server.pid();
    await server.stop(mode);
    expect(server.pid(), mode).toBeUndefined();
    await server.start();
    expect(server.pid(), mode).not.toBe(before);
    expect(await ask(server.url, `select answer from kept_${mode}`)).toEqual([{ answer: 42 }]);
  }
});

test('a given folder outlives the server, and the next one takes it over', async () => {
  const folder = join(await useOwnTemporaryFolder(), 'not', 'there', 'yet');

  const first = await start({ folder });
  await ask(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  const second = await start({ folder });
  expect(second.password).toBe(first.password);
  expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await second.remove();
  expect(await exists(folder)).toBe(false);
});

test('servers that start at once get ports of their own', async () => {
  const servers = await Promise.all([start(), start()]);
  expect(new Set(servers.map(server => server.port)).size).toBe(2);
  for (const server of servers)
    expect(await ask(server.url, `select current_setting('port')::int as port`)).toEqual([{ port: server.port }]);
});

test('a start that fails says what the log says, and leaves nothing behind', async () => {
  const temporary = await useOwnTemporaryFolder();
  await expect(startEmbeddedServer({ durable: false, settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
    /PostgreSQL was started on 127\.0\.0\.1:\d+ .* ended with 1\. Its log ends with:\n.*invalid value for parameter "shared_buffers": "plenty"/s,
  );
  expect(await readdir(temporary)).toEqual([]);
});

test('a port that was asked for and is taken is an error, not another port', async () => {
  const { port } = await start();
  await expect(startEmbeddedServer({ durable: false, port })).rejects.toThrow(/Address already in use/);
});

test('a start can be given up at any moment, and leaves nothing behind', async () => {
  const temporary = await useOwnTemporaryFolder();
  for (const afterMs of [0, 50, 150, 300]) {
    const started = startEmbeddedServer({ signal: AbortSignal.timeout(afterMs) });
    await started.then(
      server => server.remove(),
      (error: unknown) => expect(error).toHaveProperty('name', 'TimeoutError'),
    );
  }
  expect(await readdir(temporary)).toEqual([]);
});

test.each(['SIGKILL', 'SIGTERM'] as const)('ends with its parent, even on %s', async signal => {
  const module = new URL('../../src/demo/embedded-server.ts', import.meta.url);
  const program = `
    const { startEmbeddedServer } = await import(${JSON.stringify(module.href)});
    const { port, folder } = await startEmbeddedServer();
    console.log(JSON.stringify({ port, folder }));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line]: string[] = await once(createInterface(parent.stdout), 'line');
  const { port, folder }: { port: number; folder: string } = JSON.parse(line ?? '');
  expect(await isListening(port)).toBe(true);
  parent.kill(signal);
  await waitUntil(async () => !(await isListening(port)), { deadlineMs: 60_000, what: 'the server to end' });
  await waitUntil(async () => !(await exists(folder)), { deadlineMs: 60_000, what: 'its folder to be deleted' });
});

test('a server that is merely up does not keep its process alive', async () => {
  const module = new URL('../../src/demo/embedded-server.ts', import.meta.url);
  const program = `
    const { startEmbeddedServer } = await import(${JSON.stringify(module.href)});
    console.log((await startEmbeddedServer()).folder);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [[folder], [code]]: [string[], number[]] = await Promise.all([
    once(createInterface(parent.stdout), 'line'),
    once(parent, 'exit'),
  ]);
  expect(code).toBe(0);
  await waitUntil(async () => !(await exists(folder ?? '')), { deadlineMs: 60_000, what: 'its folder to be deleted' });
});
