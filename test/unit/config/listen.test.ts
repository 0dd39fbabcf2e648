import { describe, expect, test } from 'vitest';
import { readListen } from '../../../src/config/listen.ts';
import { formatProblem } from '../../../src/config/problems.ts';
import { type Around, errorOf, type Files, loadFiles, readerOf } from './loading.ts';

const listenOf = (files: Files, { flags = {}, env = {} }: Around = {}) =>
  readListen({ flags, env, cwd: '/work-dir', readFile: readerOf(files) });

const FILE = (http: string): Files => ({ 'partkeeper.yaml': `tables: { a.b: { interval: month } }\n${http}` });

describe('where the service listens is read as the service reads it', () => {
  test.for<[string, Files, Around]>([
    ['without a file', {}, {}],
    ['by default', FILE(''), {}],
    ['from the file', FILE('http: { listen: "[::1]:80" }'), {}],
    ['from a variable that the file names', FILE('http: { listen: "${WHERE}:81" }'), { env: { WHERE: 'here' } }],
    ['from the environment before the file', FILE('http: { listen: "a:1" }'), { env: { PARTKEEPER_LISTEN: 'b:2' } }],
    ['from the flag before the environment', {}, { flags: { listen: 'c:3' }, env: { PARTKEEPER_LISTEN: 'b:2' } }],
    ['where the file turns it off', FILE('http: off'), {}],
    ['where the environment turns it on again', FILE('http: off'), { env: { PARTKEEPER_LISTEN: 'b:2' } }],
    ['where the flag turns it off', FILE('http: { listen: "a:1" }'), { flags: { listen: 'off' } }],
    [
      'from a file of another name',
      { 'x.yaml': 'tables: { a.b: { interval: month } }\nhttp: { listen: "a:1" }' },
      {
        env: { PARTKEEPER_CONFIG: 'x.yaml' },
      },
    ],
  ])('%s', ([, files, around]) => {
    expect(listenOf(files, around)).toEqual(loadFiles(files, around).http);
  });
});

describe('what does not matter', () => {
  test.for<[string, Files, Around]>([
    ['a mistake elsewhere', FILE('veiws: {}\nhttp: { listen: "a:1", color: red }'), {}],
    ['a variable that is not set', FILE('database: { url: "${NOT_SET}" }\nhttp: { listen: "a:1" }'), {}],
    ['a secret that is away', FILE('http: { listen: "a:1" }'), { env: { DATABASE_URL_FILE: '/gone' } }],
    [
      'a file that is away, where the environment says it',
      {},
      {
        env: { PARTKEEPER_CONFIG: 'gone.yaml', PARTKEEPER_LISTEN: 'a:1' },
      },
    ],
  ])('%s', ([, files, around]) => {
    expect(listenOf(files, around)).toEqual({ host: 'a', port: 1 });
  });
});

describe('what is refused, with its place', () => {
  test.for<[string, Files, Around, string]>([
    [
      'a value that is none',
      FILE('http: { listen: 9465 }'),
      {},
      "partkeeper.yaml:2:17: http.listen: '9465' is not an address and a port: write host:port, such as '127.0.0.1:9465', or off",
    ],
    [
      'a variable that is none',
      {},
      { env: { PARTKEEPER_LISTEN: 'x' } },
      "environment PARTKEEPER_LISTEN: http.listen: 'x' is not an address and a port: write host:port, such as '127.0.0.1:9465', or off",
    ],
    [
      'a file that is away',
      {},
      { env: { PARTKEEPER_CONFIG: 'x.yaml' } },
      "environment PARTKEEPER_CONFIG: names 'x.yaml', which does not exist",
    ],
    ['a file that is no YAML', { 'partkeeper.yaml': 'http: { listen' }, {}, 'partkeeper.yaml:1:'],
  ])('%s', ([, files, around, problem]) => {
    const problems = errorOf(() => listenOf(files, around)).problems.map(formatProblem);
    expect(problems[0]).toContain(problem);
  });
});
