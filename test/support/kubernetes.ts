/** ops/kubernetes as data: its files, and what kustomize makes of them. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
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
export const isKeys = (value: unknown): value is Keys =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every manifest, and the file it is in. */
export const manifests: readonly { readonly file: string; readonly manifest: Manifest }[] = folders
  .flatMap(folder =>
    filesOf(folder)
      .filter(name => !['kustomization.yaml', 'patch.yaml', 'partkeeper.yaml'].includes(name))
      .map(name => `${folder}/${name}`),
  )
  .flatMap(file => readManifests(file).map(manifest => ({ file, manifest })));

export function findManifest(kind: string): Manifest {
  const found = manifests.find(({ manifest }) => manifest.kind === kind);
  if (found === undefined) throw new Error(`There is no ${kind}.`);
  return found.manifest;
}

/** The example's database with the sidecar in its pod. */
export const patchedStatefulSet = (): Manifest =>
  merge(findManifest('StatefulSet'), readManifests('sidecar/patch.yaml')[0]) as Manifest;
