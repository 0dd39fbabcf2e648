/** The command line as a call in this process: all of it but signals, exit codes of the process and standard output. */
import { runProgram } from '../../src/cli/program.ts';
import type { CliExit } from './cli.ts';

export interface CallOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Not for what writes to standard output by itself, as services do with their log. */
export async function call(args: readonly string[], { env, cwd }: CallOptions): Promise<CliExit> {
  const written = { stdout: '', stderr: '' };
  const code = await runProgram(args, {
    env,
    cwd,
    isTerminal: false,
    out: text => {
      written.stdout += text;
    },
    error: text => {
      written.stderr += text;
    },
    stopping: new AbortController().signal,
    onHangUp: () => {},
    subscribers: [],
  });
  return { code, signal: null, ...written };
}
