/**
 * partkeeper's command line in a process that is there already, as the service is: what is measured is its work on the
 * database and not how long Node takes to start on a processor that it shares with the writers.
 */
import { tmpdir } from 'node:os';
import { runProgram } from '../../../src/cli/program.ts';

export interface CliRequest {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface CliAnswer {
  readonly exitCode: number;
  readonly out: string;
  readonly error: string;
}

const never = new AbortController().signal;

// As main.ts has it.
process.env.JITI_FS_CACHE = 'false';

process.on('message', (request: CliRequest) => {
  void answer(request).then(answered => process.send?.(answered));
});

async function answer({ args, env }: CliRequest): Promise<CliAnswer> {
  const out: string[] = [];
  const error: string[] = [];
  const exitCode = await runProgram(args, {
    env,
    cwd: tmpdir(),
    isTerminal: false,
    out: text => void out.push(text),
    error: text => void error.push(text),
    stopping: never,
    onHangUp: () => {},
    subscribers: [],
  });
  return { exitCode, out: out.join(''), error: error.join('') };
}

process.on('disconnect', () => process.exit());
