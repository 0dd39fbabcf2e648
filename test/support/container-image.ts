/** vitest's global setup for tests of the container: an engine, and the image that docker-compose.yml names, of these sources. */
import { ROOT } from './compose.ts';
import { docker, expectEngine } from './docker.ts';

export const IMAGE = 'partkeeper:local';

export default async function setup(): Promise<void> {
  await expectEngine();
  // The network of the machine, where an engine's own may not reach a registry.
  await docker('build', '--network', 'host', '--build-arg', 'REVISION=of-the-tests', '--tag', IMAGE, ROOT);
}
