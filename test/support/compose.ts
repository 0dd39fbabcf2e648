/** docker-compose.yml as a project of a test's own: other ports, other files, nothing left behind. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { docker, type Exit, runOrThrow, tryRun } from './docker.ts';
import { readOps } from './ops.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface ComposeProject {
  readonly compose: (...args: readonly string[]) => Promise<string>;
  readonly tryCompose: (...args: readonly string[]) => Promise<Exit>;
  /** The container of a service. */
  readonly idOf: (service: string) => Promise<string>;
  /** Of the service of ours, and of Prometheus. */
  readonly address: { readonly partkeeper: string; readonly prometheus: string };
  /** Containers, networks and volumes of the project, by name. */
  readonly left: () => Promise<readonly string[]>;
  /** Takes everything away, volumes too. */
  readonly remove: () => Promise<void>;
}

export async function openComposeProject(): Promise<ComposeProject> {
  const folder = await mkdtemp(join(tmpdir(), 'partkeeper-compose-'));
  // For accounts of containers.
  await chmod(folder, 0o755);
  await writeHastyPrometheus(folder);
  const overlay = join(folder, 'overlay.yml');
  await writeFile(
    overlay,
    stringify({
      services: {
        partkeeper: { healthcheck: { interval: '1s' } },
        prometheus: { volumes: [`${folder}:/etc/prometheus:ro`], healthcheck: { interval: '1s' } },
      },
    }),
  );
  const [partkeeper, prometheus] = [await freePort(), await freePort()];
  const env = { PARTKEEPER_PORT: String(partkeeper), PROMETHEUS_PORT: String(prometheus), DOCKER_BUILDKIT: '0' };
  const name = `pk-test-${randomBytes(4).toString('hex')}`;
  const [command = '', ...words] = await composeCommand();
  const files = ['-p', name, '-f', join(ROOT, 'docker-compose.yml'), '-f', overlay];
  const given = (args: readonly string[]) => [...words, ...files, ...args];
  const compose: ComposeProject['compose'] = (...args) => runOrThrow(command, given(args), env);
  return {
    compose,
    tryCompose: (...args) => tryRun(command, given(args), env),
    idOf: service => compose('ps', '-q', service),
    address: { partkeeper: `http://127.0.0.1:${partkeeper}`, prometheus: `http://127.0.0.1:${prometheus}` },
    left: async () => {
      const mine = ['--filter', `label=com.docker.compose.project=${name}`, '--format'];
      const lists = await Promise.all([
        docker('ps', '--all', ...mine, '{{.Names}}'),
        docker('network', 'ls', ...mine, '{{.Name}}'),
        docker('volume', 'ls', ...mine, '{{.Name}}'),
      ]);
      return lists.flatMap(list => list.split('\n')).filter(Boolean);
    },
    remove: async () => {
      await compose('down', '--volumes', '--timeout', '20');
      await rm(folder, { recursive: true });
    },
  };
}

/** The plugin of a newer engine, or the program of its own. */
async function composeCommand(): Promise<readonly string[]> {
  const { code } = await tryRun('docker', ['compose', 'version']);
  return code === 0 ? ['docker', 'compose'] : ['docker-compose'];
}

/** Our own configuration and rules, but for times that nobody waits for in a test. */
async function writeHastyPrometheus(folder: string): Promise<void> {
  const { global: _slow, ...config } = parse(readOps('prometheus/prometheus.yml')) as Record<string, unknown>;
  const hasty = { ...config, global: { scrape_interval: '1s', evaluation_interval: '1s' } };
  await writeFile(join(folder, 'prometheus.yml'), stringify(hasty));
  const rules = readOps('prometheus/alerts.yml').replaceAll(/^( +for:).*$/gm, '$1 0s');
  await writeFile(join(folder, 'alerts.yml'), rules);
}

async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer();
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}
