/** What a running service is told of another configuration, and what it cannot follow. */
import { expect, test } from 'vitest';
import { changedKeys, refuseWhatNeedsRestart } from '../../../src/config/changes.ts';
import { formatProblem } from '../../../src/config/problems.ts';
import { type Around, aTable, errorOf, load, loadFiles } from './loading.ts';

const BASE = `${aTable('    retention: 90 days\n')}views: { unified.v: {} }\n`;

test.each<[string, string, string[]]>([
  ['nothing', BASE, []],
  ['a default that is spelled out', `${BASE}ledger: { retention: 1 year }\n`, []],
  ['a retention', BASE.replace('90', '91'), ['tables."unified.events".retention']],
  ['a name', BASE.replace('unified.v:', 'unified.w:'), ['views."unified.w"', 'views."unified.v"']],
  [
    'a default partition',
    BASE.replace('retention', 'default: drain\n    retention'),
    ['tables."unified.events".default'],
  ],
  ['a budget', `database: { lockTimeout: 100ms }\n${BASE}`, ['database.lockTimeout']],
  ['a time', `jobs: { retire: { schedule: '1 1 * * *' } }\n${BASE}`, ['jobs.retire.schedule']],
])('the keys that say something else: %s', (_, yaml, keys) => {
  expect(changedKeys(load(BASE), load(yaml))).toEqual(keys);
});

const refusal = (yaml: string, before: Around = {}, after: Around = {}): readonly string[] =>
  errorOf(() => refuseWhatNeedsRestart(load(BASE, before), load(yaml, after))).problems.map(formatProblem);

const RESTART = 'changes with a restart only: undo that, or restart the service';

test.each<[string, string, Around, Around]>([
  ['database.url', `database: { url: postgres://elsewhere/app }\n${BASE}`, {}, {}],
  ['database.url', BASE, { env: { PGHOST: 'a' } }, { env: { PGHOST: 'b' } }],
  ['database.url', BASE, { env: { PGPASSWORD: 'correct horse' } }, { env: { PGPASSWORD: 'battery staple' } }],
  ['database.directUrl', `database: { directUrl: postgres://direct/app }\n${BASE}`, {}, {}],
  ['queue.schema', `queue: { schema: elsewhere }\n${BASE}`, {}, {}],
  ['http.listen', `http: { listen: '127.0.0.1:9999' }\n${BASE}`, {}, {}],
  ['http.listen', `http: off\n${BASE}`, {}, {}],
  ['log.format', `log: { format: pretty }\n${BASE}`, {}, {}],
])('what only a restart can change is refused by name: %s', (key, yaml, before, after) => {
  const problems = refusal(yaml, before, after);
  expect(problems).toEqual([`partkeeper.yaml: ${key}: ${RESTART}`]);
  expect(problems.join()).not.toMatch(/correct|staple|elsewhere\/app/);
});

test('all of it is said at once', () => {
  expect(refusal(`http: off\nlog: { format: pretty }\nqueue: { schema: elsewhere }\n${BASE}`)).toHaveLength(3);
});

test.each([
  [
    'a budget, a pool, a level',
    `database: { pool: 9, lockTimeout: 1s, connectTimeout: 3s }\nlog: { level: debug }\n${BASE}`,
  ],
  ['tables, views, times', `${aTable('')}jobs: { provision: { schedule: '1 1 * * *' } }\n`],
  ['how long runs may take', `queue: { runTimeout: 2 hours }\n${BASE}`],
])('the rest is followed: %s', (_, yaml) => {
  expect(() => refuseWhatNeedsRestart(load(BASE), load(yaml))).not.toThrow();
});

test('a password in a file of its own may change, as it is read again at each connection anyway', () => {
  const withFile = (address: string) =>
    loadFiles({ 'partkeeper.yaml': BASE, '/run/url': address }, { env: { DATABASE_URL_FILE: '/run/url' } });
  const before = withFile('postgres://u:one@h/app');
  expect(() => refuseWhatNeedsRestart(before, withFile('postgres://u:two@h/app'))).not.toThrow();
  expect(() => refuseWhatNeedsRestart(before, withFile('postgres://u:two@elsewhere/app'))).toThrow('database.url');
});

test('a file that has vanished does not make the bundled policy take its place', () => {
  expect(() => refuseWhatNeedsRestart(load(BASE), loadFiles({}))).toThrow(
    'the bundled policy: has taken the place of partkeeper.yaml: undo that, or restart the service',
  );
});

test('triggers may get another file of tokens, but no other place', () => {
  const withTriggers = (keys: string) => load(`triggers: { tokenFile: a${keys} }\n${BASE}`);
  expect(() => refuseWhatNeedsRestart(withTriggers(''), withTriggers('b'))).not.toThrow();
  expect(() => refuseWhatNeedsRestart(withTriggers(''), withTriggers(", listen: '[::1]:9466'"))).toThrow(
    'triggers.listen',
  );
  expect(() => refuseWhatNeedsRestart(withTriggers(''), load(BASE))).toThrow('triggers.listen');
});
