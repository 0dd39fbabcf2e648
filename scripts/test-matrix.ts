/**
 * Runs the database tests on every PostgreSQL version but the one that `npm test` runs everything on, one after the other:
 *
 *     node scripts/test-matrix.ts [--containers=15,16] [vitest's own arguments]
 *
 * `--containers` names versions that are started by Testcontainers instead, from the image `postgres:<version>`.
 */
import { DEFAULT_POSTGRES_VERSION, MATRIX_FOLDER, POSTGRES_VERSIONS } from '../test/support/postgres-versions.ts';
import { installApart } from './install-apart.ts';
import { runVitest } from './run.ts';

interface Result {
  readonly version: string;
  readonly isContained: boolean;
  readonly passed: boolean;
  readonly seconds: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function testOn(version: string, isContained: boolean, args: readonly string[]): Result {
  say(`\nPostgreSQL ${version}${isContained ? ' in a container' : ''}`);
  const started = performance.now();
  // A given database has one version; the matrix starts its own.
  const passed = runVitest(['--project', 'db', ...args], {
    TEST_POSTGRES: version,
    TEST_DATABASE_URL: '',
    TEST_SERVER: isContained ? 'testcontainers' : '',
  });
  return { version, isContained, passed, seconds: (performance.now() - started) / 1000 };
}

const FLAG = '--containers=';
const versions = Object.keys(POSTGRES_VERSIONS).filter(version => version !== DEFAULT_POSTGRES_VERSION);
const given = process.argv.slice(2);
const contained = given.filter(word => word.startsWith(FLAG)).flatMap(word => word.slice(FLAG.length).split(','));
const unknown = contained.filter(version => !versions.includes(version));
if (unknown.length > 0) throw new Error(`${FLAG} names ${unknown.join(', ')}: there are ${versions.join(', ')}.`);
const args = given.filter(word => !word.startsWith(FLAG));

installApart(MATRIX_FOLDER);
const results = versions.map(version => testOn(version, contained.includes(version), args));

say('\nPostgreSQL      db tests  seconds');
for (const { version, isContained, passed, seconds } of results)
  say(
    `${`${version}${isContained ? ' (container)' : ''}`.padEnd(14)}  ${(passed ? 'passed' : 'FAILED').padEnd(8)}  ${seconds.toFixed(1).padStart(7)}`,
  );
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
