import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { redact, redactDeep } from '../../../src/report/redact.ts';
import { NOW } from '../../support/facts.ts';

describe('a password goes', () => {
  test.each([
    ['out of an address', 'cannot reach postgres://app:hunter2@db:5432/app?sslmode=require'],
    ['with the long scheme, in capitals', 'PostgreSQL://app:hunter2@db/app'],
    ['without a user', 'postgres://:hunter2@db/app'],
    ['with an @ of its own', 'postgres://app:hunter2@hunter2@db/app'],
    ['with a slash, a colon and a quote of its own', `postgres://app:hunter2/:hunter2"'@db/app is no URL`],
    ['with a blank of its own', 'postgres://app:hunter2 hunter2@db/app'],
    ['of digits and a blank', 'postgres://app:5432 hunter2@db/app'],
    ['where the user has an @', 'postgres://app@server:hunter2@db/app'],
    ['twice in one text', 'postgres://a:hunter2@db/x or postgres://b:hunter2@db/y'],
    ['of another service', 'via http://proxy:hunter2@10.0.0.1:3128'],
    ['out of a connection string of words', 'host=db password=hunter2 user=app'],
    ['in quotes', `host=db password='hunter2 hunter2 \\' hunter2' user=app`],
    ['out of a query', 'postgres://db/app?user=app&password=hunter2'],
    ['out of the environment', 'PGPASSWORD=hunter2 psql'],
    ['out of JSON', '{"user":"app","password":"hunter2 \\" hunter2"}'],
    ['out of YAML', 'database:\n  password: hunter2\n'],
    ['of a request', 'Authorization: Bearer hunter2-hunter2.hunter2=='],
    ['out of SQL', "alter role app password 'hunter2''hunter2' valid until 'infinity'"],
  ])('%s', (_, text) => {
    expect(redact(text)).not.toContain('hunter2');
    expect(redact(text)).toContain('[redacted]');
  });
});

test('the rest of the text stays', () => {
  expect(redact('cannot reach postgres://app:hunter2@db:5432/app: timeout')).toBe(
    'cannot reach postgres://app:[redacted]@db:5432/app: timeout',
  );
});

test.each([
  'postgres://app@db:5432/app',
  'postgres://db:5432/app, ask dba@example.com',
  'password authentication failed for user "app"',
  'http://127.0.0.1:9187/metrics',
  'unified.event_metric_events: created at 10:00:00 by a@b',
])('%s has no secret and is left as it is', text => {
  expect(redact(text)).toBe(text);
});

test('masking twice changes nothing more', () => {
  const once = redact("postgres://a:b@c/d password='x' redis://u:p@h");
  expect(redact(once)).toBe(once);
});

test('a long text without an @ takes no time', () => {
  const started = performance.now();
  redact(`${'postgres://a:'.repeat(2_000)} ${'a.b-c+'.repeat(20_000)}`);
  expect(performance.now() - started).toBeLessThan(2_000);
});

describe('objects', () => {
  test('fields named like a secret are masked at any depth', () => {
    expect(
      redactDeep({ db: { password: 'x', passwordFile: '/run/x', user: 'app' }, apiToken: 1, secret: undefined }),
    ).toEqual({
      db: { password: '[redacted]', passwordFile: '[redacted]', user: 'app' },
      apiToken: '[redacted]',
      secret: undefined,
    });
  });

  test('errors keep code, hint and causes, without the passwords in them', () => {
    const driver = Object.assign(new Error('connect postgres://app:hunter2@db'), { code: 'ECONNREFUSED' });
    const error = new MaintenanceError('CONNECTION_FAILED', 'password=hunter2', { cause: driver, hint: 'look' });
    const copy = JSON.stringify(redactDeep({ error }));
    expect(copy).not.toContain('hunter2');
    expect(JSON.parse(copy)).toMatchObject({
      error: { type: 'MaintenanceError', code: 'CONNECTION_FAILED', hint: 'look', cause: { code: 'ECONNREFUSED' } },
    });
  });

  test('moments, sets and big integers become plain data', () => {
    expect(redactDeep({ now: NOW, names: new Set(['a']), size: 2n ** 60n })).toEqual({
      now: '2026-11-21T06:00:00Z',
      names: ['a'],
      size: '1152921504606846976',
    });
  });

  test('an object that contains itself ends', () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(JSON.stringify(redactDeep(loop))).toContain('[too deep]');
  });
});
