/** Which account PostgreSQL runs under, and what that account can reach. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface ServerAccount {
  readonly name: string;
  /** Unsigned, as `stat` reports it. */
  readonly uid: number;
  readonly gid: number;
}

const CANDIDATES = ['postgres', '_postgres', 'nobody'];

/** `undefined`: run as ourselves. PostgreSQL refuses to run as root, so root lends it an account that exists already. */
export async function readServerAccount(): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = decodePasswd(await readFile('/etc/passwd', 'utf8'));
  const found = CANDIDATES.map(name => accounts.find(account => account.name === name)).find(Boolean);
  if (found === undefined)
    throw new Error(
      `PostgreSQL refuses to run as root, and /etc/passwd has none of ${CANDIDATES.join(', ')} to run it as. ` +
        'Start this as an ordinary user, or give the URL of a database that runs already.',
    );
  return found;
}

function decodePasswd(text: string): ServerAccount[] {
  return text.split('\n').flatMap(line => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }] : [];
  });
}

/** The identity for `spawn`, which takes signed numbers (macOS' `nobody` is -2). */
export const identityOf = (account: ServerAccount | undefined): { uid?: number; gid?: number } =>
  account === undefined ? {} : { uid: account.uid | 0, gid: account.gid | 0 };

/**
 * The first folder on the way to `path` that the account cannot enter, judged by mode bits; `undefined` when none is.
 * A checkout below /root (mode 0700) is the usual case. What does not exist yet bars nobody.
 */
export async function findBarrier(path: string, account: ServerAccount | undefined): Promise<string | undefined> {
  if (account === undefined) return undefined;
  const folders: string[] = [];
  for (let folder = await nearestExisting(path); folders[0] !== folder; folder = dirname(folder))
    folders.unshift(folder);
  for (const folder of folders) {
    const { mode, uid, gid } = await stat(folder);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    if (((mode >> shift) & 0o1) === 0) return folder;
  }
  return undefined;
}

const nearestExisting = (path: string): Promise<string> =>
  realpath(path).catch((error: unknown) => {
    if (dirname(path) === path) throw error;
    return nearestExisting(dirname(path));
  });
