/** vitest's global setup for tests that start the command line: the program as `npm run build` makes it, of the source as it is. */
import { readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildProgram } from '../../scripts/program.ts';
import { COMPILE_CACHE } from './environment.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The file that does what src/main.ts does. */
    program: string;
  }
}

const SRC = new URL('../../src/', import.meta.url).href;
const MAIN = 'main.js';

export default async function setup(project: TestProject): Promise<void> {
  const root = project.vitest.getRootProject();
  // Called once per project; what the first provides to the root, all can see.
  if (root.getProvidedContext().program !== undefined) return;
  await bundle();
  project.onTestsRerun(bundle);
  root.provide('program', join(COMPILE_CACHE, MAIN));
}

async function bundle(): Promise<void> {
  const folder = join(COMPILE_CACHE, `program.${process.pid}`);
  await buildProgram({
    folder,
    urlOf: module => JSON.stringify(`${SRC}${module}`),
    // The driver is left where it is: some tests load it before the program, and change what it does.
    external: ['node-pg-migrate', 'pg'],
  });
  // Whole or not at all, for another run of tests beside this one: the other files have their contents in their names.
  const files = (await readdir(folder)).sort((a, b) => Number(a === MAIN) - Number(b === MAIN));
  for (const file of files) await rename(join(folder, file), join(COMPILE_CACHE, file));
  await rmdir(folder);
}
