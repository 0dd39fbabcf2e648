/** The image that the Dockerfile makes, and the service in it, on a real engine. */
import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { waitUntil } from '../support/client.ts';
import { IMAGE } from '../support/container-image.ts';
import { docker, tryDocker } from '../support/docker.ts';

const MIB = 2 ** 20;
const { version, devDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

const HARDENED = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
/** What a script says, run by the image's Node. */
const inside = (script: string, ...options: readonly string[]): Promise<string> =>
  docker('run', '--rm', '--network', 'none', ...options, '--entrypoint', 'node', IMAGE, '-p', script);
const partkeeper = (...args: readonly string[]) =>
  tryDocker('run', '--rm', '--network', 'none', ...HARDENED, IMAGE, ...args);

interface Inspected {
  readonly Size: number;
  readonly Config: {
    readonly User: string;
    readonly Entrypoint: readonly string[];
    readonly Healthcheck: { readonly Test: readonly string[] };
    readonly Labels: Readonly<Record<string, string>>;
  };
}
const inspect = async (): Promise<Inspected> => JSON.parse(await docker('image', 'inspect', IMAGE))[0];

describe('the image', () => {
  test('is smaller than 190 MB with its Node, and says what it is', async () => {
    const { Size, Config } = await inspect();
    expect(Size).toBeLessThan(190e6);
    expect(Config.User).toBe('65532:65532');
    expect(Config.Entrypoint[0]).toBe('node');
    expect(Config.Healthcheck.Test).toEqual(['CMD', 'partkeeper', 'healthcheck']);
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': 'of-the-tests',
      'org.opencontainers.image.licenses': 'MIT',
    });
  });

  test('has no dependency of the development, no package manager and no shell', async () => {
    const there = await inside(`
      const fs = require('fs');
      const scoped = name => name[0] === '@' ? fs.readdirSync('/opt/partkeeper/node_modules/' + name).map(n => name + '/' + n) : [name];
      JSON.stringify({
        packages: fs.readdirSync('/opt/partkeeper/node_modules').flatMap(scoped),
        programs: ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin'].flatMap(d => fs.existsSync(d) ? fs.readdirSync(d) : []),
      })`);
    const { packages, programs } = JSON.parse(there);
    expect(packages).toContain('pg');
    // Types have been taken out of the packages that bring them along.
    const unwanted = Object.keys(devDependencies).filter(name => !name.startsWith('@types/'));
    expect(packages.filter((name: string) => unwanted.includes(name))).toEqual([]);
    expect(programs.toSorted()).toEqual(['env', 'node', 'partkeeper']);
  });

  test('runs as nobody in particular, and takes half of the memory it may have for its heap', async () => {
    const script = 'JSON.stringify([process.getuid(), v8.getHeapStatistics().heap_size_limit])';
    const [account, heap] = JSON.parse(await inside(script, ...HARDENED, '--memory', '192m'));
    expect(account).toBe(65_532);
    expect(heap).toBeGreaterThan(80 * MIB);
    expect(heap).toBeLessThan(112 * MIB);
  });

  test('keeps the bundled policy without a file, and can be reached from outside', async () => {
    const { code, stdout } = await partkeeper('config', 'print');
    expect(code).toBe(0);
    expect(stdout).toContain('unified.event_metric_events:');
    expect(stdout).toContain('listen: 0.0.0.0:9465');
  });

  test('passes on exit codes', async () => {
    expect(await partkeeper('plna')).toMatchObject({ code: 64 });
    expect(await partkeeper('healthcheck')).toMatchObject({ code: 1 });
  });
});

test('the service lives without its database, on a root that cannot be written, and ends by itself when told to', async () => {
  const address = 'postgres://nobody@127.0.0.1:1/nowhere';
  const id = await docker(
    'run',
    '--detach',
    '--network',
    'none',
    ...HARDENED,
    '--env',
    `DATABASE_URL=${address}`,
    IMAGE,
  );
  onTestFinished(() => docker('rm', '--force', '--volumes', id).then(() => {}));
  await waitUntil(async () => (await tryDocker('exec', id, 'partkeeper', 'healthcheck')).code === 0, {
    deadlineMs: 60_000,
    what: 'the service to be alive',
  });
  expect(await tryDocker('exec', id, 'partkeeper', 'healthcheck', '--ready')).toMatchObject({ code: 1 });
  // Killed it would end with 137.
  await docker('stop', '--time', '30', id);
  expect(await docker('inspect', '--format', '{{.State.ExitCode}}', id)).toBe('0');
  const log = await docker('logs', id);
  expect(log).toContain('"msg":"stopped"');
  expect(log).toContain('"pid":1,');
});
