/** A server in a container, by Testcontainers, where somebody asks for that: `TEST_SERVER=testcontainers`. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { docker, expectEngine } from './docker.ts';

export interface ContainerServer {
  readonly url: string;
  readonly image: string;
  readonly remove: () => Promise<void>;
}

/** What is used of `@testcontainers/postgresql`, which is installed apart: most runs need neither it nor its 100 packages. */
interface Container {
  withDatabase(name: string): Container;
  withUsername(name: string): Container;
  withPassword(password: string): Container;
  withEnvironment(variables: Readonly<Record<string, string>>): Container;
  withTmpFs(folders: Readonly<Record<string, string>>): Container;
  withSharedMemorySize(bytes: number): Container;
  withLabels(labels: Readonly<Record<string, string>>): Container;
  withCommand(words: readonly string[]): Container;
  start(): Promise<{ getConnectionUri(): string; stop(options: { removeVolumes: boolean }): Promise<unknown> }>;
}
interface Testcontainers {
  readonly PostgreSqlContainer: new (image: string) => Container;
}

const PACKAGE = '@testcontainers/postgresql';
const DATA = '/data';
/** Holds the process whose tests it is for. */
const LABEL = 'partkeeper.tests';

export async function startContainerServer(
  version: string,
  settings: Readonly<Record<string, string>>,
): Promise<ContainerServer> {
  const { PostgreSqlContainer } = await loadTestcontainers();
  await expectEngine();
  await removeLeftovers();
  const image = `postgres:${version}`;
  const fast = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', ...settings };
  const container = await new PostgreSqlContainer(image)
    .withDatabase('postgres')
    .withUsername('postgres')
    .withPassword('password-of-the-tests')
    // In memory, wherever the version's image would put it.
    .withEnvironment({ PGDATA: `${DATA}/postgres` })
    .withTmpFs({ [DATA]: 'rw,mode=1777' })
    .withSharedMemorySize(256 * 2 ** 20)
    .withLabels({ [LABEL]: String(process.pid) })
    .withCommand(['postgres', ...Object.entries(fast).flatMap(([name, value]) => ['-c', `${name}=${value}`])])
    .start();
  return {
    url: container.getConnectionUri(),
    image,
    remove: async () => void (await container.stop({ removeVolumes: true })),
  };
}

async function loadTestcontainers(): Promise<Testcontainers> {
  // Its reaper is one more image to be pulled, for what is done here anyway.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  const path = (() => {
    try {
      return createRequire(new URL('../matrix/package.json', import.meta.url)).resolve(PACKAGE);
    } catch (cause) {
      throw new Error(`TEST_SERVER=testcontainers needs ${PACKAGE}: run "npm ci --prefix test/matrix".`, { cause });
    }
  })();
  return (await import(pathToFileURL(path).href)) as Testcontainers;
}

/** Of runs that were killed. */
async function removeLeftovers(): Promise<void> {
  const listed = await docker('ps', '--all', '--filter', `label=${LABEL}`, '--format', `{{.ID}} {{.Label "${LABEL}"}}`);
  const left = listed
    .split('\n')
    .map(line => line.split(' '))
    .filter(([id, pid]) => id && !isRunning(Number(pid)));
  for (const [id = ''] of left) await docker('rm', '--force', '--volumes', id);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
