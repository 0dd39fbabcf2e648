/**
 * Changes each number of the alert rules, one at a time, and asks promtool whether a test of theirs notices. Exits with 1 when
 * one does not: that number is then held by nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
}
interface Groups {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}
interface TestFile {
  readonly tests: readonly object[];
}
interface Mutant {
  readonly what: string;
  readonly name: string;
  readonly rule: Rule;
}

const FOLDER = join(import.meta.dirname, '../ops/prometheus');
const TESTS = ['alerts_test.yml', 'alerts_days_test.yml'] as const;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
// Outside of label values, and not part of a name.
const NUMBER = /"[^"]*"|(?<![\w.])(\d+(?:\.\d+)?)([smhd])?(?![\w.])/g;

const nameOf = ({ alert, record }: Rule): string => alert ?? record ?? '';

/** Twice and half of it; of 0, what is below it and what is far above. */
function changesOf(number: string, unit: string | undefined): readonly string[] {
  const value = Number(number);
  if (unit !== undefined) return [2, 0.5].map(factor => `${value * factor * (SECONDS[unit] ?? 1)}s`);
  return value === 0 ? ['-1', '1e9'] : [String(value * 2), String(value / 2)];
}

function mutantsOf(rule: Rule): readonly Mutant[] {
  const inExpression = [...rule.expr.matchAll(NUMBER)].flatMap(({ 0: text, 1: number, 2: unit, index }) =>
    number === undefined
      ? []
      : changesOf(number, unit).map(changed => ({
          what: `${text} → ${changed} at ${index} of the expression`,
          name: nameOf(rule),
          rule: { ...rule, expr: rule.expr.slice(0, index) + changed + rule.expr.slice(index + text.length) },
        })),
  );
  const [, number = '', unit] = /^(\d+)([smhd])$/.exec(rule.for ?? '') ?? [];
  const inPatience = number === '' ? [] : changesOf(number, unit);
  return [
    ...inExpression,
    ...inPatience.map(changed => ({
      what: `for: ${rule.for} → ${changed}`,
      name: nameOf(rule),
      rule: { ...rule, for: changed },
    })),
  ];
}

const read = <T>(file: string): T => parse(readFileSync(join(FOLDER, file), 'utf8')) as T;

/** Writes each mutant with the tests that name it, or what is computed from it. @returns test file → mutant */
function writeMutants(folder: string): ReadonlyMap<string, Mutant> {
  const { groups } = read<Groups>('alerts.yml');
  const rules = groups.flatMap(group => group.rules);
  const files = TESTS.map(file => read<TestFile>(file));
  const written = new Map<string, Mutant>();
  for (const [index, mutant] of rules.flatMap(mutantsOf).entries()) {
    const concerned = [mutant.name, ...rules.filter(({ expr }) => expr.includes(mutant.name)).map(nameOf)];
    for (const [nth, file] of files.entries()) {
      const tests = file.tests.filter(each => concerned.some(name => JSON.stringify(each).includes(name)));
      if (tests.length === 0) continue;
      // Other alerts are silent in these tests, so they need not be reckoned a hundred times.
      const text = JSON.stringify(tests);
      const isNeeded = (rule: Rule): boolean => rule.record !== undefined || text.includes(nameOf(rule));
      const mutated = groups.map(group => ({
        ...group,
        rules: group.rules.filter(isNeeded).map(rule => (nameOf(rule) === mutant.name ? mutant.rule : rule)),
      }));
      const [rulesFile, path] = [join(folder, `${index}_${nth}.yml`), join(folder, `${index}_${nth}_test.yml`)];
      writeFileSync(rulesFile, stringify({ groups: mutated }));
      writeFileSync(path, stringify({ ...file, rule_files: [rulesFile], tests }, { aliasDuplicateObjects: false }));
      written.set(path, mutant);
    }
  }
  return written;
}

function promtool(
  verb: string,
  what: string,
  files: readonly string[],
  { mayFail = false } = {},
): { readonly stdout: string } {
  const { stdout, stderr, status, error } = spawnSync('promtool', [verb, what, ...files], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error) throw error;
  if (status !== 0 && !mayFail) throw new Error(`promtool ${verb} ${what}: ${stderr}`);
  return { stdout };
}

const folder = mkdtempSync(join(tmpdir(), 'mutated-alerts-'));
try {
  // Tests that fail anyway would notice everything.
  promtool(
    'test',
    'rules',
    TESTS.map(file => join(FOLDER, file)),
  );
  const written = writeMutants(folder);
  // What is no rule any more would fail every test without being noticed by any.
  promtool(
    'check',
    'rules',
    [...written.keys()].map(path => path.replace('_test.yml', '.yml')),
  );
  const { stdout } = promtool('test', 'rules', [...written.keys()], { mayFail: true });
  const passed = new Set([...stdout.matchAll(/^Unit Testing: +(\S+)\n\s*SUCCESS/gm)].map(([, path = '']) => path));
  const noticed = new Set([...written].filter(([path]) => !passed.has(path)).map(([, mutant]) => mutant));
  const survivors = [...new Set(written.values())].filter(mutant => !noticed.has(mutant));
  for (const { name, what } of survivors) process.stdout.write(`no test notices ${name}: ${what}\n`);
  process.stdout.write(`${noticed.size} changes of alert rules were noticed, ${survivors.length} were not\n`);
  if (survivors.length > 0 || noticed.size === 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
