import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { dashboard, filledIn, panels } from '../../support/ops.ts';
import { hasPromtool, promtool } from '../../support/promtool.ts';

test('the data source, job, instance and target are for the reader to choose', () => {
  expect(dashboard.templating.list.map(({ name, type }) => `${name}: ${type}`)).toEqual([
    'datasource: datasource',
    'job: query',
    'instance: query',
    'target: query',
  ]);
});

test('every panel has a title of its own, and lies beside the others', () => {
  const places = dashboard.panels.map(({ gridPos: { x, y, w, h } }) => ({ x, y, w, h }));
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  for (const [index, one] of places.entries()) {
    expect(one.x + one.w).toBeLessThanOrEqual(24);
    const overlapping = places
      .slice(index + 1)
      .filter(two => one.x < two.x + two.w && two.x < one.x + one.w && one.y < two.y + two.h && two.y < one.y + one.h);
    expect(overlapping).toEqual([]);
  }
});

describe.each(panels)('$title', ({ description, fieldConfig, targets = [] }) => {
  test('says what it shows, in which unit, of what was chosen', () => {
    expect(description).toMatch(/^[A-Z].*\.$/);
    expect(fieldConfig?.defaults.unit).toMatch(/^(s|bytes|short|percentunit|bool_yes_no)$/);
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr, datasource } of targets) {
      expect(datasource.uid).toBe('${datasource}');
      expect(expr).toContain('job=~"$job"');
      expect(filledIn(expr)).not.toContain('$');
    }
  });
});

test.skipIf(!hasPromtool)('promtool understands every expression', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
  try {
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => filledIn(expr)));
    const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr }));
    writeFileSync(join(folder, 'panels.yml'), stringify({ groups: [{ name: 'panels', rules }] }));
    const { isContent, said } = promtool(['check', 'rules', join(folder, 'panels.yml')]);
    expect(isContent, said).toBe(true);
    expect(said).toContain(`${rules.length} rules found`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
