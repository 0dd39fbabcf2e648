/** The runbook against the alerts, the codes and the command line. */
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../../src/domain/errors.ts';
import { FINDINGS } from '../../../src/domain/findings.ts';
import { alerts, anchorsOf, chaptersOf, readOps } from '../../support/ops.ts';

const text = readOps('runbook.md');
const anchors = anchorsOf(text);
const chapters = chaptersOf(text);

test('has a heading once', () => {
  const headings = text.match(/^### .+$/gm) ?? [];
  expect(new Set(headings).size).toBe(headings.length);
});

describe.each(alerts)('$alert', ({ alert, annotations = {} }) => {
  test('is linked to an entry that answers every question, in order', () => {
    const [file, anchor = ''] = (annotations.runbook_url ?? '').split('#');
    expect(file).toBe('ops/runbook.md');
    expect(anchors.get(anchor)).toBe(alert);
    const questions = [...(chapters.get(alert) ?? '').matchAll(/^\*\*(.+?)\.\*\*/gm)].map(([, question]) => question);
    expect(questions).toEqual(['Means', 'Impact', 'Diagnose', 'Fix', 'Verify', 'False alarms']);
    expect(chapters.get(alert)).toMatch(/```(sh|sql)\n/);
  });
});

test('speaks of alerts that exist, and of no others', () => {
  const named = new Set(text.match(/\bPartkeeper[A-Z]\w+/g));
  expect(named).toEqual(new Set(alerts.map(({ alert }) => alert)));
});

test.each([...new Set([...Object.keys(FINDINGS), ...Object.keys(ERROR_CODES)])])('%s has an entry', code => {
  expect(anchors.get(code.toLowerCase())).toBe(code);
  expect(chapters.get(code)).toMatch(/\*\*To\s+do:\*\*\s+\S/);
});

test('has entries for nothing else', () => {
  const known = new Set([...alerts.map(({ alert }) => alert), ...Object.keys(FINDINGS), ...Object.keys(ERROR_CODES)]);
  expect([...chapters.keys()].filter(heading => !known.has(heading))).toEqual([]);
});
