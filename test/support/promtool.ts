/** Prometheus' own judge of rules and metrics, where it is installed (Debian: package prometheus). */
import { spawnSync } from 'node:child_process';

// Its rule tests make much garbage and hold little of it.
const env = { ...process.env, GOGC: '400' };
const run = (args: readonly string[], input?: string) => spawnSync('promtool', args, { encoding: 'utf8', input, env });

export const hasPromtool = run(['--version']).status === 0;

/** What it says, and whether it is content. */
export function promtool(
  args: readonly string[],
  input?: string,
): { readonly isContent: boolean; readonly said: string } {
  const { status, stdout, stderr } = run(args, input);
  return { isContent: status === 0, said: `${stdout}${stderr}`.trim() };
}
