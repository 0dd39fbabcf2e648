import { describe, expect, test } from 'vitest';
import { aTable, load, loadFiles, problemsOf } from './loading.ts';

describe('the direct address', () => {
  const yaml = `database: { url: 'postgres://file@pooler/db', directUrl: 'postgres://file@direct/db' }\n${aTable()}`;
  const env = { DATABASE_DIRECT_URL: 'postgres://env@direct/db' };
  const flags = { databaseDirectUrl: 'postgres://flag@direct/db' };

  test.each([
    ['nowhere', aTable(), {}, undefined],
    ['the file', yaml, {}, 'postgres://file@direct/db'],
    ['the environment', yaml, { env }, 'postgres://env@direct/db'],
    ['a flag', yaml, { env, flags }, 'postgres://flag@direct/db'],
    ['the environment alone', aTable(), { env }, 'postgres://env@direct/db'],
  ])('comes from %s', (_, text, around, expected) => {
    expect(load(text, around).directDatabase?.connectionString).toBe(expected);
  });

  test('takes what it lacks from the variables, nothing from the other one, and shares its limits', () => {
    const text = `database: { url: 'postgres://u:p@pooler:6543/db', directUrl: 'postgres://direct', pool: 7, connectTimeout: 3s }\n${aTable()}`;
    expect(load(text, { env: { PGUSER: 'keeper', PGPASSWORD: 'q' } }).directDatabase).toEqual({
      connectionString: 'postgres://direct',
      host: undefined,
      port: undefined,
      user: 'keeper',
      password: 'q',
      database: undefined,
      sslMode: undefined,
      pool: 7,
      connectTimeoutMs: 3_000,
    });
  });

  test('is not named by the variables alone', () => {
    expect(load(aTable(), { env: { PGHOST: 'h' } }).directDatabase).toBeUndefined();
  });

  test('from a file is read anew at every connect', () => {
    const files = { 'partkeeper.yaml': aTable(), secret: 'postgres://u:first@h/db\n' };
    const config = loadFiles(files, {
      env: { DATABASE_DIRECT_URL_FILE: 'secret', DATABASE_URL: 'postgres://u:p@pooler' },
    });
    const { password } = config.directDatabase ?? {};
    files.secret = 'postgres://u:second@h/db\n';
    expect(typeof password === 'function' && password()).toBe('second');
    expect(config.database.password).toBeUndefined();
  });

  test.each([
    [
      { DATABASE_DIRECT_URL: 'db.example' },
      "environment DATABASE_DIRECT_URL: database.directUrl: is not an address of a PostgreSQL database: write 'postgres://user@host:5432/database'",
    ],
    [
      { DATABASE_DIRECT_URL: 'postgres://h', DATABASE_DIRECT_URL_FILE: 'a' },
      'environment DATABASE_DIRECT_URL_FILE: is set together with DATABASE_DIRECT_URL: use only one of the two',
    ],
  ])('%o is refused', (wrong, expected) => {
    expect(problemsOf(aTable(), { env: wrong })).toEqual([expected]);
  });

  test('a variable that both addresses lack is one problem', () => {
    expect(problemsOf(yaml, { env: { PGPORT: 'x' } })).toEqual([
      "environment PGPORT: 'x' is not a port: use a number from 1 to 65535",
    ]);
  });
});
