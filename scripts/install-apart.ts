/** A folder that has a package of its own, because most runs need nothing of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

/** Of a lock file: each package by its place in the folder. */
export type Packages = Readonly<Record<string, { readonly integrity?: string; readonly optional?: boolean }>>;

/** Installs what the folder's lock file names, unless all of it and nothing else is there. */
export function installApart(folder: string): void {
  if (isAsLocked(readPackages(join(folder, 'package-lock.json')), readInstalled(folder))) return;
  if (!run('npm', ['ci', '--prefix', folder])) throw new Error(`npm ci --prefix ${folder} failed.`);
}

/** What is not for this machine may be missing. */
export function isAsLocked(locked: Packages, installed: Packages | undefined): boolean {
  if (installed === undefined) return false;
  // The lock file's first is the folder itself.
  const places = new Set([...Object.keys(locked), ...Object.keys(installed)].filter(place => place !== ''));
  return [...places].every(place =>
    installed[place] === undefined
      ? locked[place]?.optional === true
      : installed[place].integrity === locked[place]?.integrity,
  );
}

/** npm takes this list away first and writes it last: where it cannot be read, an installation has not come to its end. */
function readInstalled(folder: string): Packages | undefined {
  try {
    return readPackages(join(folder, 'node_modules/.package-lock.json'));
  } catch {
    return undefined;
  }
}

const readPackages = (file: string): Packages =>
  (JSON.parse(readFileSync(file, 'utf8')) as { readonly packages: Packages }).packages;
