/** The alert rules against the table of metrics, the runbook, and Prometheus' own judge. */
import { describe, expect, test } from 'vitest';
import { FINDINGS } from '../../../src/domain/findings.ts';
import { LABEL_VALUES } from '../../../src/report/label-values.ts';
import type { MetricSpec } from '../../../src/report/metric-spec.ts';
import { METRICS } from '../../../src/report/metric-table.ts';
import { aTable, someFacts } from '../../support/facts.ts';
import { ALERTS_FILE, alerts, OPS, panels, readOps, rules } from '../../support/ops.ts';
import { hasPromtool, promtool } from '../../support/promtool.ts';
import { someMetrics } from '../report/scrape.ts';

const specs: Readonly<Record<string, MetricSpec | undefined>> = METRICS;

/** Metric → its label matchers, as far as an expression has any. */
const selectorsOf = (expr: string): readonly (readonly [name: string, matchers: string])[] =>
  [...expr.matchAll(/(?<![\w:])(partkeeper_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', matchers = '']) => [
    name.replace(/_(bucket|count|sum)$/, ''),
    matchers,
  ]);

const expressions = [
  ...rules.map(({ alert, record, expr }) => [alert ?? record ?? '', expr] as const),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
];

// Prometheus and Grafana give every series these two.
const TARGET_LABELS = ['job', 'instance', 'le'];

test.each(expressions)('%s asks for metrics, labels and values that exist', (_, expr) => {
  for (const [name, matchers] of selectorsOf(expr)) {
    const spec = specs[name];
    expect(spec, name).toBeDefined();
    for (const [, label = '', operator = '', value = ''] of matchers.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)) {
      expect([...TARGET_LABELS, ...(spec?.labels ?? [])], `${name}{${label}}`).toContain(label);
      if (value.startsWith('$')) continue;
      const known: Readonly<Record<string, readonly string[]>> = {
        ...LABEL_VALUES,
        ...spec?.values,
        code: Object.keys(FINDINGS),
      };
      const values = operator.endsWith('~') ? value.split('|') : [value];
      expect(known[label] ?? values).toEqual(expect.arrayContaining(values));
    }
  }
});

test('recorded series are recorded', () => {
  const recorded = rules.flatMap(({ record }) => record ?? []);
  const asked = rules.flatMap(({ expr }) => expr.match(/\w+:partkeeper_\w+:\w+/g) ?? []);
  expect(new Set(asked)).toEqual(new Set(recorded));
});

describe.each(alerts)('$alert', ({ alert, labels = {}, annotations = {}, for: patience }) => {
  test('says how urgent it is, what it is, and where to read on', () => {
    expect(alert).toMatch(/^Partkeeper[A-Z]\w+$/);
    expect(patience).toMatch(/^\d+[mhd]$/);
    expect(labels).toEqual({ severity: expect.stringMatching(/^(page|ticket|info)$/) });
    expect(Object.keys(annotations)).toEqual(['summary', 'description', 'runbook_url']);
    expect(annotations.summary).toMatch(/^\{\{.*[^.]$/);
    expect(annotations.description).toMatch(/^[A-Z].*\.$/);
    expect(annotations.runbook_url).toBe(`ops/runbook.md#${alert.toLowerCase()}`);
  });

  test('has a test that sees it fire', () => {
    const tests = readOps('prometheus/alerts_test.yml') + readOps('prometheus/alerts_days_test.yml');
    expect(tests).toContain(`alertname: ${alert}\n`);
  });
});

describe.skipIf(!hasPromtool)('promtool', () => {
  test('accepts the rules, and their tests pass', { timeout: 120_000 }, () => {
    expect(promtool(['check', 'rules', ALERTS_FILE])).toMatchObject({ isContent: true });
    // Those that take days of Prometheus's time, and seconds of ours, are run by `npm run test:alerts`.
    const { isContent, said } = promtool(['test', 'rules', `${OPS}prometheus/alerts_test.yml`]);
    expect(isContent, said).toBe(true);
  });

  test('finds nothing wrong with our metrics', async () => {
    const metrics = someMetrics();
    metrics.emit({ kind: 'observed', facts: someFacts({ tables: [aTable()] }), durationMs: 1 });
    metrics.countStall();
    const { said } = promtool(['check', 'metrics'], await metrics.render());
    // prom-client's own, which it keeps for the sake of those who have them.
    const known =
      /^nodejs_active_(handles|requests|resources)_total non-counter metrics should not have "_total" suffix$/;
    expect(said.split('\n').filter(line => line !== '' && !known.test(line))).toEqual([]);
  });
});
