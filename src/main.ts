#!/usr/bin/env node
/** The process: arguments, signals and the exit code. Everything else is given what it needs. */
import { constants } from 'node:os';

/** `npm start` passes on the Ctrl-C that the terminal has sent us already: so soon after the first, it is no second one. */
const ECHO_MS = 250;
/** Whatever has not ended so long after the request to stop never will; containers are killed after 30 s. */
const STOP_MS = 20_000;
/** For what still waits for an answer when everything is done: a connection attempt that nobody wants any more. */
const LINGER_MS = 500;

const stopping = new AbortController();
let askedAt = 0;

const stop = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void => {
  if (!stopping.signal.aborted) {
    askedAt = performance.now();
    stopping.abort(signal);
    setTimeout(() => process.exit(1), STOP_MS).unref();
  }
  // Somebody who asks twice does not want to wait.
  else if (performance.now() - askedAt > ECHO_MS) process.exit(128 + constants.signals[signal]);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);

// Until it is known whether what starts is a service, which is not to end of it, it is only kept in mind.
let isHungUp = false;
let onHangUp = (): void => {
  isHungUp = true;
};
process.on('SIGHUP', () => onHangUp());

// A reader that went away (`partkeeper plan | head`) is no reason to crash.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

// node-pg-migrate would leave a folder for compiled migrations among the temporary ones; ours are SQL.
process.env.JITI_FS_CACHE = 'false';

// Only now: reading hundreds of files takes longer than somebody may take to send a signal.
const { runProgram } = await import('./cli/program.ts');
let isService = false;
const exitCode = runProgram(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  isTerminal: process.stdout.isTTY,
  out: text => void process.stdout.write(text),
  error: text => void process.stderr.write(text),
  stopping: stopping.signal,
  onHangUp(listener) {
    isService = true;
    onHangUp = listener;
  },
  subscribers: [],
});
setImmediate(() => {
  // A service has said so by now, and reads its configuration after whatever came before.
  if (isService) return;
  onHangUp = () => stop('SIGHUP');
  if (isHungUp) stop('SIGHUP');
});
process.exitCode = await exitCode;
setTimeout(() => process.exit(), LINGER_MS).unref();
