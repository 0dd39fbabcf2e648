/** What the log says of configurations. */
import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/problems.ts';
import { finding } from '../../../src/domain/findings.ts';
import type { Event } from '../../../src/report/events.ts';
import { aServer, aTablePolicy, aViewPolicy, NOW, someFacts } from '../../support/facts.ts';
import { finished, TABLE } from './examples.ts';
import { aLog, levels } from './lines.ts';

const loaded = (over: Partial<Extract<Event, { kind: 'config-loaded' }>> = {}): Event => ({
  kind: 'config-loaded',
  how: 'reload',
  at: NOW,
  origin: 'partkeeper.yaml',
  hash: 'abc',
  tables: [aTablePolicy()],
  views: [aViewPolicy()],
  ledgerTables: [],
  changes: [],
  ...over,
});

test('one line says which is in force, and what is other than before', () => {
  const { emit, lines } = aLog();
  emit(loaded({ how: 'start' }));
  emit(loaded());
  emit(loaded({ changes: ['log.level', 'tables."a.b".retention'] }));
  emit(loaded({ changes: Array.from({ length: 12 }, (_, index) => `jobs.${index}`) }));
  const seen = lines();
  expect(levels(seen)).toEqual([
    'info configuration loaded',
    ...Array.from({ length: 3 }, () => 'info configuration reloaded'),
  ]);
  expect(seen.map(({ text }) => text.replace('partkeeper.yaml: 1 table, 1 view', '…'))).toEqual([
    '…',
    '…; nothing has changed',
    '…; changed: log.level, tables."a.b".retention',
    '…; changed: jobs.0, jobs.1, jobs.2, jobs.3, jobs.4, jobs.5, jobs.6, jobs.7, jobs.8, jobs.9 and 2 more',
  ]);
  expect(seen[3]?.changes).toHaveLength(12);
});

test('a refused one is one line with every problem and its place', () => {
  const { emit, lines } = aLog();
  const problems = [
    { file: 'partkeeper.yaml', line: 3, column: 9, path: 'tables."a.b".interval', message: "'dya' is none" },
    {
      file: 'partkeeper.yaml',
      line: 7,
      column: 2,
      path: 'log.level',
      message: "'loud' is none",
      suggestion: 'write info',
    },
  ];
  emit({ kind: 'reload-failed', error: new ConfigError(problems) });
  expect(lines()).toMatchObject([
    {
      level: 'error',
      msg: 'reload failed',
      code: 'CONFIG_INVALID',
      text: `Not reloaded; what was in force stays in force. 2 problems in the configuration: partkeeper.yaml:3:9: tables."a.b".interval: 'dya' is none; partkeeper.yaml:7:2: log.level: 'loud' is none: write info`,
    },
  ]);
});

test('a finding on a table that is gone is not told to be mended, and is news when the table is back', () => {
  const { emit, lines } = aLog();
  const findings = [finding('READ_ONLY', TABLE, 'standby', 'point at the primary')];
  const found = () => levels(lines()).filter(line => line.includes('finding'));
  emit(finished({ findings }));
  expect(found()).toEqual(['error finding']);
  emit(loaded({ tables: [] }));
  emit(loaded());
  expect(found()).toEqual([]);
  emit(finished({ findings }));
  expect(found()).toEqual(['error finding']);
});

test('being a superuser is told once, and not where there is nothing to lose', () => {
  const observed: Event = {
    kind: 'observed',
    facts: someFacts({ server: aServer({ isSuperuser: true }) }),
    durationMs: 1,
  };
  const log = aLog();
  for (let times = 0; times < 3; times += 1) log.emit(observed);
  expect(log.lines()).toMatchObject([
    {
      level: 'warn',
      msg: 'superuser',
      text: expect.stringMatching(/connected as .+, a superuser, .+: ops\/roles\.sql/),
    },
  ]);
  const demo = aLog('info', { isDemo: true });
  demo.emit(observed);
  expect(demo.lines()).toEqual([]);
});
