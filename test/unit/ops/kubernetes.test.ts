/** ops/kubernetes, held to kustomize where there is one, and to what we promise; to the published schemas in test/kubernetes. */
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import {
  FOLDER,
  filesOf,
  findManifest,
  folders,
  hasKubectl,
  type Manifest,
  patchedStatefulSet,
  readKustomization,
  render,
} from '../../support/kubernetes.ts';
import { readOps } from '../../support/ops.ts';

const { version } = JSON.parse(readOps('../package.json'));

/** As far as we look at them. */
interface Container {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: object;
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
  readonly livenessProbe: object;
  readonly readinessProbe?: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly securityContext: object;
  readonly terminationGracePeriodSeconds: number;
  readonly automountServiceAccountToken: boolean;
  readonly volumes: readonly { readonly name: string }[];
}
const podOf = ({ spec }: Manifest): { readonly metadata: Manifest['metadata']; readonly spec: PodSpec } =>
  (spec as { readonly template: { readonly metadata: Manifest['metadata']; readonly spec: PodSpec } }).template;
const selectorOf = ({ spec }: Manifest): object => (spec as { readonly selector: object }).selector;
const ours = ({ containers, initContainers = [] }: PodSpec): Container => {
  const found = [...initContainers, ...containers].find(({ name }) => name === 'partkeeper');
  if (found === undefined) throw new Error('There is no container of ours.');
  return found;
};

describe('kustomize', () => {
  test.for(folders)('%s names every file that is there, and none that is not', folder => {
    const { resources = [], components = [], patches = [], configMapGenerator = [] } = readKustomization(folder);
    const named = [
      ...resources,
      ...patches.map(({ path }) => path),
      ...configMapGenerator.flatMap(({ files }) => files),
    ];
    const inside = named.filter(name => !name.startsWith('../'));
    expect(['kustomization.yaml', ...inside].toSorted()).toEqual([...filesOf(folder)].toSorted());
    const outside = [...resources.filter(name => name.startsWith('../')), ...components];
    expect(outside.filter(name => !folders.includes(name.replace('../', '')))).toEqual([]);
    expect(components.map(name => readKustomization(name.replace('../', '')).kind)).toEqual(
      components.map(() => 'Component'),
    );
  });

  test('the patch finds what it is for', () => {
    const [patch] = readKustomization('sidecar').patches ?? [];
    const { kind, metadata } = findManifest('StatefulSet');
    expect(patch?.target).toEqual({ kind, labelSelector: `partkeeper=${metadata.labels?.partkeeper}` });
  });

  test('takes the image of this version', () => {
    const tags = folders.flatMap(folder => readKustomization(folder).images ?? []).map(({ newTag }) => newTag);
    expect(tags).toEqual([version, version]);
  });

  test.runIf(hasKubectl).for([
    ['standalone', 'Deployment'],
    ['example-sidecar', 'StatefulSet'],
  ])('renders %s, of which the service finds the pods, and Prometheus the service', ([folder = '', kind = '']) => {
    const rendered = render(folder);
    expect(rendered.map(({ kind: found }) => found)).toEqual(expect.arrayContaining([kind, 'ConfigMap', 'Service']));
    const one = (wanted: string, name = ''): Manifest => {
      const found = rendered.find(({ kind: its, metadata }) => its === wanted && metadata.name.includes(name));
      if (found === undefined) throw new Error(`There is no ${wanted} ${name}.`);
      return found;
    };
    const service = one('Service', 'partkeeper');
    expect(podOf(one(kind)).metadata.labels).toMatchObject(selectorOf(service));
    expect({ matchLabels: service.metadata.labels }).toMatchObject(selectorOf(findManifest('ServiceMonitor')));
  });
});

describe.for([
  ['the Deployment', () => podOf(findManifest('Deployment')).spec],
  ['the sidecar', () => podOf(patchedStatefulSet()).spec],
] as const)('%s', ([, podOfIt]) => {
  const pod = podOfIt();
  const container = ours(pod);

  test('may do nothing but what it is for', () => {
    expect({ ...pod.securityContext, ...container.securityContext }).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65_532,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(container.resources.limits.memory).toBe('192Mi');
  });

  test('gets its secret as a file, and its configuration where it looks for it', () => {
    expect(container.env).toEqual([{ name: 'DATABASE_URL_FILE', value: '/run/secrets/partkeeper/url' }]);
    expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toEqual([
      '/etc/partkeeper',
      '/run/secrets/partkeeper',
      '/tmp',
    ]);
    const volumes = pod.volumes.map(({ name }) => name);
    for (const { name } of container.volumeMounts) expect(volumes).toContain(name);
  });

  test('is asked for its life where the image serves it', () => {
    expect(container.ports).toEqual([{ name: 'metrics', containerPort: 9465 }]);
    expect(container.livenessProbe).toMatchObject({ httpGet: { path: '/livez', port: 'metrics' } });
  });

  test('has time to end by itself', () => {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(20);
  });
});

test('a sidecar is native, and never makes the database look unready', () => {
  const container = ours(podOf(patchedStatefulSet()).spec);
  expect(container.restartPolicy).toBe('Always');
  expect(container.readinessProbe).toBeUndefined();
  expect(ours(podOf(findManifest('Deployment')).spec).readinessProbe).toMatchObject({ httpGet: { path: '/readyz' } });
});

test('the configuration in the ConfigMap is valid', () => {
  const readFile = (path: string): string => {
    if (path !== '/etc/partkeeper/partkeeper.yaml') throw Object.assign(new Error(path), { code: 'ENOENT' });
    return readOps(`${FOLDER}/base/partkeeper.yaml`);
  };
  const config = loadConfig({ flags: {}, env: {}, cwd: '/etc/partkeeper', isTerminal: false, readFile });
  expect(config.tables).toHaveLength(1);
});
