/**
 * Runs the database tests on every PostgreSQL version but the one that `npm test` runs everything on, one after the other:
 *
 *     node scripts/test-matrix.ts [vitest's own arguments]
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  DEFAULT_POSTGRES_VERSION,
  findBinariesOf,
  MATRIX_FOLDER,
  POSTGRES_VERSIONS,
} from '../test/support/postgres-versions.ts';

interface Result {
  readonly version: string;
  readonly passed: boolean;
  readonly seconds: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function isInstalled(version: string): Promise<boolean> {
  const binaries = await findBinariesOf(version).catch(() => undefined);
  return binaries !== undefined && existsSync(binaries.postgres);
}

function run(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): boolean {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  if (error !== undefined) throw error;
  return status === 0;
}

async function install(versions: readonly string[]): Promise<void> {
  const installed = await Promise.all(versions.map(isInstalled));
  if (installed.every(Boolean)) return;
  if (!run('npm', ['ci', '--prefix', MATRIX_FOLDER])) throw new Error(`npm ci --prefix ${MATRIX_FOLDER} failed.`);
}

function testOn(version: string, args: readonly string[]): Result {
  say(`\nPostgreSQL ${version}`);
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const started = performance.now();
  // A given database has one version; the matrix starts its own.
  const passed = run(process.execPath, [vitest, 'run', '--project', 'db', ...args], {
    TEST_POSTGRES: version,
    TEST_DATABASE_URL: '',
  });
  return { version, passed, seconds: (performance.now() - started) / 1000 };
}

const versions = Object.keys(POSTGRES_VERSIONS).filter(version => version !== DEFAULT_POSTGRES_VERSION);
await install(versions);
const results = versions.map(version => testOn(version, process.argv.slice(2)));

say('\nPostgreSQL  db tests  seconds');
for (const { version, passed, seconds } of results)
  say(`${version.padEnd(10)}  ${(passed ? 'passed' : 'FAILED').padEnd(8)}  ${seconds.toFixed(1).padStart(7)}`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
