/** Programs that a script runs, and waits for, on its own terminal. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Whether it ended with 0. */
export function run(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): boolean {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  if (error !== undefined) throw error;
  return status === 0;
}

/** Whether the tests passed. */
export function runVitest(args: readonly string[], environment: NodeJS.ProcessEnv = {}): boolean {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  return run(process.execPath, [vitest, 'run', ...args], environment);
}
