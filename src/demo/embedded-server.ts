/** Starts and stops a real PostgreSQL of our own, for the demo and for tests. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBinaries, type PostgresBinaries, prepareBinaries } from './postgres-binaries.ts';
import { readServerAccount } from './server-account.ts';
import { initialiseServerFolder, openServerFolder, removeServerFolder, SUPERUSER } from './server-folder.ts';
import { type ServerGuardian, startServerGuardian } from './server-guardian.ts';
import { HOST, type Launch, launchServer, type ServerProcess, type StopMode, urlOf } from './server-process.ts';

export interface EmbeddedServerOptions {
  /** Default: the PostgreSQL that the dependencies pin. */
  readonly binaries?: PostgresBinaries;
  /** Kept after the end, and used again when a server was there before. Default: a temporary one, deleted at the end. */
  readonly folder?: string;
  /** Default: one that the system has free. */
  readonly port?: number;
  /** PostgreSQL settings; they win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default true. False: nothing is written through to the disk, for tests that never pull the plug. */
  readonly durable?: boolean;
  /** Gives up a start under way; a server that has started is ended by `stop` or `remove`. */
  readonly signal?: AbortSignal;
}

export interface EmbeddedServer {
  /** postgres://postgres:<random password>@127.0.0.1:<port>/postgres */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** As the server says, such as 17.10. */
  readonly version: string;
  /** Holds the data, the log and the password. */
  readonly folder: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** The postmaster's; undefined while none runs. */
  readonly pid: () => number | undefined;
  /** Again after `stop` or a crash, on the same port and data. Does nothing while the server runs. */
  readonly start: () => Promise<void>;
  /** A temporary folder is deleted at our process's end at the latest. */
  readonly stop: (mode?: StopMode) => Promise<void>;
  /** Stops the server and deletes what it left on the disk, in a given folder too. */
  readonly remove: () => Promise<void>;
}

const START_MS = 60_000;
const PORT_ATTEMPTS = 10;
const RETRY_PAUSE_MS = 200;

const UNDURABLE = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

export async function startEmbeddedServer(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  options.signal?.throwIfAborted();
  const found = options.binaries ?? (await findBinaries());
  const account = await readServerAccount();
  const folder = await openServerFolder(options.folder, account);
  const durable = options.durable ?? true;
  let guardian: ServerGuardian | undefined;
  let running: ServerProcess | undefined;

  const guard = (): void => {
    guardian ??= startServerGuardian(folder.temporary ? folder.path : undefined);
  };
  const release = (): void => {
    guardian?.release();
    guardian = undefined;
  };
  const onSpawn = (child: ChildProcess): void => {
    guardian?.watch(child.pid);
    child.once('exit', () => guardian?.watch(undefined));
  };
  const stop = async (mode: StopMode = 'fast'): Promise<void> => {
    await running?.stop(mode);
    if (!folder.temporary) release();
  };
  const remove = async (): Promise<void> => {
    await stop();
    await removeServerFolder(folder);
    release();
  };
  const prepare = async (signal: AbortSignal): Promise<Launch> => {
    const binaries = await prepareBinaries(found, account, folder.programs);
    const password = await initialiseServerFolder({ folder, binaries, account, durable, signal, onSpawn });
    const settings = { ...(durable ? {} : UNDURABLE), ...options.settings };
    return { folder, binaries, account, password, settings, onSpawn };
  };

  guard();
  try {
    const { launch, port, started } = await withDeadline(options.signal, async signal => {
      const prepared = await prepare(signal);
      return { launch: prepared, ...(await launchFirst(prepared, options.port, signal)) };
    });
    running = started;
    const start = async (): Promise<void> => {
      if (running?.pid() !== undefined) return;
      guard();
      running = await withDeadline(undefined, signal => launchAgain(launch, port, signal));
    };
    return {
      url: urlOf(launch.password, port),
      host: HOST,
      port,
      user: SUPERUSER,
      password: launch.password,
      version: started.version,
      folder: folder.path,
      dataDir: folder.data,
      logFile: folder.log,
      pid: () => running?.pid(),
      start,
      stop,
      remove,
    };
  } catch (error) {
    if (folder.temporary) await removeServerFolder(folder);
    release();
    throw error;
  }
}

async function withDeadline<T>(signal: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = AbortSignal.timeout(START_MS);
  try {
    return await run(signal === undefined ? deadline : AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (!deadline.aborted) throw error;
    throw new Error(`PostgreSQL did not accept connections within ${START_MS / 1000} s and was stopped.`, {
      cause: error,
    });
  }
}

/** A port that is free now may be taken when PostgreSQL asks for it, by another server that starts at the same time. */
async function launchFirst(
  launch: Launch,
  wanted: number | undefined,
  signal: AbortSignal,
): Promise<{ port: number; started: ServerProcess }> {
  for (let attempt = 1; ; attempt++) {
    const port = wanted ?? (await findFreePort());
    const result = await launchServer(launch, port, signal);
    if ('pid' in result) return { port, started: result };
    if (result.kind !== 'port-taken' || wanted !== undefined || attempt === PORT_ATTEMPTS)
      throw new Error(result.message);
  }
}

/** The port has been promised to others, so that the wait is for whoever borrowed it, and for a killed server's children. */
async function launchAgain(launch: Launch, port: number, signal: AbortSignal): Promise<ServerProcess> {
  for (;;) {
    const result = await launchServer(launch, port, signal);
    if ('pid' in result) return result;
    if (result.kind === 'other') throw new Error(result.message);
    await sleep(RETRY_PAUSE_MS, undefined, { signal });
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error(`${HOST} gave no port.`);
  return address.port;
}
