/**
 * The command line: as a process of its own, in a process group of its own, where Ctrl-C reaches the whole group at once; and
 * where nothing but the command matters as a call in this process, which takes a twentieth of the time.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject } from 'vitest';
import { call } from './call.ts';
import { waitUntil } from './client.ts';
import { COMPILE_CACHE } from './environment.ts';
import { roleTest } from './roles.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface CliOptions {
  /** On top of an environment that says nothing about databases and configuration. Undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where partkeeper.yaml is looked for. Default: a folder that has none. */
  readonly cwd?: string;
  /** Whether `run` starts a process where a call would do. */
  readonly isProcess?: boolean;
  /** A module that is loaded before the program, as `node --import` does. */
  readonly preload?: string;
  /** By way of `npm start`. */
  readonly isByNpm?: boolean;
  /** Nobody reads its standard output, as after `| head -1`. */
  readonly isUnread?: boolean;
}

export interface CliExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliProcess {
  readonly pid: number;
  /** What it has written so far, to both. */
  readonly output: () => string;
  /** The log, which is one JSON object a line. */
  readonly log: () => readonly LogLine[];
  readonly hasEnded: () => boolean;
  /** To the process alone. */
  readonly kill: (signal: NodeJS.Signals) => undefined;
  /** To everything in its group, as the terminal does on Ctrl-C. */
  readonly interrupt: () => void;
  /** Waits until it has written this; an exit before ends the wait. */
  readonly written: (text: string | RegExp, deadlineMs?: number) => Promise<void>;
  /** Waits for its end; kills it and throws when that takes too long. */
  readonly exited: (deadlineMs?: number) => Promise<CliExit>;
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly text: string;
  readonly [field: string]: unknown;
}

const DEADLINE_MS = 60_000;
const STRANGE_VARIABLES = /^(PG|DATABASE_URL|PARTKEEPER_|VITEST|NODE_|TEST_|npm_)/;

function environment(env: CliOptions['env']): NodeJS.ProcessEnv {
  const plain = Object.entries(process.env).filter(([name]) => !STRANGE_VARIABLES.test(name));
  return { ...Object.fromEntries(plain), NO_COLOR: '1', NODE_COMPILE_CACHE: COMPILE_CACHE, ...env };
}

function startCli(
  args: readonly string[],
  { env, cwd = tmpdir(), preload, isByNpm, isUnread }: CliOptions = {},
): CliProcess {
  const imports = preload === undefined ? [] : ['--import', preload];
  const byNode = [process.execPath, ...imports, inject('program'), ...args];
  const [command = '', ...given] = isByNpm ? ['npm', 'start', '--', ...args] : byNode;
  const child = spawn(command, given, {
    cwd: isByNpm ? ROOT : cwd,
    env: environment(env),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${process.execPath} could not be started.`);
  const output = { both: '', stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output.both += text;
      output[stream] += text;
    });
  if (isUnread) child.stdout.destroy();
  let ended: Omit<CliExit, 'stdout' | 'stderr'> | undefined;
  child.once('close', (code, signal) => {
    ended = { code, signal };
  });
  /** Waits, and tells what was written meanwhile should it be in vain. */
  const wait = async <T>(predicate: () => T | undefined | false, deadlineMs: number, what: string): Promise<T> => {
    try {
      return await waitUntil(predicate, { deadlineMs, what });
    } catch (cause) {
      const called = ['partkeeper', ...args].join(' ');
      throw new Error(`${called}: waited for ${what} in vain; it has written:\n${output.both}`, { cause });
    }
  };
  const interrupt = (signal: NodeJS.Signals = 'SIGINT'): void => {
    try {
      process.kill(-pid, signal);
    } catch {
      // The group is gone.
    }
  };

  return {
    pid,
    output: () => output.both,
    log: () => decodeLog(output.stdout),
    hasEnded: () => ended !== undefined,
    kill(signal) {
      child.kill(signal);
      return undefined;
    },
    interrupt: () => interrupt(),
    async written(text, deadlineMs = DEADLINE_MS) {
      const isWritten = () => (typeof text === 'string' ? output.both.includes(text) : text.test(output.both));
      await wait(() => isWritten() || ended !== undefined, deadlineMs, `"${text}"`);
      // It has ended: what is not there by now will not come.
      await wait(isWritten, 0, `"${text}"`);
    },
    async exited(deadlineMs = DEADLINE_MS) {
      try {
        const { code, signal } = await wait(() => ended, deadlineMs, 'its end');
        return { code, signal, stdout: output.stdout, stderr: output.stderr };
      } finally {
        interrupt('SIGKILL');
      }
    },
  };
}

/** Whole lines only: the last one may still be on its way. */
const decodeLog = (text: string): readonly LogLine[] =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as LogLine);

/** The passwords of the addresses among the texts; short ones turn up by chance. */
const secretsIn = (texts: readonly (string | undefined)[]): readonly string[] =>
  texts
    .map(text => (URL.canParse(text ?? '') ? new URL(text ?? '').password : ''))
    .filter(password => password.length >= 12);

/** Services write their log to standard output themselves. */
const SERVICES = ['run', 'demo'];

const needsProcess = (args: readonly string[], { isProcess, preload, isByNpm, isUnread }: CliOptions): boolean =>
  Boolean(isProcess || preload || isByNpm || isUnread) || SERVICES.includes(args[0] ?? '');

export interface Cli {
  /** Starts it and leaves it running; what still runs at the end of the test is killed. */
  readonly start: (args: readonly string[], options?: CliOptions) => CliProcess;
  /** Runs it to its end; as a process only where a call would not do, or where that is asked for. */
  readonly run: (args: readonly string[], options?: CliOptions) => Promise<CliExit>;
}

/**
 * `cli` starts processes on the test's own `database`, unless an environment is given; `folder` is an empty one. No test
 * passes that makes a password appear in what is written.
 */
export const cliTest = roleTest
  .extend('folder', async ({ database }, { onCleanup }) => {
    const folder = await mkdtemp(join(tmpdir(), `${database.name}-`));
    onCleanup(() => rm(folder, { recursive: true, force: true }));
    return folder;
  })
  .extend('cli', ({ database, folder }, { onCleanup }): Cli => {
    const started: (CliProcess & { readonly secrets: readonly string[] })[] = [];
    onCleanup(async () => {
      for (const { kill } of started) kill('SIGKILL');
      await Promise.all(started.map(running => running.exited()));
      for (const { output, secrets } of started)
        for (const secret of secrets) expect(output(), 'what it has written').not.toContain(secret);
    });
    const environmentOf = ({ env }: CliOptions) => ({
      DATABASE_URL: database.url,
      PARTKEEPER_LISTEN: '127.0.0.1:0',
      ...env,
    });
    const start: Cli['start'] = (args, options = {}) => {
      const env = environmentOf(options);
      const running = startCli(args, { cwd: folder, ...options, env });
      started.push({ ...running, secrets: secretsIn([...args, ...Object.values(env)]) });
      return running;
    };
    const run: Cli['run'] = async (args, options = {}) => {
      if (needsProcess(args, options)) return start(args, options).exited();
      const env = environmentOf(options);
      const exit = await call(args, { env: environment(env), cwd: options.cwd ?? folder });
      for (const secret of secretsIn([...args, ...Object.values(env)]))
        expect(exit.stdout + exit.stderr, 'what it has written').not.toContain(secret);
      return exit;
    };
    return { start, run };
  })
  .extend('configure', ({ folder }) => async (yaml: string): Promise<string> => {
    const file = join(folder, 'partkeeper.yaml');
    await writeFile(file, yaml);
    return file;
  });

/** The bundled schema's table alone. */
export const MONTHLY_EVENTS = `tables:
  unified.event_metric_events: { interval: month, retention: 90 days, retire: drop }
`;

/** The bundled schema, with views that come due at New Year only: no tick falls between two commands of a test. */
export const QUIET_POLICY = `${MONTHLY_EVENTS}views:
  unified.mv_recent_events: { schedule: '0 0 1 1 *' }
  unified.mv_error_summary: { schedule: '0 0 1 1 *' }
  unified.mv_performance_metrics: { schedule: '0 0 1 1 *' }
`;
