#!/usr/bin/env node
/** The process: arguments, signals and the exit code. Everything else is given what it needs. */
import { constants } from 'node:os';
import { runProgram } from './cli/program.ts';

/** `npm start` passes on the Ctrl-C that the terminal has sent us already: so soon after the first, it is no second one. */
const ECHO_MS = 250;
/** Whatever has not ended so long after the request to stop never will; containers are killed after 30 s. */
const STOP_MS = 20_000;
/** For what still waits for an answer when everything is done: a connection attempt that nobody wants any more. */
const LINGER_MS = 500;

const stopping = new AbortController();
let askedAt = 0;

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (!stopping.signal.aborted) {
      askedAt = performance.now();
      stopping.abort(signal);
      setTimeout(() => process.exit(1), STOP_MS).unref();
    }
    // Somebody who asks twice does not want to wait.
    else if (performance.now() - askedAt > ECHO_MS) process.exit(128 + constants.signals[signal]);
  });

// A reader that went away (`partkeeper plan | head`) is no reason to crash.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

// node-pg-migrate would leave a folder for compiled migrations among the temporary ones; ours are SQL.
process.env.JITI_FS_CACHE = 'false';

process.exitCode = await runProgram(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  isTerminal: process.stdout.isTTY,
  out: text => void process.stdout.write(text),
  error: text => void process.stderr.write(text),
  stopping: stopping.signal,
  subscribers: [],
});
setTimeout(() => process.exit(), LINGER_MS).unref();
