/** The Docker engine's command line, as data. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Exit {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = promisify(execFile);

/** Never throws for what the program says of itself. */
export async function tryRun(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Exit> {
  try {
    const said = await run(command, [...args], { env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20 });
    return { code: 0, ...said };
  } catch (error) {
    if (!(error instanceof Error && 'stdout' in error && 'stderr' in error)) throw error;
    const code = 'code' in error && typeof error.code === 'number' ? error.code : 1;
    return { code, stdout: String(error.stdout), stderr: String(error.stderr) };
  }
}

/** What it has written to standard output, without the last line end. Throws with both outputs unless it exits with 0. */
export async function runOrThrow(...[command, args, env]: Parameters<typeof tryRun>): Promise<string> {
  const { code, stdout, stderr } = await tryRun(command, args, env);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}:\n${stderr}${stdout}`);
  return stdout.replace(/\n$/, '');
}

export const docker = (...args: readonly string[]): Promise<string> => runOrThrow('docker', args);
export const tryDocker = (...args: readonly string[]): Promise<Exit> => tryRun('docker', args);

/** Throws, with what to do, where none answers. */
export async function expectEngine(): Promise<void> {
  const { code, stderr } = await tryDocker('info', '--format', '{{.ServerVersion}}');
  if (code !== 0)
    throw new Error(
      `No Docker engine answers (${stderr.trim()}). Start one; on Debian, test/containers/engine/up brings one along.`,
    );
}
