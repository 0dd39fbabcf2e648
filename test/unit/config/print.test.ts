import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { EXAMPLE } from '../../../src/config/example.ts';
import { withLedgerTables } from '../../../src/config/ledger-tables.ts';
import { printConfig } from '../../../src/config/print.ts';
import { type Around, aTable, load, loadFiles } from './loading.ts';

const FULL = `database:
  url: postgres://u@h:1/db?sslmode=verify-full
  directUrl: postgres://u@direct:2/db
  pool: 9
  connectTimeout: 1500ms
  lockTimeout: 1s
  lockAttempts: 3
  deferIfTransactionOlderThan: 90s
  statementTimeout: 2h
tables:
  '"Odd.Schema"."T"': { interval: week, retention: keep forever, analyze: off, timezone: Asia/Kolkata }
  a.b: { interval: hour, premake: 30, retention: 1 day, retire: drop, grace: 12 hours, maxPerRun: 5, maxShare: 0.25, retireAfter: ['"A".d'], name: 'x$\${table}_{YYYY}{MM}{DD}{HH}' }
  a.c:
    interval: year
    analyze: { after: [], schedule: '@daily', changedShare: 0 }
views:
  '"A".d': {}
  a.d: { populate: false, blocking: true, skipUnchanged: false }
  a.e: { schedule: '0 */5 * * * *', timezone: Asia/Tokyo }
jobs:
  provision: { jitter: 1500ms }
  refresh: { schedule: '7 * * * *', timezone: Europe/Berlin, overlap: queue-one, catchUp: skip, catchUpWindow: 1 day }
  analyze: { timezone: Europe/Paris }
queue: { schema: _q1, runTimeout: 3h }
ledger: { retention: keep forever }
http: off
log: { level: trace, format: pretty }
`;

const withoutOrigin = (config: Config): Config => ({ ...config, origin: '' });

const ROUND: readonly (readonly [string, Config, Around])[] = [
  ['the bundled policy', loadFiles({}), {}],
  ['the example', load(EXAMPLE, { env: { DATABASE_URL: 'postgres://u@h/db' } }), {}],
  ['everything', load(FULL), {}],
  ["the ledger's own tables", withLedgerTables(load(FULL)), {}],
  ['IPv6', load(aTable("http: { listen: '[::1]:80' }\n")), {}],
  ['PG… variables', load(aTable(), { env: { PGHOST: 'h', PGUSER: 'u' } }), { env: { PGHOST: 'h', PGUSER: 'u' } }],
  ['a socket', load(aTable('database: { url: postgres://u@/db }\n')), {}],
];

test.each(ROUND)('loaded again, what is printed gives the same configuration: %s', (_, config, around) => {
  const again = load(printConfig(config), { ...around, isTerminal: true });
  expect(withoutOrigin(again)).toEqual(withoutOrigin(config));
});

test('only the secret is lost', () => {
  const config = load(`database: { url: 'postgres://u:p@h/db', directUrl: 'postgres://u:p@d/db' }\n${aTable()}`);
  const again = load(printConfig(config));
  expect(again.database).toEqual({ ...config.database, connectionString: 'postgres://u:***@h/db' });
  expect(again.directDatabase).toEqual({ ...config.directDatabase, connectionString: 'postgres://u:***@d/db' });
});

test('every default is spelled out, under a heading that says where it all comes from', () => {
  expect(
    printConfig(load(aTable('    retention: 90 days\n'))),
  ).toBe(`# The configuration in force, from partkeeper.yaml. What the PG… variables say is not in it; *** stands for a secret.
database:
  pool: 4
  connectTimeout: 10s
  lockTimeout: 200ms
  lockAttempts: 10
  deferIfTransactionOlderThan: 5s
  statementTimeout: 15min
tables:
  unified.events:
    interval: month
    premake: 2
    retention: 90 days
    retire: drop
    grace: none
    maxPerRun: 100
    maxShare: 0.5
    retireAfter: []
    default: report
    timezone: UTC
    name: '{table}_{YYYY}_{MM}'
    probe: true
    analyze:
      after:
        - provision
      changedShare: 0.1
views: {}
jobs:
  provision:
    schedule: 10 0 * * *
    timezone: UTC
    overlap: skip
    jitter: none
    catchUp: once
    catchUpWindow: 31 days
  retire:
    schedule: 40 2 * * *
    timezone: UTC
    overlap: skip
    jitter: none
    catchUp: once
    catchUpWindow: 31 days
  refresh:
    overlap: skip
    jitter: none
    catchUp: once
    catchUpWindow: 31 days
  analyze:
    overlap: skip
    jitter: none
    catchUp: once
    catchUpWindow: 31 days
queue:
  schema: partkeeper_queue
  runTimeout: 1h
ledger:
  retention: 1 year
http:
  listen: 127.0.0.1:9465
triggers: off
log:
  level: info
  format: json
`);
});
