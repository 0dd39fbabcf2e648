import { describe, expect, test } from 'vitest';
import { metricsReference } from '../../../src/report/metric-docs.ts';
import type { MetricSpec } from '../../../src/report/metric-spec.ts';
import { METRICS } from '../../../src/report/metric-table.ts';

const specs: readonly (readonly [string, MetricSpec])[] = Object.entries(METRICS);

describe.each(specs)('%s', (name, spec) => {
  test('is named and described as Prometheus asks', () => {
    expect(name).toMatch(/^partkeeper_[a-z]+(_[a-z]+)*$/);
    expect(spec.help).toMatch(/^[A-Z0-9].*\.$/);
    expect(spec.moves).toMatch(/^[a-z].*[^.]$/);
    // A counter ends in _total and nothing else does; what promtool calls a non-base unit or an abbreviation is none of ours.
    expect(name.endsWith('_total')).toBe(spec.type === 'counter');
    expect(name).not.toMatch(/_(ms|millis|milliseconds|minutes|hours|days|kb|mb|percent|sec|ts)(_|$)/);
    expect(name).not.toMatch(/_(counter|gauge|histogram)(_|$)|_(bucket|count|sum)$/);
  });

  test('has a unit where its help speaks of one', () => {
    if (spec.help.includes('Unix time')) expect(name).toMatch(/_timestamp_seconds$/);
    if (/^(Total size|Size|Bytes)/.test(spec.help)) expect(name).toMatch(/_bytes(_total)?$/);
  });

  test('has labels that depend on the configuration alone', () => {
    for (const label of spec.labels) expect(label).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(spec.labels).not.toContain('job');
    expect(spec.labels).not.toContain('partition');
    expect(spec.labels).not.toContain('le');
  });

  test('has values of its own only for labels that it has', () => {
    expect(spec.labels).toEqual(expect.arrayContaining(Object.keys(spec.values ?? {})));
  });

  test('has ascending buckets exactly if it is a histogram', () => {
    expect(spec.buckets !== undefined).toBe(spec.type === 'histogram');
    expect(spec.buckets).toEqual(spec.buckets?.toSorted((a, b) => a - b));
  });

  test('is in the reference, on one line of its table', () => {
    const rows = metricsReference()
      .split('\n')
      .filter(line => line.startsWith(`| \`${name}\` |`));
    expect(rows).toHaveLength(1);
    expect(rows[0]?.match(/(?<!\\)\|/g)).toHaveLength(6);
    expect(rows[0]).toContain(spec.help);
  });
});

test('the reference lists the values of the closed labels', () => {
  expect(metricsReference()).toContain('| `state` of `partkeeper_queue_jobs` | ready, deferred, active |');
  expect(metricsReference()).toContain('| `operation` | provision, retire, refresh, analyze |');
  expect(metricsReference()).toContain('| `state` | expired, past, current, ');
});

test('the reference has each section once and ends with a line end', () => {
  const text = metricsReference();
  const headings = text.split('\n').filter(line => line.startsWith('## '));
  expect(new Set(headings).size).toBe(headings.length);
  expect(text.startsWith('# Metrics\n')).toBe(true);
  expect(text.endsWith('|\n')).toBe(true);
});
