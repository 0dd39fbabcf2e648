/** The runbook against the alerts, the codes and the command line. */
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../../src/cli/program.ts';
import { ERROR_CODES } from '../../../src/domain/errors.ts';
import { FINDINGS } from '../../../src/domain/findings.ts';
import { METRICS } from '../../../src/report/metric-table.ts';
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

test('links within itself lead somewhere', () => {
  const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter(link => !anchors.has(link))).toEqual([]);
});

test('speaks of metrics that exist', () => {
  const named = text.match(/\bpartkeeper_[a-z_]+\b/g)?.filter(name => name !== 'partkeeper_queue') ?? [];
  expect(named.filter(name => !Object.hasOwn(METRICS, name))).toEqual([]);
});

const program = buildProgram(command => command);

/** What is wrong with a command line, without running it. */
function faultOf(line: string): string | undefined {
  const words = line.replace(/ #.*/, '').trim().split(/\s+/).slice(1);
  let command: Command = program;
  while (command.commands.length > 0) {
    const inner = command.commands.find(each => each.name() === words[0]);
    if (inner === undefined)
      return words[0] === undefined || command !== program ? undefined : `no command ${words[0]}`;
    command = inner;
    words.shift();
  }
  const plain: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!word.startsWith('--')) {
      plain.push(word);
      continue;
    }
    const option = command.options.find(({ long }) => long === word);
    if (option === undefined) return `${command.name()} has no ${word}`;
    const value = option.required ? words.shift() : undefined;
    if (option.required && value === undefined) return `${word} wants a value`;
    if (value !== undefined && option.argChoices?.includes(value) === false) return `${word} cannot be ${value}`;
  }
  return plain.length > command.registeredArguments.length ? `${command.name()} takes no ${plain.at(-1)}` : undefined;
}

const commands = [
  ...[...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n')),
  ...[...text.matchAll(/`(partkeeper [^`]+)`/g)].map(([, line = '']) => line),
].filter(line => line.startsWith('partkeeper '));

test.each([...new Set(commands)])('%s can be typed like that', line => {
  expect(faultOf(line)).toBeUndefined();
});

test('what cannot be typed is noticed', () => {
  expect(faultOf('partkeeper repair')).toBe('no command repair');
  expect(faultOf('partkeeper plan --jobs retire')).toBe('plan has no --jobs');
  expect(faultOf('partkeeper plan --job reindex')).toBe('--job cannot be reindex');
  expect(faultOf('partkeeper check app.events')).toBe('check takes no app.events');
});
