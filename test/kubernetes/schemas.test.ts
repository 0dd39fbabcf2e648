/** ops/kubernetes, held to the published schemas: what is in its files, and where there is kustomize, what that makes of them. */
import { describe, expect, test } from 'vitest';
import {
  decodeManifests,
  folders,
  hasKubectl,
  manifests,
  patchedStatefulSet,
  readKustomization,
  render,
} from '../support/kubernetes.ts';
import { objectionTo, unknownFields } from './schemas.ts';

const applied = folders.filter(folder => readKustomization(folder).kind === 'Kustomization');

describe('the schemas that Kubernetes and the Prometheus operator publish', () => {
  test.for([
    ...manifests.map(({ file, manifest }) => [`${file}: ${manifest.kind}`, manifest] as const),
    ['the patched StatefulSet', patchedStatefulSet()] as const,
  ])('have no objection to %s, and know its fields', ([, manifest]) => {
    expect(objectionTo(manifest)).toBeUndefined();
    expect(unknownFields(manifest)).toEqual([]);
  });

  test.runIf(hasKubectl).for(applied)('have no objection to %s as it is rendered, and know its fields', folder => {
    for (const manifest of render(folder)) {
      expect(objectionTo(manifest)).toBeUndefined();
      expect(unknownFields(manifest)).toEqual([]);
    }
  });

  test('would notice a wrong type, a missing field, and a field that is not known', () => {
    const [wrong] = decodeManifests(
      '{ apiVersion: v1, kind: Service, metadata: { name: x }, spec: { ports: [{ port: many }] } }',
    );
    expect(wrong && objectionTo(wrong)).toContain('data/spec/ports/0/port must be integer');
    const [misspelt] = decodeManifests(
      '{ apiVersion: v1, kind: Service, metadata: { name: x }, spec: { ports: [{ prot: 1, port: 2 }] } }',
    );
    expect(misspelt && unknownFields(misspelt)).toEqual(['spec.ports.0.prot']);
  });
});
