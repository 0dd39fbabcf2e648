/** The folder of one embedded server: its data, its log, its password, and a copy of the programs where one is needed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { findBarrier, identityOf, type ServerAccount } from './server-account.ts';

export interface ServerFolder {
  readonly path: string;
  /** Ours, below the system's temporary folder: deleted with the server. */
  readonly temporary: boolean;
  readonly data: string;
  readonly log: string;
  readonly password: string;
  readonly programs: string;
}

export const SUPERUSER = 'postgres';

const PASS_THROUGH = 0o711;

/** Nothing of our own environment reaches PostgreSQL but PATH: a stray PGDATA, PGPORT or LC_ALL would change what it does. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return { PATH, LC_ALL: 'C', TZ: 'UTC' };
}

export async function openServerFolder(
  given: string | undefined,
  account: ServerAccount | undefined,
): Promise<ServerFolder> {
  if (given === undefined) return layout(await createTemporaryFolder(account), true);
  const path = resolve(given);
  const barrier = await findBarrier(path, account);
  if (barrier !== undefined)
    throw new Error(
      `PostgreSQL was to keep its data in ${path}, but runs as the account "${account?.name}" (it refuses to run as root), ` +
        `which cannot enter ${barrier}: choose another folder, or start this as an ordinary user.`,
    );
  const firstMade = await mkdir(path, { recursive: true });
  // Whatever our umask says, the lent account must be able to pass through the folders that we make.
  if (firstMade !== undefined && account !== undefined)
    for (let made = path; made.length >= firstMade.length; made = dirname(made)) await chmod(made, PASS_THROUGH);
  return layout(await realpath(path), false);
}

const layout = (path: string, temporary: boolean): ServerFolder => ({
  path,
  temporary,
  data: join(path, 'data'),
  log: join(path, 'server.log'),
  password: join(path, 'password'),
  programs: join(path, 'programs'),
});

async function createTemporaryFolder(account: ServerAccount | undefined): Promise<string> {
  // /tmp second: root may have a TMPDIR of its own that nobody else can enter.
  for (const parent of new Set([tmpdir(), '/tmp'])) {
    if ((await findBarrier(parent, account)) !== undefined) continue;
    const path = await realpath(await mkdtemp(join(parent, 'partkeeper-postgres-')));
    // The folder stays root's, so that the lent account can pass through but not put a link where we write.
    if (account !== undefined) await chmod(path, PASS_THROUGH);
    return path;
  }
  throw new Error(
    `The account "${account?.name}" can enter neither ${tmpdir()} nor /tmp: set TMPDIR to a folder that it can.`,
  );
}

/** Deletes what we put there, and the folder itself when nothing else is in it. */
export async function removeServerFolder(folder: ServerFolder): Promise<void> {
  for (const path of [folder.data, partial(folder), folder.log, folder.password, folder.programs])
    await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 });
  await rmdir(folder.path).catch(() => undefined);
}

const partial = (folder: ServerFolder): string => `${folder.data}.partial`;

export interface Initialisation {
  readonly folder: ServerFolder;
  readonly binaries: PostgresBinaries;
  readonly account: ServerAccount | undefined;
  readonly durable: boolean;
  readonly signal: AbortSignal;
  /** Told of every process started here. */
  readonly onSpawn: (child: ChildProcess) => void;
}

/** Creates the database cluster where there is none yet. Answers the superuser's password. */
export async function initialiseServerFolder(options: Initialisation): Promise<string> {
  const { folder, account } = options;
  if (await isFile(join(folder.data, 'PG_VERSION'))) return readPassword(folder);
  const password = randomBytes(18).toString('base64url');
  await rm(folder.password, { force: true });
  await writeFile(folder.password, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (account !== undefined) await chown(folder.password, account.uid, account.gid);
  // "C" second: macOS before 14 and slim images do not know C.UTF-8. Sorting is the same.
  const failures: string[] = [];
  for (const locale of ['C.UTF-8', 'C']) {
    const failure = await runInitdb(options, locale);
    options.signal.throwIfAborted();
    if (failure === undefined) {
      await rename(partial(folder), folder.data);
      return password;
    }
    failures.push(failure);
    if (!failure.includes('invalid locale')) break;
  }
  throw new Error(`initdb could not create a database cluster in ${folder.data}:\n${failures.join('\n')}`);
}

async function readPassword(folder: ServerFolder): Promise<string> {
  try {
    return (await readFile(folder.password, 'utf8')).trim();
  } catch (cause) {
    throw new Error(
      `${folder.data} holds a database cluster, but the superuser's password could not be read from ${folder.password}: ` +
        'restore that file, or choose another folder.',
      { cause },
    );
  }
}

/** Answers what initdb complained about, if it did. */
async function runInitdb(options: Initialisation, locale: string): Promise<string | undefined> {
  const { folder, binaries, account } = options;
  // In another place first, because initdb writes PG_VERSION long before the cluster is usable.
  const target = partial(folder);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { mode: 0o700 });
  if (account !== undefined) await chown(target, account.uid, account.gid);
  const child = spawn(
    binaries.initdb,
    [
      `--pgdata=${target}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${folder.password}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      `--locale=${locale}`,
      '--no-instructions',
      ...(options.durable ? [] : ['--no-sync']),
    ],
    {
      cwd: target,
      env: serverEnvironment(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...identityOf(account),
    },
  );
  options.onSpawn(child);
  // initdb answers SIGINT by deleting what it made.
  const interrupt = (): void => void child.kill('SIGINT');
  options.signal.addEventListener('abort', interrupt);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (output += text));
  try {
    const [code, signal]: (number | string | null)[] = await once(child, 'close');
    return code === 0
      ? undefined
      : `${binaries.initdb} (locale ${locale}) ended with ${signal ?? code}\n${output.trim()}`;
  } catch (error) {
    return `${binaries.initdb} could not be started: ${String(error)}`;
  } finally {
    options.signal.removeEventListener('abort', interrupt);
  }
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isFile(),
    () => false,
  );

const LOG_TAIL_BYTES = 4096;

/** The last part of the server's log, from the byte `since` on. */
export async function readLogTail(folder: ServerFolder, since = 0): Promise<string> {
  const file = await open(folder.log).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const start = Math.max(since, size - LOG_TAIL_BYTES, 0);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(size - start, 0)), 0, undefined, start);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}
