/** A short name for what a configuration asks for: in the ledger, and in a metric that shows replicas which differ. */
import { createHash } from 'node:crypto';
import type { Config } from './config.ts';
import { isKeys } from './keys.ts';
import { withLedgerTables } from './ledger-tables.ts';
import { describeConfig } from './print.ts';

/**
 * The first 12 hexadecimal digits of a SHA-256. Equal where the same is done at the same times: neither how a process
 * reaches the database, where it listens and how it logs, nor the order of keys or spelled out defaults make a difference.
 */
export function configHash(config: Config): string {
  const {
    database,
    http: _listens,
    triggers: _listensAsWell,
    log: _logs,
    ...policy
  } = describeConfig(withLedgerTables(config));
  const { url: _address, directUrl: _direct, ...limits } = database;
  const text = JSON.stringify(inOrder({ ...policy, database: limits }));
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** Lists here are sets of words, so their order says nothing either. */
const inOrder = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(String).sort();
  if (!isKeys(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, inOrder(value[key])]),
  );
};
