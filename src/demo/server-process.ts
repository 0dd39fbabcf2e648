/** One run of PostgreSQL: from the spawn of the postmaster to its exit. */
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { identityOf, type ServerAccount } from './server-account.ts';
import { readLogTail, type ServerFolder, SUPERUSER, serverEnvironment } from './server-folder.ts';

export interface Launch {
  readonly folder: ServerFolder;
  readonly binaries: PostgresBinaries;
  readonly account: ServerAccount | undefined;
  readonly password: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Told of every process started here. */
  readonly onSpawn: (child: ChildProcess) => void;
}

/**
 * `fast` rolls open transactions back and writes a checkpoint. `immediate` skips both, and the next start recovers as
 * after a crash. `kill` is kill -9 of the postmaster: nobody says goodbye to the clients.
 */
export type StopMode = 'fast' | 'immediate' | 'kill';

export interface ServerProcess {
  readonly version: string;
  /** Undefined once the postmaster has exited, for whatever reason. */
  readonly pid: () => number | undefined;
  readonly stop: (mode: StopMode) => Promise<void>;
}

export interface LaunchFailure {
  readonly kind: 'port-taken' | 'predecessor-alive' | 'other';
  readonly message: string;
}

export const HOST = '127.0.0.1';

const FAST_STOP_MS = 30_000;
const IMMEDIATE_STOP_MS = 10_000;
const CONNECT_MS = 2_000;
const POLL_MS = 25;

export const urlOf = (password: string, port: number): string =>
  `postgres://${SUPERUSER}:${encodeURIComponent(password)}@${HOST}:${port}/postgres`;

/** Answers once the server accepts connections, or why it does not. Throws when aborted; nothing runs any more then. */
export async function launchServer(
  launch: Launch,
  port: number,
  signal: AbortSignal,
): Promise<ServerProcess | LaunchFailure> {
  const log = await open(launch.folder.log, 'a', 0o600);
  const { size: logStart } = await log.stat();
  const child = spawnPostmaster(launch, port, log.fd);
  launch.onSpawn(child);
  let ended: string | undefined;
  const exited = new Promise<void>(resolve => {
    const end = (how: string): void => {
      ended ??= how;
      resolve();
    };
    child.once('error', error => end(`could not be started: ${error.message}`));
    child.once('exit', (code, by) => end(`ended with ${by ?? code}`));
  });
  // The guardian does the same and more, but may itself have been killed.
  const killAtExit = (): void => void child.kill('SIGINT');
  process.on('exit', killAtExit);
  void exited.then(() => process.off('exit', killAtExit));
  await log.close();

  const isRunning = (): boolean => ended === undefined;
  const stop = (mode: StopMode): Promise<void> => stopProcess(child, exited, isRunning, mode);
  try {
    const version = await waitForVersion(urlOf(launch.password, port), isRunning, signal);
    if (version === undefined) return await readFailure(launch, port, ended ?? '', logStart);
    // A server that is merely up must not keep our process alive.
    child.unref();
    return { version, pid: () => (isRunning() ? child.pid : undefined), stop };
  } catch (error) {
    await stop('immediate');
    throw error;
  }
}

function spawnPostmaster(launch: Launch, port: number, logFd: number): ChildProcess {
  const settings = {
    listen_addresses: HOST,
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...launch.settings,
    port: String(port),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return spawn(launch.binaries.postgres, ['-D', launch.folder.data, ...args], {
    cwd: launch.folder.data,
    env: serverEnvironment(),
    // A session of its own: Ctrl-C in the terminal is for us to handle; PostgreSQL would cut off the clean-up's connections.
    detached: true,
    stdio: ['ignore', logFd, logFd],
    ...identityOf(launch.account),
  });
}

/** A connection with our random password succeeds with our server only, whoever else may listen on the port. */
async function waitForVersion(url: string, isRunning: () => boolean, signal: AbortSignal): Promise<string | undefined> {
  while (isRunning()) {
    signal.throwIfAborted();
    const version = await readVersion(url).catch(() => undefined);
    if (version !== undefined) return version;
    await sleep(POLL_MS, undefined, { signal });
  }
  return undefined;
}

async function readVersion(url: string): Promise<string | undefined> {
  const client = new Client({ connectionString: url, ssl: false, connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version;
  } finally {
    await client.end().catch(() => undefined);
  }
}

// "could not create any TCP/IP sockets" is FATAL, and so is in the log at any log_min_messages.
const PORT_TAKEN = /could not create any TCP\/IP sockets|Address already in use/;
// After a kill -9 of the postmaster its children need a moment to notice.
const PREDECESSOR_ALIVE = /pre-existing shared memory block/;

async function readFailure(launch: Launch, port: number, ended: string, logStart: number): Promise<LaunchFailure> {
  const tail = await readLogTail(launch.folder, logStart);
  return {
    kind: PORT_TAKEN.test(tail) ? 'port-taken' : PREDECESSOR_ALIVE.test(tail) ? 'predecessor-alive' : 'other',
    message:
      `PostgreSQL was started on ${HOST}:${port} with the data in ${launch.folder.data} and ${ended}. ` +
      `Its log ${launch.folder.temporary ? '' : `(${launch.folder.log}) `}ends with:\n${tail || '(nothing)'}`,
  };
}

const FIRST_STEP = { fast: 0, immediate: 1, kill: 2 } as const satisfies Record<StopMode, number>;

async function stopProcess(
  child: ChildProcess,
  exited: Promise<void>,
  isRunning: () => boolean,
  mode: StopMode,
): Promise<void> {
  const steps: [NodeJS.Signals, number][] = [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', IMMEDIATE_STOP_MS],
    ['SIGKILL', IMMEDIATE_STOP_MS],
  ];
  child.ref();
  for (const [signal, patienceMs] of steps.slice(FIRST_STEP[mode])) {
    if (!isRunning()) return;
    child.kill(signal);
    const patience = new AbortController();
    await Promise.race([exited, sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
    patience.abort();
  }
  if (isRunning()) throw new Error(`PostgreSQL (process ${child.pid}) did not end, not even when killed.`);
}
