import { expect, test } from 'vitest';
import { redactDatabaseUrl } from '../../../src/config/database-url.ts';
import { printConfig } from '../../../src/config/print.ts';
import { aTable, errorOf, load, loadFiles } from './loading.ts';

const SECRET = 'hunter2';

const BROKEN: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
  ['an address of another database', `database: { url: 'mysql://u:${SECRET}@h/db' }`, {}],
  ['an address with a wrong port', `database: { url: 'postgres://u:${SECRET}@h:99999/db' }`, {}],
  ['an address that is no URL', `database: { url: 'postgres://u:${SECRET}/x#y@h/db' }`, {}],
  ['a wrong direct address', `database: { directUrl: 'mysql://u:${SECRET}@h/db' }`, {}],
  ['an address as the schema of the queue', `queue: { schema: 'postgres://u:${SECRET}@h/db' }`, {}],
  ['an address where its section should be', `database: postgres://u:${SECRET}@h/db`, {}],
  ['an address under another key', `database: { lockTimeout: 'postgres://u:${SECRET}@h/db' }`, {}],
  [
    'a long address under another key',
    `log: { level: 'postgres://user-with-a-long-name:${SECRET}-and-much-more-of-it@host.example/db' }`,
    {},
  ],
  ['an address as a key', `database: { 'postgres://u:${SECRET}@h/db': 1 }`, {}],
  ['an address as a table', `tables: { 'postgres://u:${SECRET}@h/db': { interval: day } }`, {}],
  ['YAML that breaks beside it', `database: { url: postgres://u:${SECRET}@h/db: x }\n"a" ${SECRET}`, {}],
  [
    'a bad value from a variable',
    "database: { lockTimeout: '${S}', url: '${S}' }\nlog: { level: '${S}' }",
    { S: SECRET },
  ],
  ['a number from a variable', "log: { level: '${S}' }", { S: '4711' }],
  ['an address from the environment', 'log: { level: x }', { DATABASE_URL: `mysql://u:${SECRET}@h` }],
];

test.each(BROKEN)('no message repeats a secret: %s', (_, yaml, env) => {
  const error = errorOf(() => load(yaml, { env }));
  const everything = JSON.stringify([error.message, error.problems, error.stack, error.cause]);
  expect(everything).not.toContain(SECRET);
  expect(everything).not.toContain('4711');
});

test.each([
  ['postgres://u:hunter2@h:1/db', 'postgres://u:***@h:1/db'],
  ['postgres://u:hunter2@/db', 'postgres://u:***@/db'],
  ['postgres:///db?host=h&password=hunter2', 'postgres:///db?host=h&password=***'],
  ['postgres://h/db?sslpassword=hunter2', 'postgres://h/db?sslpassword=***'],
  ['postgres://u@h/db', 'postgres://u@h/db'],
])('%s is shown as %s', (text, shown) => {
  expect(redactDatabaseUrl(text)).toBe(shown);
});

test.each([
  ['the file', `database: { url: 'postgres://u:${SECRET}@h/db' }\n`, {}],
  ['a variable', '', { DATABASE_URL: `postgres://u:${SECRET}@h/db` }],
  ['PGPASSWORD', '', { PGHOST: 'h', PGPASSWORD: SECRET }],
  ['the direct address', `database: { directUrl: 'postgres://u:${SECRET}@h/db' }\n`, {}],
  ['a variable for it', '', { DATABASE_DIRECT_URL: `postgres://u:${SECRET}@h/db` }],
  ['a file of its own', '', { DATABASE_URL_FILE: 'secret' }],
])('the printed configuration has no secret from %s', (_, yaml, env) => {
  const files = { 'partkeeper.yaml': yaml + aTable(), secret: `postgres://u:${SECRET}@h/db` };
  const printed = printConfig(loadFiles(files, { env }));
  expect(printed).not.toContain(SECRET);
  if (!('PGHOST' in env)) expect(printed).toContain('postgres://u:***@h/db');
});
