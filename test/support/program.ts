/**
 * vitest's global setup for tests that start the command line: the program in one file. Most of what a start costs is finding
 * and reading the 640 files of ours and of the dependencies, and there are hundreds of starts.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import type { TestProject } from 'vitest/node';
import { COMPILE_CACHE } from './environment.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The file that does what src/main.ts does. */
    program: string;
  }
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PROGRAM = join(COMPILE_CACHE, 'main.mjs');

export default async function setup(project: TestProject): Promise<void> {
  const root = project.vitest.getRootProject();
  // Called once per project; what the first provides to the root, all can see.
  if (root.getProvidedContext().program !== undefined) return;
  await bundle();
  project.onTestsRerun(bundle);
  root.provide('program', PROGRAM);
}

async function bundle(): Promise<void> {
  const file = `${PROGRAM}.${process.pid}`;
  await build({
    input: MAIN,
    platform: 'node',
    // Left where it is: some tests load it before the program, and change what it does.
    external: ['pg'],
    plugins: [
      {
        name: 'files are found from the place of the source',
        transform: {
          filter: { id: /\/src\/.*\.ts$/, code: /import\.meta\.url/ },
          handler: (code, id) => code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)),
        },
      },
    ],
    output: { file, format: 'esm', codeSplitting: false, minify: true },
  });
  // Whole or not at all, for another run of tests beside this one.
  await rename(file, PROGRAM);
}
