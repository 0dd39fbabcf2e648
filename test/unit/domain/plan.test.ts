import { describe, expect, test } from 'vitest';
import { FINDINGS, type FindingCode, finding, hasErrors } from '../../../src/domain/findings.ts';
import { joinParts, NOTHING } from '../../../src/domain/plan.ts';
import { relation } from '../../support/facts.ts';

const TABLE = relation('unified.events');
const gap = (message: string, target = TABLE) => ({
  ...NOTHING,
  findings: [finding('NAME_TAKEN', target, message, 'fill it')],
});
const messages = (...parts: readonly ReturnType<typeof gap>[]) =>
  joinParts(parts).findings.map(({ message }) => message);

describe('parts of a plan', () => {
  test('joined say the same thing once', () => {
    expect(messages(gap('a'), gap('b'), gap('a'))).toEqual(['a', 'b']);
    expect(messages(gap('a'), gap('a', relation('unified.other')))).toEqual(['a', 'a']);
  });

  test('joined keep their skips and their order', () => {
    const skip = (detail: string) => ({
      ...NOTHING,
      skips: [{ job: 'retire', target: TABLE, relation: TABLE, reason: 'unbounded', detail } as const],
    });
    expect(joinParts([skip('1'), skip('2'), skip('1')]).skips.map(({ detail }) => detail)).toEqual(['1', '2', '1']);
    expect(joinParts([])).toEqual({ actions: [], skips: [], findings: [] });
  });
});

test.each(Object.keys(FINDINGS) as FindingCode[])('%s is as severe as the one table says', code => {
  const found = finding(code, TABLE, 'message', 'hint');
  expect(found.severity).toBe(FINDINGS[code].severity);
  expect(hasErrors({ findings: [found] })).toBe(FINDINGS[code].severity === 'error');
  expect(hasErrors({ findings: [finding('NAME_TAKEN', TABLE, '', ''), found] })).toBe(
    FINDINGS[code].severity === 'error',
  );
});
