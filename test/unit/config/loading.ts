/** A working directory of strings, and what loading from it comes to. */
import { resolve } from 'node:path';
import type { Config } from '../../../src/config/config.ts';
import { type ConfigInput, loadConfig } from '../../../src/config/load.ts';
import { ConfigError, type ConfigProblem, formatProblem } from '../../../src/config/problems.ts';

const CWD = '/work-dir';

export type Files = Readonly<Record<string, string>>;
export type Around = Partial<Pick<ConfigInput, 'flags' | 'env' | 'isTerminal'>>;

/** Files are named relative to the working directory; one that is not there fails as node:fs does. */
export const readerOf =
  (files: Files) =>
  (path: string): string => {
    const found = Object.entries(files).find(([name]) => resolve(CWD, name) === path);
    if (found) return found[1];
    throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
  };

export const loadFiles = (files: Files, { flags = {}, env = {}, isTerminal = false }: Around = {}): Config =>
  loadConfig({ flags, env, cwd: CWD, isTerminal, readFile: readerOf(files) });

export const load = (yaml: string, around?: Around): Config => loadFiles({ 'partkeeper.yaml': yaml }, around);

export function errorOf(action: () => unknown): ConfigError {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

export const problemsOfFiles = (files: Files, around?: Around): readonly string[] =>
  errorOf(() => loadFiles(files, around)).problems.map(formatProblem);

/** Each problem as people read it. */
export const problemsOf = (yaml: string, around?: Around): readonly string[] =>
  problemsOfFiles({ 'partkeeper.yaml': yaml }, around);

export const problemDataOf = (yaml: string, around?: Around): readonly ConfigProblem[] =>
  errorOf(() => load(yaml, around)).problems;

/** A table that is right, to which a test adds what it is about. */
export const aTable = (keys = ''): string => `tables:\n  unified.events:\n    interval: month\n${keys}`;
export const aView = (keys: string): string => `views:\n  unified.v: ${keys}\n`;
