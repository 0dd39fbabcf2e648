/**
 * Writes the documents that are generated from the code. With `--check` it writes nothing, and exits with 1 when one of
 * them is not what the code says.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cliReference } from '../src/cli/reference.ts';
import { configJsonSchema } from '../src/config/json-schema.ts';
import { configReference } from '../src/config/reference.ts';
import { codesReference } from '../src/report/codes-docs.ts';
import { metricsReference } from '../src/report/metric-docs.ts';
import { statusJsonSchema } from '../src/status/document.ts';
import { faultsReference } from '../test/faults/catalogue/catalogue.ts';
import { grafanaDashboard } from './dashboard/grafana.ts';
import { prometheusRule } from './prometheus-rule.ts';

const asJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** File → its text. A generator more is a line more. */
const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'docs/partkeeper.schema.json': () => asJson(configJsonSchema()),
  'docs/status.schema.json': () => asJson(statusJsonSchema()),
  'docs/configuration.md': configReference,
  'docs/metrics.md': metricsReference,
  'docs/codes.md': codesReference,
  'docs/cli.md': cliReference,
  'docs/faults.md': faultsReference,
  'ops/grafana/partkeeper.json': () => asJson(grafanaDashboard()),
  'ops/kubernetes/monitoring/prometheus-rule.yaml': prometheusRule,
};

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** Brings `root` up to date, or only looks. Returns the files that were not. */
export function generateDocs(root: string, options: { readonly check: boolean }): readonly string[] {
  const drifted = Object.entries(DOCUMENTS).filter(([file, generate]) => textOf(join(root, file)) !== generate());
  if (!options.check)
    for (const [file, generate] of drifted) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), generate());
    }
  return drifted.map(([file]) => file);
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const drifted = generateDocs(join(import.meta.dirname, '..'), { check });
  for (const file of drifted) process.stdout.write(check ? `${file} is out of date\n` : `wrote ${file}\n`);
  if (check && drifted.length > 0) {
    process.stdout.write('run `node scripts/generate-docs.ts` and commit what it writes\n');
    process.exitCode = 1;
  }
}
