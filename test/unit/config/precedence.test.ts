import { describe, expect, test } from 'vitest';
import { type Around, aTable, load, loadFiles, problemsOf, problemsOfFiles } from './loading.ts';

const YAML = `database: { url: 'postgres://file@file-host/db' }
http: { listen: 'file:1' }
log: { level: warn, format: pretty }
${aTable()}`;

const seen = (yaml: string, around: Around = {}) => {
  const { database, http, log } = load(yaml, around);
  return [database.connectionString, http && `${http.host}:${http.port}`, log.level, log.format];
};

const withUrl = (url: string) => `database:\n  url: ${url}\n${aTable()}`;
const named = (zone: string) => aTable(`    timezone: ${zone}\n`);

describe('flags win over the environment, that over the file, that over the defaults', () => {
  const env = {
    DATABASE_URL: 'postgres://env@env-host/db',
    PARTKEEPER_LISTEN: 'env:2',
    PARTKEEPER_LOG_LEVEL: 'debug',
    PARTKEEPER_LOG_FORMAT: 'json',
  };
  const flags = {
    databaseUrl: 'postgres://flag@flag-host/db',
    listen: 'flag:3',
    logLevel: 'trace',
    logFormat: 'pretty',
  };

  test.each([
    ['defaults', aTable(), {}, [undefined, '127.0.0.1:9465', 'info', 'json']],
    ['file', YAML, {}, ['postgres://file@file-host/db', 'file:1', 'warn', 'pretty']],
    ['environment', YAML, { env }, ['postgres://env@env-host/db', 'env:2', 'debug', 'json']],
    ['flags', YAML, { env, flags }, ['postgres://flag@flag-host/db', 'flag:3', 'trace', 'pretty']],
    ['flags without the others', aTable(), { flags }, ['postgres://flag@flag-host/db', 'flag:3', 'trace', 'pretty']],
  ])('%s', (_, yaml, around, expected) => {
    expect(seen(yaml, around)).toEqual(expected);
  });

  test('a variable that is set to nothing is not set', () => {
    const nothing = { DATABASE_URL: '', PARTKEEPER_LISTEN: '', PARTKEEPER_LOG_LEVEL: '', PGHOST: '', PGPORT: '' };
    expect(seen(YAML, { env: nothing })).toEqual(seen(YAML));
  });

  test('off turns the server off from anywhere', () => {
    expect(load(YAML, { env: { PARTKEEPER_LISTEN: 'off' } }).http).toBeUndefined();
    expect(load(`http: off\n${aTable()}`, { flags: { listen: 'here:1' } }).http).toEqual({ host: 'here', port: 1 });
  });

  test('what is wrong is said of the variable or the flag, not of the line that it overrides', () => {
    expect(
      problemsOf(YAML, {
        env: { PARTKEEPER_LISTEN: 'nowhere', PARTKEEPER_LOG_LEVEL: 'loud' },
        flags: { logFormat: 'yaml', databaseUrl: 'nonsense' },
      }),
    ).toEqual([
      "environment PARTKEEPER_LISTEN: http.listen: 'nowhere' is not an address and a port: write host:port, such as '127.0.0.1:9465', or off",
      "environment PARTKEEPER_LOG_LEVEL: log.level: 'loud' is not known here: use one of fatal, error, warn, info, debug, trace",
      "flag --database-url: database.url: is not an address of a PostgreSQL database: write 'postgres://user@host:5432/database'",
      "flag --log-format: log.format: 'yaml' is not known here: use one of json, pretty",
    ]);
  });

  test('problems of the file are told together with theirs', () => {
    expect(problemsOf(aTable('    premake: 0\n'), { env: { PGPORT: 'x' } })).toEqual([
      "environment PGPORT: 'x' is not a port: use a number from 1 to 65535",
      `partkeeper.yaml:4:14: tables."unified.events".premake: '0' is too small: use 1 or more`,
    ]);
    expect(problemsOf('tables: [', { env: { PARTKEEPER_LOG_LEVEL: 'loud' } })).toHaveLength(2);
  });
});

describe('the file', () => {
  const files = {
    'partkeeper.yaml': named('Asia/Tokyo'),
    'partkeeper.yml': named('Asia/Seoul'),
    'env.yaml': named('Africa/Cairo'),
    '/etc/flag.yaml': named('America/Lima'),
  };

  test.each([
    [
      'the flag',
      files,
      { flags: { config: '/etc/flag.yaml' }, env: { PARTKEEPER_CONFIG: 'env.yaml' } },
      '/etc/flag.yaml',
      'America/Lima',
    ],
    ['the variable', files, { env: { PARTKEEPER_CONFIG: 'env.yaml' } }, 'env.yaml', 'Africa/Cairo'],
    ['partkeeper.yaml', files, {}, 'partkeeper.yaml', 'Asia/Tokyo'],
    ['partkeeper.yml', { 'partkeeper.yml': files['partkeeper.yml'] }, {}, 'partkeeper.yml', 'Asia/Seoul'],
    ['none', {}, {}, 'the bundled policy', 'UTC'],
  ])('is named by %s', (_, present, around, origin, zone) => {
    const config = loadFiles(present, around);
    expect([config.origin, config.tables[0]?.policy.timezone]).toEqual([origin, zone]);
  });

  test('that is asked for and missing is a problem, not a reason to use another', () => {
    expect(problemsOfFiles(files, { flags: { config: 'prod.yaml' } })).toEqual([
      "flag --config: names 'prod.yaml', which does not exist",
    ]);
    expect(problemsOfFiles(files, { env: { PARTKEEPER_CONFIG: 'prod.yaml' } })).toEqual([
      "environment PARTKEEPER_CONFIG: names 'prod.yaml', which does not exist",
    ]);
  });
});

describe('a variable that is not set', () => {
  test('is a problem where it is used', () => {
    expect(problemsOf(aTable('    timezone: ${ZONE}\n'))).toEqual([
      'partkeeper.yaml:4:15: tables."unified.events".timezone: needs the environment variable ZONE, which is not set: write ${ZONE:-default} for a default',
    ]);
    expect(problemsOf('tables: { a.b: { interval: "${I}" } }')).toHaveLength(1);
    expect(problemsOf(aTable('    timezone: ${1x}\n'))[0]).toContain('has a ${ that names no variable: write ${NAME}');
  });

  test('is none where a flag or variable overrides its key', () => {
    const yaml = `log: { level: '\${LEVEL}' }\n${aTable()}`;
    expect(load(yaml, { flags: { logLevel: 'warn' } }).log.level).toBe('warn');
    expect(problemsOf(yaml)).toHaveLength(1);
  });
});

describe('the database', () => {
  const PG = { PGHOST: 'h', PGPORT: '6432', PGUSER: 'u', PGPASSWORD: 'p', PGDATABASE: 'd', PGSSLMODE: 'require' };

  test('is what the PG… variables say where there is no address', () => {
    expect(load(aTable(), { env: PG }).database).toMatchObject({
      connectionString: undefined,
      host: 'h',
      port: 6432,
      user: 'u',
      password: 'p',
      database: 'd',
      sslMode: 'require',
    });
  });

  test('needs neither address nor variables', () => {
    expect(load(aTable()).database).toEqual({
      connectionString: undefined,
      host: undefined,
      port: undefined,
      user: undefined,
      password: undefined,
      database: undefined,
      sslMode: undefined,
      pool: 4,
      connectTimeoutMs: 10_000,
    });
  });

  test.each([
    ['postgres://a:b@c:1/e?sslmode=disable', {}],
    ['postgres://a@c/e', { port: 6432, password: 'p', sslMode: 'require' }],
    ['postgres:///e', { host: 'h', port: 6432, user: 'u', password: 'p', sslMode: 'require' }],
    ['postgres://a@/e', { host: 'h', port: 6432, password: 'p', sslMode: 'require' }],
    ['postgresql://c', { port: 6432, user: 'u', password: 'p', database: 'd', sslMode: 'require' }],
    ['postgres:///e?host=/run/postgresql&user=x&password=y', { port: 6432, sslMode: 'require' }],
  ])('%s leaves to the variables what it lacks', (url, filled) => {
    const nothing = {
      host: undefined,
      port: undefined,
      user: undefined,
      password: undefined,
      database: undefined,
      sslMode: undefined,
    };
    expect(load(withUrl(`'${url}'`), { env: PG }).database).toMatchObject({
      ...nothing,
      ...filled,
      connectionString: url,
    });
  });

  test('that ${DATABASE_URL} alone names gives way to the PG… variables', () => {
    const yaml = withUrl('${DATABASE_URL}');
    expect(load(yaml, { env: PG }).database).toMatchObject({ connectionString: undefined, host: 'h' });
    expect(load(yaml, { env: { ...PG, DATABASE_URL: 'postgres://x' } }).database.connectionString).toBe('postgres://x');
    expect(load(yaml, { flags: { databaseUrl: 'postgres://x' } }).database.connectionString).toBe('postgres://x');
    expect(problemsOf(yaml)[0]).toContain(
      '2:8: database.url: needs the environment variable DATABASE_URL, which is not set',
    );
  });

  test('that another variable names does not', () => {
    expect(problemsOf(withUrl('${OTHER_URL}'), { env: PG })).toHaveLength(1);
    expect(problemsOf(withUrl('postgres://u@${HOST}/db'), { env: PG })).toHaveLength(1);
  });

  test.each([
    [{ PGPORT: '0' }, "environment PGPORT: '0' is not a port: use a number from 1 to 65535"],
    [
      { PGSSLMODE: 'requires' },
      "environment PGSSLMODE: 'requires' is not one of disable, allow, prefer, require, verify-ca, verify-full, no-verify: did you mean 'require'?",
    ],
  ])('refuses %o', (env, expected) => {
    expect(problemsOf(aTable(), { env })).toEqual([expected]);
  });
});

describe('a variable ending in _FILE', () => {
  const table = { 'partkeeper.yaml': aTable() };

  test('names a file that holds the value, without its last line break', () => {
    const files = { ...table, '/run/secrets/url': 'postgres://u:first@h/db\n' };
    const { connectionString } = loadFiles(files, { env: { DATABASE_URL_FILE: '/run/secrets/url' } }).database;
    expect(connectionString).toBe('postgres://u:first@h/db');
  });

  test.each([
    ['PGPASSWORD_FILE', 'first\n', 'second\r\n'],
    ['DATABASE_URL_FILE', 'postgres://u:first@h/db\n', 'postgres://u:second@h/db\n'],
  ])('%s is read anew at every connect', (variable, before, after) => {
    const files = { ...table, secret: before };
    const { password } = loadFiles(files, { env: { [variable]: 'secret' } }).database;
    const ask = () => (typeof password === 'function' ? password() : password);
    expect(ask()).toBe('first');
    files.secret = after;
    expect(ask()).toBe('second');
    Reflect.deleteProperty(files, 'secret');
    expect(ask).toThrow(`could not read the password anew: the file that environment ${variable} names does not exist`);
  });

  test.each([
    [{ DATABASE_URL_FILE: 'nope' }, "environment DATABASE_URL_FILE: names 'nope', which does not exist"],
    [
      { PGPASSWORD_FILE: 'empty' },
      "environment PGPASSWORD_FILE: names 'empty', which is empty: write the value into it",
    ],
    [
      { PGPASSWORD_FILE: 'a', PGPASSWORD: 'b' },
      'environment PGPASSWORD_FILE: is set together with PGPASSWORD: use only one of the two',
    ],
    [
      { DATABASE_URL_FILE: 'a', DATABASE_URL: 'postgres://h' },
      'environment DATABASE_URL_FILE: is set together with DATABASE_URL: use only one of the two',
    ],
  ])('%o is refused', (env, expected) => {
    expect(problemsOfFiles({ ...table, empty: '\n' }, { env })).toEqual([expected]);
  });

  test('is not looked at when it is not needed', () => {
    const env = { DATABASE_URL: 'postgres://u:p@h/db', PGPASSWORD_FILE: 'nope' };
    expect(() => loadFiles(table, { env })).not.toThrow();
    expect(() =>
      loadFiles(table, { env: { DATABASE_URL_FILE: 'nope' }, flags: { databaseUrl: 'postgres://h' } }),
    ).not.toThrow();
  });
});
