/** What people read: links lead somewhere, commands can be typed, metrics exist. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../src/report/metric-table.ts';
import { commandsIn, faultOf } from '../support/command-lines.ts';
import { anchorsOf } from '../support/ops.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const documents = globSync(['*.md', '{docs,ops,examples,bench}/**/*.md'], { cwd: ROOT })
  .toSorted()
  .map(file => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));
/** Schemas and constraints of ours, which look the same. */
const NO_METRICS = new Set(['partkeeper_queue', 'partkeeper_demo', 'partkeeper_no_rows']);

/** Also the beginning of several: `partkeeper_config_…`. */
const isMetric = (name: string): boolean =>
  name.endsWith('_') ? Object.keys(METRICS).some(metric => metric.startsWith(name)) : Object.hasOwn(METRICS, name);

test('there are documents', () => {
  expect(documents.map(({ file }) => file)).toEqual(
    expect.arrayContaining(['README.md', 'docs/operations.md', 'ops/runbook.md', 'examples/README.md']),
  );
});

describe.each(documents)('$file', ({ file, text }) => {
  test('links to what is there', () => {
    const links = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/\]\((?!https?:|mailto:)([^)\s]*)\)/g)].map(
      ([, link = '']) => link,
    );
    const broken = links.filter(link => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(join(ROOT, target), 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('has commands that can be typed like that', () => {
    expect(commandsIn(text).flatMap(line => faultOf(line) ?? [])).toEqual([]);
  });

  test('speaks of metrics that exist', () => {
    const named = text.match(/\bpartkeeper_[a-z_]+\b/g) ?? [];
    expect(named.filter(name => !isMetric(name) && !NO_METRICS.has(name))).toEqual([]);
  });
});

test('what cannot be typed is noticed', () => {
  expect(faultOf('partkeeper repair')).toBe('no command repair');
  expect(faultOf('partkeeper plan --jobs retire')).toBe('plan has no --jobs');
  expect(faultOf('partkeeper plan --job reindex')).toBe('--job cannot be reindex');
  expect(faultOf('partkeeper check app.events')).toBe('check takes no app.events');
});
