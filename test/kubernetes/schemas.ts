/** What the schemas that Kubernetes and the Prometheus operator publish say of a manifest. */
import { isKeys, type Manifest } from '../support/kubernetes.ts';

/** What is used of a model, of packages that are installed apart: types are checked without them. */
type Model = new (manifest: Manifest) => { validate(): void };

const KINDS = [
  'v1 ConfigMap',
  'v1 Service',
  'v1 ServiceAccount',
  'apps/v1 Deployment',
  'apps/v1 StatefulSet',
  'networking.k8s.io/v1 NetworkPolicy',
  'policy/v1 PodDisruptionBudget',
  'monitoring.coreos.com/v1 ServiceMonitor',
  'monitoring.coreos.com/v1 PrometheusRule',
];

const models: ReadonlyMap<string, Model> = new Map(
  await Promise.all(KINDS.map(async kind => [kind, await loadModel(kind)] as const)),
);

async function loadModel(kind: string): Promise<Model> {
  const [apiVersion = '', name = ''] = kind.split(' ');
  const isOfOperator = apiVersion.startsWith('monitoring.coreos.com/');
  const path = `${isOfOperator ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models'}/${apiVersion}/${name}`;
  const loaded: Readonly<Record<string, Model | undefined>> = await import(path).catch((cause: unknown) => {
    throw new Error(`These tests need ${path}: run "npm ci --prefix test/kubernetes".`, { cause });
  });
  const model = loaded[name];
  if (model === undefined) throw new Error(`${path} has no ${name}.`);
  return model;
}

/** What the published schema of its kind objects to; undefined: nothing. */
export function objectionTo(manifest: Manifest): string | undefined {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const Model = models.get(kind);
  if (Model === undefined) return `there is no schema for ${kind}`;
  try {
    new Model(manifest).validate();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Fields that the schema does not know, such as `readinesProbe`. Kubernetes' schemas allow any, so each field in turn is given
 * what no type allows: where nobody objects to that, nobody looks at the field.
 */
export const unknownFields = (manifest: Manifest): readonly string[] =>
  pathsIn(manifest)
    .filter(path => objectionTo(withNonsense(manifest, path) as Manifest) === undefined)
    .map(path => path.join('.'));

type Path = readonly string[];

const pathsIn = (value: unknown, path: Path = []): readonly Path[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => [
        ...(Array.isArray(value) ? [] : [[...path, key]]),
        ...pathsIn(inner, [...path, key]),
      ])
    : [];

function withNonsense(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return () => {};
  if (Array.isArray(value))
    return value.map((inner: unknown, index) => (String(index) === key ? withNonsense(inner, rest) : inner));
  return isKeys(value) ? { ...value, [key]: withNonsense(value[key], rest) } : value;
}
