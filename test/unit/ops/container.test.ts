/** Dockerfile and docker-compose.yml, as far as they can be judged without an engine; test/containers/ runs them. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { OPS, readOps } from '../../support/ops.ts';
import { hasPromtool, promtool } from '../../support/promtool.ts';

const { version } = JSON.parse(readOps('../package.json'));
const dockerfile = readOps('../Dockerfile');

interface Service {
  readonly image: string;
  readonly volumes?: readonly string[];
  readonly mem_limit?: string;
  readonly read_only?: boolean;
  readonly security_opt: readonly string[];
  readonly cap_drop?: readonly string[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}
const compose: Compose = parse(readOps('../docker-compose.yml'), { merge: true });

describe('Dockerfile', () => {
  test('says the version of the package, and starts from an image with a version', () => {
    expect(dockerfile).toContain(`ARG VERSION=${version}\n`);
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:24-/m);
  });

  test('compiles ahead for the options that the service is started with', () => {
    const [, words = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
    const options = (JSON.parse(words) as readonly string[]).filter(word => word.startsWith('--'));
    expect(options.length).toBeGreaterThan(0);
    expect(dockerfile).toContain(` service='${options.join(' ')}' `);
  });

  test('asks for nothing that only BuildKit has', () => {
    expect(dockerfile).not.toMatch(/^# *syntax=|--mount=|<<[-A-Z]|COPY --(link|chmod)/m);
  });
});

describe('docker-compose.yml', () => {
  test.for(Object.entries(compose.services))(
    '%s has an image with a version, and gains no privileges',
    ([, service]) => {
      expect(service.image).toMatch(/:(?!latest)/);
      expect(service.security_opt).toContain('no-new-privileges:true');
    },
  );

  test.for(['migrate', 'partkeeper', 'prometheus'])('%s writes to no root, and has a limit', name => {
    expect(compose.services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(compose.services[name]?.mem_limit).toBeDefined();
  });

  test('mounts only what is there', () => {
    const mounted = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
    const secrets = Object.values(compose.secrets).map(({ file }) => /:-(.+)\}$/.exec(file)?.[1] ?? file);
    const files = [...mounted, ...secrets].map(name => name.split(':')[0] ?? '').filter(name => name.startsWith('./'));
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter(name => !existsSync(`${OPS}../${name}`))).toEqual([]);
  });

  test.runIf(hasPromtool)('gives Prometheus a configuration that it understands', () => {
    expect(promtool(['check', 'config', `${OPS}prometheus/prometheus.yml`])).toMatchObject({ isContent: true });
  });
});
