/** What every process of a test run finds around it, whatever the shell of whoever started it has set. */
import { readFileSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Linux has one everywhere; containers make it too small (64 MB) more often than not. */
const MEMORY_DISK = '/dev/shm';
const NEEDED_BYTES = 2 * 2 ** 30;

/** Compiled once for all processes: starting them is most of what many tests cost. `npm ci` deletes it. */
export const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/partkeeper-tests', import.meta.url));

/** To be called before the first process of the run is started. */
export function prepareEnvironment(env: NodeJS.ProcessEnv): void {
  env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;
  // Each test clones a database and drops it. ext4 tries every inode that was freed within the last seconds before it takes
  // one, and so needs half of the processor time of the whole run for that.
  if (hasMemoryDisk()) env.TMPDIR ??= MEMORY_DISK;
  // The driver would take from them what a test means to leave out.
  for (const name of Object.keys(env)) if (/^PG[A-Z]/.test(name)) delete env[name];
}

/** With room enough, and programs can be run from there: some checkouts need a copy of PostgreSQL's. */
function hasMemoryDisk(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_DISK);
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
    const [, , type, options = ''] =
      mounts.map(line => line.split(' ')).find(([, place]) => place === MEMORY_DISK) ?? [];
    const isRoomy = Math.min(bavail * bsize, freemem()) >= NEEDED_BYTES;
    return isRoomy && type === 'tmpfs' && !options.split(',').includes('noexec');
  } catch {
    return false;
  }
}
