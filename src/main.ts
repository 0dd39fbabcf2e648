#!/usr/bin/env node
/** The process: arguments, signals and the exit code. Everything else is given what it needs. */
import { constants } from 'node:os';
import { runProgram } from './cli/program.ts';

const stopping = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    // Somebody who asks twice does not want to wait.
    if (stopping.signal.aborted) process.exit(128 + constants.signals[signal]);
    stopping.abort(signal);
  });

// A reader that went away (`partkeeper plan | head`) is no reason to crash.
process.stdout.on('error', () => {});

process.exitCode = await runProgram(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  isTerminal: process.stdout.isTTY,
  out: text => void process.stdout.write(text),
  error: text => void process.stderr.write(text),
  stopping: stopping.signal,
  subscribers: [],
});
