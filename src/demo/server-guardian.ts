/**
 * Ends the server when our process is gone, however it went: kill -9 leaves no one to run an exit handler.
 *
 * A shell in a session of its own reads a pipe that only we hold open; its end is our end.
 */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

export interface ServerGuardian {
  /** The process to end when we are gone, in place of the one named before. */
  readonly watch: (pid: number | undefined) => void;
  /** Nothing is left to guard. */
  readonly release: () => void;
}

// A process that nobody reaps still answers `kill -0`, hence the bound on the waiting.
const SCRIPT = `
pid=none
while read -r word; do
  [ "$word" = release ] && exit 0
  pid=$word
done
end() {
  kill "-$1" "$pid" || return 0
  left=$2
  while [ "$left" -gt 0 ] && kill -0 "$pid"; do sleep 0.1; left=$((left - 1)); done
}
if [ "$pid" != none ]; then end INT 50; end QUIT 20; end KILL 5; fi
[ -z "$1" ] || rm -rf -- "$1"
`;

/** `folder` is deleted once the server has ended; `undefined` deletes nothing. */
export function startServerGuardian(folder: string | undefined): ServerGuardian {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'partkeeper-server-guardian', folder ?? ''], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Best effort: without it everything works but the clean-up after a kill -9.
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // A pipe to a child is a socket, whatever the types say.
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return {
    watch: pid => void shell.stdin.write(`${pid ?? 'none'}\n`),
    release: () => void shell.stdin.end('release\n'),
  };
}
