/** The built service as a process, and what Linux and its own metrics say about it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** What Linux counts processor time in. */
const TICK_MS = 10;
const POLL_MS = 3;
const START_MS = 60_000;

export interface Launch {
  readonly databaseUrl: string;
  readonly config: string | undefined;
  readonly nodeOptions: readonly string[];
  readonly compileCache: string | undefined;
  /** Nothing of its log is shown. */
  readonly isQuiet?: boolean;
  readonly signal: AbortSignal;
}

/** How long after its start, and how much processor time until then. */
export interface Moment {
  readonly ms: number;
  readonly cpuMs: number;
}

export interface Service {
  readonly live: Moment;
  readonly ready: Moment;
  readonly rssMiB: () => number;
  readonly cpuMs: () => number;
  /** Of its own metrics, such as `nodejs_heap_size_used_bytes`; the sum of a metric's series. */
  readonly metric: (name: string) => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Resolves when it is ready; throws when it ends, or is not ready within a minute. */
export async function startService({
  databaseUrl,
  config,
  nodeOptions,
  compileCache,
  isQuiet,
  signal,
}: Launch): Promise<Service> {
  signal.throwIfAborted();
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: npm run build`);
  const port = await freePort();
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    [...nodeOptions, MAIN, 'run', ...(config === undefined ? [] : ['--config', config])],
    {
      cwd: tmpdir(),
      env: {
        ...plainEnvironment(),
        ...(compileCache !== undefined && { NODE_COMPILE_CACHE: compileCache }),
        DATABASE_URL: databaseUrl,
        PARTKEEPER_LISTEN: `127.0.0.1:${port}`,
        PARTKEEPER_LOG_FORMAT: 'json',
        PARTKEEPER_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', isQuiet ? 'ignore' : 'inherit', 'inherit'],
    },
  );
  const { pid } = child;
  if (pid === undefined) throw new Error(`${process.execPath} could not be started`);
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  const answers = async (path: string): Promise<Moment> => {
    while (performance.now() - startedMs < START_MS) {
      signal.throwIfAborted();
      if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
      const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      await answer?.text();
      if (answer?.ok) return { ms: performance.now() - startedMs, cpuMs: cpuMsOf(pid) };
      await delay(POLL_MS);
    }
    throw new Error(`${path} has not answered for ${START_MS / 1000} s`);
  };
  try {
    return {
      live: await answers('/livez'),
      ready: await answers('/readyz'),
      rssMiB: () => rssMiBOf(pid),
      cpuMs: () => cpuMsOf(pid),
      metric: async name => sumOf(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), name),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Without what whoever started the bench has set for node, for us or for the driver. */
const plainEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_|PG|PARTKEEPER_|npm_)/.test(name)));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const rssMiBOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

function cpuMsOf(pid: number): number {
  // Behind the name, which may contain anything: the fields from the third on.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function sumOf(text: string, name: string): number {
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].map(([, value]) =>
    Number(value),
  );
  if (values.length === 0) throw new Error(`the service has no metric ${name}`);
  return values.reduce((sum, value) => sum + value, 0);
}
