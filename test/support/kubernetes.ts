/** ops/kubernetes as data, and what Kubernetes' own schemas say of it. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { parse, parseAllDocuments } from 'yaml';
import { OPS, readOps } from './ops.ts';

export const FOLDER = 'kubernetes';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [key: string]: unknown;
}

export interface Kustomization {
  readonly kind: 'Kustomization' | 'Component';
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly {
    readonly path: string;
    readonly target: { readonly kind: string; readonly labelSelector: string };
  }[];
  readonly configMapGenerator?: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
}

export const filesOf = (folder: string): readonly string[] => readdirSync(join(OPS, FOLDER, folder));
export const folders: readonly string[] = readdirSync(join(OPS, FOLDER));
export const readKustomization = (folder: string): Kustomization =>
  parse(readOps(`${FOLDER}/${folder}/kustomization.yaml`));

// Of YAML 1.1, as Kubernetes reads it: 0444 is octal.
export const decodeManifests = (text: string): readonly Manifest[] =>
  parseAllDocuments(text, { version: '1.1' }).map(document => document.toJS());
export const readManifests = (file: string): readonly Manifest[] => decodeManifests(readOps(`${FOLDER}/${file}`));

export const hasKubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0;

/** What kustomize makes of a folder. */
export function render(folder: string): readonly Manifest[] {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(OPS, FOLDER, folder)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`kubectl kustomize ${folder}: ${stderr}`);
  return decodeManifests(stdout);
}

/** As kustomize merges this patch: keys into keys; of our lists, none has an entry of that name. */
export function merge(target: unknown, patch: unknown): unknown {
  if (Array.isArray(target) && Array.isArray(patch)) return [...patch, ...target];
  if (!isKeys(target) || !isKeys(patch)) return patch ?? target;
  const keys = new Set([...Object.keys(target), ...Object.keys(patch)]);
  return Object.fromEntries([...keys].map(key => [key, merge(target[key], patch[key])]));
}

type Keys = Readonly<Record<string, unknown>>;
const isKeys = (value: unknown): value is Keys => typeof value === 'object' && value !== null && !Array.isArray(value);

const MODELS: Readonly<Record<string, new (manifest: never) => { validate(): void }>> = {
  'v1 ConfigMap': ConfigMap,
  'v1 Service': Service,
  'v1 ServiceAccount': ServiceAccount,
  'apps/v1 Deployment': Deployment,
  'apps/v1 StatefulSet': StatefulSet,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'monitoring.coreos.com/v1 ServiceMonitor': ServiceMonitor,
  'monitoring.coreos.com/v1 PrometheusRule': PrometheusRule,
};

/** What the published schema of its kind objects to; undefined: nothing. */
export function objectionTo(manifest: Manifest): string | undefined {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const Model = MODELS[kind];
  if (Model === undefined) return `there is no schema for ${kind}`;
  try {
    new Model(manifest as never).validate();
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
