/** Our helpers in processes of their own, by messages. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CliAnswer, CliRequest } from './contenders/partkeeper-process.ts';
import type { FromLoad, LoadResult, LoadSpec, ToLoad } from './load-process.ts';
import { yieldTo } from './machine.ts';

export interface Load {
  /** The work begins now. */
  readonly mark: () => void;
  /** Ends the schedule, waits for what was due before, and tells what callers saw. */
  readonly stop: () => Promise<LoadResult>;
  readonly kill: () => Promise<void>;
}

/** Answers once the load is running. */
export async function startLoad(spec: LoadSpec, signal: AbortSignal): Promise<Load> {
  const child = start('./load-process.ts', signal);
  const next = async (): Promise<FromLoad> => {
    const message: FromLoad = await answer(child, signal);
    if (message.kind === 'failed') throw new Error(`The load: ${message.message}`);
    return message;
  };
  const send = (message: ToLoad): void => void child.send(message);
  send({ kind: 'start', spec });
  await next();
  return {
    mark: () => send({ kind: 'mark' }),
    stop: async () => {
      send({ kind: 'stop' });
      const message = await next();
      if (message.kind !== 'result') throw new Error(`The load answered ${message.kind} when asked for its result.`);
      return message.result;
    },
    kill: () => end(child),
  };
}

export interface CliProcess {
  readonly run: (args: readonly string[]) => Promise<CliAnswer>;
  readonly kill: () => Promise<void>;
}

/** partkeeper's command line, loaded and waiting. */
export function startCli(databaseUrl: string, yields: boolean, signal: AbortSignal): CliProcess {
  const child = start('./contenders/partkeeper-process.ts', signal);
  if (yields && child.pid !== undefined) yieldTo(child.pid);
  return {
    run: async args => {
      const request: CliRequest = { args, env: { DATABASE_URL: databaseUrl } };
      child.send(request);
      return answer(child, signal);
    },
    kill: () => end(child),
  };
}

function start(module: string, signal: AbortSignal): ChildProcess {
  signal.throwIfAborted();
  return fork(fileURLToPath(new URL(module, import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
    // Ctrl-C in the terminal is for the driver, which decides what becomes of them.
    detached: true,
    // What the caller's environment says of a database must not leak into what is measured.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG'))),
  });
}

async function answer<T>(child: ChildProcess, signal: AbortSignal): Promise<T> {
  const settled = new AbortController();
  const either = AbortSignal.any([signal, settled.signal]);
  const gone = once(child, 'exit', { signal: either }).then(([code, by]: unknown[]) => {
    throw new Error(`A helper process ended with ${String(by ?? code)} before it answered.`);
  });
  // Aborted once the answer is there.
  gone.catch(() => undefined);
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: either }), gone])) as [T];
    return message;
  } finally {
    settled.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
