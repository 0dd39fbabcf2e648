import { describe, expect, test } from 'vitest';
import {
  asMaintenanceError,
  ERROR_CODES,
  type ErrorCode,
  exitCodeOf,
  MaintenanceError,
  RETRY,
  retryOf,
} from '../../../src/domain/errors.ts';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

describe('an error', () => {
  test('of ours stays what it is', () => {
    const error = new MaintenanceError('STALE_PLAN', 'the plan is stale', { hint: 'plan again', sqlstate: '42P01' });
    expect(asMaintenanceError(error)).toBe(error);
    expect(error).toMatchObject({
      name: 'MaintenanceError',
      code: 'STALE_PLAN',
      hint: 'plan again',
      sqlstate: '42P01',
    });
  });

  test.each([
    [new TypeError('oops'), 'oops'],
    ['oops', 'oops'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('of another kind becomes one of ours and keeps its cause: %s', (thrown, message) => {
    const error = asMaintenanceError(thrown);
    expect(error).toBeInstanceOf(MaintenanceError);
    expect([error.code, error.message]).toEqual(['UNEXPECTED', message]);
    expect(error.cause).toBe(thrown);
  });

  test('without a cause has none', () => {
    expect(Object.hasOwn(new MaintenanceError('USAGE', 'no'), 'cause')).toBe(false);
  });
});

describe('what is done about a code', () => {
  test.each(CODES)('%s is retried as the one table says', code => {
    expect(retryOf(code)).toBe(Object.hasOwn(RETRY, code) ? RETRY[code as keyof typeof RETRY] : undefined);
  });

  test('codes that a person has to act upon are never retried', () => {
    expect(CODES.filter(code => retryOf(code) === undefined)).toEqual([
      'CONFIG_INVALID',
      'USAGE',
      'TRANSACTION_POOLER',
      'READ_ONLY',
      'NEWER_ROWS',
      'PERMISSION_DENIED',
      'STATEMENT_TIMEOUT',
      'DEFAULT_HAS_ROWS',
      'DRAIN_REFUSED',
      'STILL_REFERENCED',
      'VIEW_NOT_CONCURRENT',
      'SCHEMA_MISMATCH',
      'UNEXPECTED',
    ]);
  });

  test.each<[unknown, number]>([
    [new MaintenanceError('CONFIG_INVALID', ''), 4],
    [new MaintenanceError('USAGE', ''), 64],
    [new MaintenanceError('CONNECTION_FAILED', ''), 5],
    [new MaintenanceError('CONNECTION_LOST', ''), 5],
    [new MaintenanceError('DEADLOCK', ''), 1],
    [new Error('anything'), 1],
    ['anything', 1],
  ])('%o ends the process with %i', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});
