import { describe, expect, test } from 'vitest';
import { configHash } from '../../../src/config/hash.ts';
import { withLedgerTables } from '../../../src/config/ledger-tables.ts';
import { printConfig } from '../../../src/config/print.ts';
import { type Around, aTable, load, loadFiles } from './loading.ts';

const hash = (yaml: string, around: Around = {}) => configHash(load(yaml, around));

const BASE = aTable("    retention: 90 days\nviews: { a.v: { schedule: '*/5 * * * *' }, a.w: {} }\n");
const TURNED = `views: { a.w: {}, a.v: { schedule: '*/5 * * * *' } }
tables: { Unified.Events: { retention: 90 days, interval: month } }
`;

test('is twelve hexadecimal digits, the same on every machine', () => {
  expect(configHash(loadFiles({}))).toMatch(/^[0-9a-f]{12}$/);
  // Changes with a new key or default as well: from then on, something else is asked for.
  expect(hash(BASE)).toBe('4ff91ffb6521');
});

describe('makes no difference:', () => {
  test.each<[string, string, Around]>([
    ['the order of keys and names', TURNED, {}],
    ['a default that is spelled out', `${BASE}ledger: { retention: 1 year }\njobs: { retire: { jitter: none } }\n`, {}],
    ['another spelling', BASE.replace('90 days', '90 Days').replace('events', 'EVENTS'), {}],
    [
      'a password',
      BASE,
      { env: { DATABASE_URL: 'postgres://u:hunter2@h/db', DATABASE_DIRECT_URL: 'postgres://u:x@h' } },
    ],
    ['another password', BASE, { env: { PGPASSWORD: 'correct horse' } }],
    ['the way to the database', `database: { url: postgres://elsewhere }\n${BASE}`, {}],
    ['where it listens', BASE, { flags: { listen: 'off' } }],
    ['how it logs', BASE, { isTerminal: true, flags: { logLevel: 'trace' } }],
  ])('%s', (_, yaml, around) => {
    expect(hash(yaml, around)).toBe(hash(BASE));
  });

  test('the name of the file', () => {
    expect(configHash(loadFiles({ 'partkeeper.yml': BASE }))).toBe(hash(BASE));
  });

  test('being printed and loaded again', () => {
    expect(hash(printConfig(load(BASE)))).toBe(hash(BASE));
  });

  test("whether the ledger's tables are in already", () => {
    expect(configHash(withLedgerTables(load(BASE)))).toBe(hash(BASE));
  });
});

test.each([
  ['retention', BASE.replace('90', '91')],
  ['what becomes of a default partition', BASE.replace('retention:', 'default: drain\n    retention:')],
  ['a name', BASE.replace('events', 'event')],
  ['a schedule', BASE.replace('*/5', '*/6')],
  ['a table less', "views: { a.v: { schedule: '*/5 * * * *' }, a.w: {} }"],
  ['overlap', `${BASE}jobs: { refresh: { overlap: queue-one } }`],
  ['jitter', `${BASE}jobs: { provision: { jitter: 1s } }`],
  ['catchUpWindow', `${BASE}jobs: { provision: { catchUpWindow: 1 day } }`],
  ['the queue', `${BASE}queue: { schema: q }`],
  ['the ledger', `${BASE}ledger: { retention: 2 years }`],
  ['a budget', `database: { lockTimeout: 100ms }\n${BASE}`],
])('makes a difference: %s', (_, yaml) => {
  expect(hash(yaml)).not.toBe(hash(BASE));
});
