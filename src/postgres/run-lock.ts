/** A lock that lives as long as a connection of its own: whoever dies gives it up, however he dies. */
import { Client } from 'pg';
import type { DatabaseOptions } from '../domain/database.ts';
import { connectFailureOf } from './connect-failure.ts';
import { clientConfig, type OnConnectFailed, streamOf } from './database.ts';
import { NOTICE_WHEN_GONE } from './session.ts';
import { classify } from './sqlstate.ts';
import { atMost } from './waiting.ts';

export interface HeldLock {
  /** Aborted when the connection broke: from then on somebody else may have it. */
  readonly lost: AbortSignal;
  readonly release: () => Promise<void>;
}

/** @returns undefined when somebody else has the lock of this name */
export type TakeLock = (name: string) => Promise<HeldLock | undefined>;

const WATCHED = Object.entries(NOTICE_WHEN_GONE)
  .map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', false)`)
  .join(', ');
/** A server that hangs does not answer our farewell. */
const FAREWELL_MS = 2_000;

export const lockOver =
  (options: DatabaseOptions, onConnectFailed: OnConnectFailed = () => {}): TakeLock =>
  async name => {
    const client = new Client({
      ...clientConfig(options),
      application_name: 'partkeeper run',
      query_timeout: options.connectTimeoutMs,
    });
    const lost = new AbortController();
    const onEnd = () => lost.abort(`the connection that held the lock ${name} broke`);
    client.on('error', onEnd);
    client.on('end', onEnd);
    const release = async (): Promise<void> => {
      client.off('end', onEnd);
      await atMost(
        FAREWELL_MS,
        client.end().catch(() => {}),
      );
      streamOf(client)?.destroy();
    };
    try {
      await client.connect().catch(error => {
        onConnectFailed(connectFailureOf(error));
        throw error;
      });
      const { rows } = await client.query<{ taken: boolean }>(
        `select ${WATCHED}, pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0)) as taken`,
        [name],
      );
      if (rows[0]?.taken) return { lost: lost.signal, release };
      await release();
      return undefined;
    } catch (error) {
      await release();
      throw classify(error, `take the lock of ${name}`);
    }
  };
