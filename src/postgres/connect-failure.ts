/** Why a connection could not be made, as one of a few words: for counting, where the message is for reading. */
import type { ConnectFailure } from '../domain/database.ts';
import { asDriverError } from './sqlstate.ts';

const BY_CODE: Readonly<Record<string, ConnectFailure>> = {
  ECONNREFUSED: 'refused',
  // There is no such socket in the file system.
  ENOENT: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ETIMEDOUT: 'timeout',
  '28000': 'auth',
  '28P01': 'auth',
  '53300': 'too_many',
  '57P03': 'starting',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
};

/** Node's codes of TLS have families; the driver's own objections have no code. */
const BY_WORDS: readonly (readonly [RegExp, ConnectFailure])[] = [
  [/^(ERR_SSL|ERR_TLS|CERT)_|\bSSL\b|certificate/, 'tls'],
  [/SASL|password/, 'auth'],
  [/timeout/, 'timeout'],
];

export function connectFailureOf(error: unknown): ConnectFailure {
  const { code = '', message } = asDriverError(error);
  return BY_CODE[code] ?? BY_WORDS.find(([words]) => words.test(code) || words.test(message))?.[1] ?? 'other';
}
