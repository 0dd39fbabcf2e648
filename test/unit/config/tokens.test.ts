/** The tokens of triggers over HTTP: what is one, and which files are believed. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problems.ts';
import { parseTokens } from '../../../src/config/tokens.ts';
import { aTable, errorOf } from './loading.ts';

const GOOD = 'correct-horse-battery-staple-0123456789';
const OTHER = `${'A1b2'.repeat(10)}==`;

const parsed = (text: string) => {
  const tokens = parseTokens(text);
  return tokens.ok ? tokens.value.map(({ name, secret }) => `${name ?? '-'} ${secret}`) : tokens.problem;
};

test.each<[string, string, readonly string[]]>([
  ['one', GOOD, [`- ${GOOD}`]],
  ['with a line break', `${GOOD}\r\n`, [`- ${GOOD}`]],
  ['of 32 characters', 'a'.repeat(32), [`- ${'a'.repeat(32)}`]],
  ['of 512', 'a'.repeat(512), [`- ${'a'.repeat(512)}`]],
  ['two, with names and a comment', `# who\n\nci:${GOOD}\nnight-job: ${OTHER}\n`, [`ci ${GOOD}`, `night-job ${OTHER}`]],
])('tokens: %s', (_, text, tokens) => {
  expect(parsed(text)).toEqual(tokens);
});

test.each([
  ['nothing', '', 'has no token in it'],
  ['only a comment', '# later\n', 'has no token in it'],
  ['31 characters', 'a'.repeat(31), 'has in line 1 a token of less than 32 characters'],
  ['513 characters', 'a'.repeat(513), 'has in line 1 what cannot be a token'],
  ['a blank in it', `${GOOD} ${GOOD}`, 'has in line 1 what cannot be a token'],
  ['an umlaut', `${GOOD}ä`, 'has in line 1 what cannot be a token'],
  ['a name with a blank', `the ci:${GOOD}`, 'has in line 1 a name that is none'],
  ['an empty name', `:${GOOD}`, 'has in line 1 a name that is none'],
  ['a good one and a short one', `${GOOD}\nx:abc`, 'has in line 2 a token of less than 32 characters'],
  ['very many', `${GOOD}\n`.repeat(21), 'has more than 20 tokens'],
])('none: %s', (_, text, problem) => {
  expect(parsed(text)).toContain(problem);
  expect(parsed(text)).not.toContain('correct-horse');
});

describe('a file', () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'tokens-'));
    onTestFinished(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };
  const YAML = `${aTable()}triggers:\n  tokenFile: tokens\n`;
  const loadIn = (cwd: string, isService = true) => {
    writeFileSync(join(cwd, 'partkeeper.yaml'), YAML);
    return loadConfig({ flags: {}, env: {}, cwd, isTerminal: false, isService });
  };
  const write = (cwd: string, text: string, mode: number) => {
    writeFileSync(join(cwd, 'tokens'), text);
    chmodSync(join(cwd, 'tokens'), mode);
  };

  test('that others cannot read is read again at each question', () => {
    const cwd = folder();
    write(cwd, GOOD, 0o640);
    const { triggers } = loadIn(cwd);
    expect(triggers?.listen).toEqual({ host: '127.0.0.1', port: 9466 });
    expect(triggers?.tokens()).toEqual([{ name: undefined, secret: GOOD }]);
    write(cwd, `new:${OTHER}`, 0o600);
    expect(triggers?.tokens()).toEqual([{ name: 'new', secret: OTHER }]);
    write(cwd, '', 0o600);
    expect(() => triggers?.tokens()).toThrow("triggers.tokenFile: 'tokens' has no token in it");
  });

  test.each<[string, string, number, string]>([
    [
      'everybody can read',
      GOOD,
      0o644,
      `may be read or written by everybody on this machine (mode 644): use 'chmod o= tokens'`,
    ],
    ['everybody can write', GOOD, 0o602, 'may be read or written by everybody on this machine (mode 602)'],
    ['is empty', '', 0o600, "has no token in it: make one with 'openssl rand -hex 32'"],
    ['has a word in it', 'secret', 0o600, 'has in line 1 a token of less than 32 characters'],
  ])('that %s is refused, with its place and without the token', (_, text, mode, problem) => {
    const cwd = folder();
    write(cwd, text, mode);
    const error = errorOf(() => loadIn(cwd));
    expect(error.problems.map(formatProblem)).toEqual([
      expect.stringContaining(`partkeeper.yaml:5:14: triggers.tokenFile: 'tokens' ${problem}`),
    ]);
    expect(error.message).not.toContain(GOOD);
  });

  test('that is not there is a mistake for the service, and none for whoever only looks', () => {
    const cwd = folder();
    expect(() => loadIn(cwd)).toThrow("triggers.tokenFile: 'tokens' does not exist");
    expect(loadIn(cwd, false).triggers?.tokenFile).toBe('tokens');
  });
});
