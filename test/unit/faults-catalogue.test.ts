/** The catalogue of faults is held to what there is: tests, names, and every number that it has to know. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FAULTS } from '../faults/catalogue/catalogue.ts';

const TESTS = join(import.meta.dirname, '..');

/** The numbers of faults that a title begins with, and a colon. */
const TITLE = /(['"`])(F\d\d(?:, F\d\d)*): /g;

const numbersIn = (file: string): readonly string[] =>
  [...readFileSync(join(TESTS, file), 'utf8').matchAll(TITLE)].flatMap(([, , numbers = '']) => numbers.split(', '));

/** File → the numbers in the titles of its tests. */
const titles = new Map(
  readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts') && !name.includes('node_modules'))
    .map(name => [name, new Set(numbersIn(name))] as const),
);

const range = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `F${String(from + index).padStart(2, '0')}`);

test('the catalogue knows every fault from F01 to F33 and from F40 to F52, in order', () => {
  expect(FAULTS.map(([number]) => number)).toEqual([...range(1, 33), ...range(40, 52)]);
});

describe.each(FAULTS)('%s', (number, fault) => {
  test('names tests that there are, or says why there are none', () => {
    for (const file of fault.tests ?? []) expect(titles.get(file), file).toContain(number);
    if ((fault.tests ?? []).length === 0) expect(fault.untested).toBeTruthy();
  });

  test('is named by no test that the catalogue does not know', () => {
    const files = [...titles].filter(([, numbers]) => numbers.has(number)).map(([file]) => file);
    expect(files.toSorted()).toEqual([...(fault.tests ?? [])].toSorted());
  });

  test('is seen by log lines that there are', () => {
    const log = readFileSync(join(TESTS, '../src/report/log.ts'), 'utf8');
    for (const sign of fault.seen) if (sign.kind === 'log') expect(log).toContain(`'${sign.name}'`);
  });
});
