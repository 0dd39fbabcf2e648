/** ops/prometheus/alerts.yml as the Prometheus operator wants it. */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';

const SOURCE = new URL('../ops/prometheus/alerts.yml', import.meta.url);
const NOTE =
  '# Generated from ops/prometheus/alerts.yml by `node scripts/generate-docs.ts`; changes made here are lost.\n';

export function prometheusRule(): string {
  const { groups }: { groups: unknown } = parse(readFileSync(SOURCE, 'utf8'));
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'partkeeper', labels: { 'app.kubernetes.io/name': 'partkeeper' } },
    spec: { groups },
  };
  return NOTE + stringify(rule, { lineWidth: 0 });
}
