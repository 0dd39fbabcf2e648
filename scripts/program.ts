/**
 * The program in few files: most of what a start costs is finding and reading the 900 modules of ours and of the dependencies.
 * Names stay as they are, one statement a line, so that a stack trace says where it was.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

export interface ProgramOptions {
  /** Gets main.js, and beside it what only some commands load. */
  readonly folder: string;
  /** For a module of ours, such as `catalog/queries.ts`: an expression in JavaScript that takes the place of `import.meta.url`. */
  readonly urlOf: (module: string) => string;
  /** Packages that are left where they are. */
  readonly external: readonly string[];
}

/** @returns the packages that went into it */
export async function buildProgram({ folder, urlOf, external }: ProgramOptions): Promise<readonly string[]> {
  const { output } = await build({
    input: { main: `${SRC}main.ts` },
    platform: 'node',
    external: [...external],
    plugins: [
      {
        name: 'files are found from the place of the source',
        transform: {
          filter: { id: /\/src\/.*\.ts$/, code: /import\.meta\.url/ },
          handler: (code, id) =>
            id.startsWith(SRC) ? code.replaceAll('import.meta.url', urlOf(relative(SRC, id))) : code,
        },
      },
    ],
    output: {
      dir: folder,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'main-[name]-[hash].js',
      minify: 'dce-only',
      comments: { legal: true, annotation: false, jsdoc: false },
    },
  });
  const modules = output.flatMap(chunk => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  return [...new Set(modules.flatMap(packageOf))].sort();
}

/** The folder of the innermost package that a module belongs to; none for our own. */
const packageOf = (module: string): readonly string[] =>
  /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(module) ?? [];
