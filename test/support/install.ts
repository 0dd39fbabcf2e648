/** Installs the queue as `migrate up` does. */
import type { DatabaseOptions } from '../../src/domain/database.ts';
import { installQueue } from '../../src/queue/install.ts';

export const addressOf = (url: string): DatabaseOptions => ({
  connectionString: url,
  host: undefined,
  port: undefined,
  user: undefined,
  database: undefined,
  password: undefined,
  sslMode: undefined,
  pool: 2,
  connectTimeoutMs: 5_000,
});

export const install = (
  { url }: { readonly url: string },
  schema = 'partkeeper_queue',
  runTimeoutMs = 600_000,
): Promise<void> =>
  installQueue({ database: addressOf(url), directDatabase: undefined, queue: { schema, runTimeoutMs } });
