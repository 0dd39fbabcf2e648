/** What the server and the network really say is tried in test/db/connecting.test.ts. */
import { expect, test } from 'vitest';
import { connectFailureOf } from '../../../src/postgres/connect-failure.ts';

const failure = (code: string | undefined, message = 'no') => Object.assign(new Error(message), { code });

test.each([
  ['ECONNREFUSED', 'refused'],
  ['ENOENT', 'refused'],
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['ETIMEDOUT', 'timeout'],
  ['28P01', 'auth'],
  ['28000', 'auth'],
  ['53300', 'too_many'],
  ['57P03', 'starting'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
  ['CERT_HAS_EXPIRED', 'tls'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
  ['3D000', 'other'],
  ['EHOSTUNREACH', 'other'],
] as const)('a failure with the code %s is counted as %s', (code, reason) => {
  expect(connectFailureOf(failure(code))).toBe(reason);
});

test.each([
  ['The server does not support SSL connections', 'tls'],
  ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', 'auth'],
  ['timeout exceeded when trying to connect', 'timeout'],
  ['Connection terminated due to connection timeout', 'timeout'],
  ['Connection terminated unexpectedly', 'other'],
] as const)('the driver’s “%s” is counted as %s', (message, reason) => {
  expect(connectFailureOf(failure(undefined, message))).toBe(reason);
});

test('of several addresses that all failed the first one counts, and what is no error is something else', () => {
  expect(connectFailureOf(new AggregateError([failure('ECONNREFUSED'), failure('ETIMEDOUT')]))).toBe('refused');
  expect(connectFailureOf('no')).toBe('other');
});
