/** The pool of sessions, and how a failed connection is told to a person. */
import { Client, type ClientBase, type ClientConfig, Pool, type PoolClient } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import type { ConnectFailure, DatabaseOptions } from '../domain/database.ts';
import { MaintenanceError } from '../domain/errors.ts';
import type { StatementBudget } from '../domain/policy.ts';
import { connectFailureOf } from './connect-failure.ts';
import { isBehindPooler, refuseTransactionPooler } from './pooler.ts';
import { pinSettings, type Session, sessionOver, typeParsers } from './session.ts';
import { classify } from './sqlstate.ts';
import { rereadingTlsFiles } from './tls-files.ts';
import { atMost, orDestroyed, unlessAborted } from './waiting.ts';

export interface Database {
  /** Lends a session for the time of `work`; when `signal` aborts, what it runs is cancelled on the server. */
  use<T>(work: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** The same for reads that take no time to speak of: a server that hangs is noticed by them. */
  read<T>(work: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** The same for work that leaves the session in a state of its own: the connection is closed afterwards. */
  useOnce<T>(work: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Waits for what is lent out, then closes every connection. May be called again. */
  close(): Promise<void>;
  /** `postgres://user@host:port/name`, without secrets: for messages. */
  readonly address: string;
}

const KEEPALIVE_DELAY_MS = 10_000;
const MAX_LIFETIME_SECONDS = 3_600;
/** A read may take as long as so many attempts to connect. */
const READ_PATIENCE = 3;
/** A server that hangs does not let an attempt to connect end before its time is over. */
const CLOSE_MS = 2_000;

/** What the driver is given. It would let the address win over single fields, so the address is taken apart here. */
export const clientConfig = (options: DatabaseOptions): ClientConfig => ({
  ...(options.connectionString !== undefined && {
    ...parseIntoClientConfig(options.connectionString),
    ssl: rereadingTlsFiles(options.connectionString),
  }),
  ...(options.host !== undefined && { host: options.host }),
  ...(options.port !== undefined && { port: options.port }),
  ...(options.user !== undefined && { user: options.user }),
  ...(options.database !== undefined && { database: options.database }),
  ...(options.password !== undefined && { password: options.password }),
  ...(options.sslMode !== undefined && { ssl: sslOf(options.sslMode) }),
  application_name: 'partkeeper',
  connectionTimeoutMillis: options.connectTimeoutMs,
  keepAlive: true,
  keepAliveInitialDelayMillis: KEEPALIVE_DELAY_MS,
  types: typeParsers,
});

const sslOf = (mode: string): boolean | { rejectUnauthorized: boolean } =>
  mode === 'disable' || mode === 'allow' || mode === 'prefer' ? false : { rejectUnauthorized: mode !== 'no-verify' };

export type OnConnectFailed = (reason: ConnectFailure) => void;

export function openDatabase(
  options: DatabaseOptions,
  budget: StatementBudget,
  onConnectFailed: OnConnectFailed = () => {},
): Database {
  const config = clientConfig(options);
  const address = addressOf(config);
  // A lifetime bounds how long a changed address or a promoted standby goes unnoticed.
  const pool = new Pool({ ...config, Client: TidyClient, max: options.pool, maxLifetimeSeconds: MAX_LIFETIME_SECONDS });
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => {});
  pool.on('connect', client => client.on('error', () => {}));
  let closing: Promise<void> | undefined;
  // Asked of the first connection, and before anything is set that could leak to somebody else.
  let direct: Promise<void> | undefined;
  const pids = new WeakMap<PoolClient, number | undefined>();

  const stoppedBy = (signal: AbortSignal | undefined): MaintenanceError =>
    new MaintenanceError('CANCELLED', `stopped before it could connect to ${address}: ${String(signal?.reason)}`);
  const acquire = async (signal: AbortSignal | undefined): Promise<PoolClient> => {
    if (signal?.aborted) throw stoppedBy(signal);
    const connecting = pool.connect();
    const client = await unlessAborted(connecting, signal).catch(error => {
      if (signal?.aborted) {
        // Should it come after all, nobody wants it any more.
        connecting.then(
          late => late.release(),
          () => {},
        );
        throw stoppedBy(signal);
      }
      onConnectFailed(connectFailureOf(error));
      const failure = classify(error, `connect to ${address}`);
      // Whatever stands in the way of a connection, the answer is the same: try again later, or check the address.
      throw failure.code === 'CONNECTION_FAILED'
        ? failure
        : new MaintenanceError('CONNECTION_FAILED', failure.message, {
            cause: error,
            hint: failure.hint,
            sqlstate: failure.sqlstate,
          });
    });
    return client;
  };

  const lend = async <T>(
    work: (session: Session) => Promise<T>,
    signal: AbortSignal | undefined,
    { answerWithinMs, isLast = false }: { readonly answerWithinMs?: number; readonly isLast?: boolean } = {},
  ): Promise<T> => {
    const client = await acquire(signal);
    let broken = false;
    const onError = () => {
      broken = true;
    };
    client.on('error', onError);
    const destroy = () => {
      broken = true;
      streamOf(client)?.destroy();
    };
    try {
      if (!pids.has(client)) {
        const patience = { ms: options.connectTimeoutMs, signal, destroy };
        direct ??= orDestroyed(askForPooler(client), patience).then(found =>
          found ? refuseTransactionPooler(config, address) : undefined,
        );
        await direct.catch(error => {
          direct = undefined;
          // Its end is our own doing, and no fault of the server's.
          throw signal?.aborted ? stoppedBy(signal) : classify(error, `look for a pooler at ${address}`);
        });
        const pid = await orDestroyed(pinSettings(client, budget), patience).catch(error => {
          throw signal?.aborted ? stoppedBy(signal) : classify(error, `prepare the session on ${address}`);
        });
        pids.set(client, pid);
      }
      const cancel = () => cancelBackend(config, client, pids.get(client));
      const pid = pids.get(client);
      return await work(sessionOver({ client, pid, budget, answerWithinMs, signal, cancel, destroy }));
    } catch (error) {
      // A statement that was cancelled or a socket that broke leaves a client whose state nobody knows.
      if (error instanceof MaintenanceError && (error.code === 'CANCELLED' || error.code === 'CONNECTION_LOST'))
        broken = true;
      throw error;
    } finally {
      client.off('error', onError);
      // Cancelling may still be on its way when what it was meant for has ended: it must not meet anybody else's statement.
      client.release(broken || isLast || signal?.aborted === true);
    }
  };

  return {
    address,
    use: (work, signal) => lend(work, signal),
    read: (work, signal) => lend(work, signal, { answerWithinMs: READ_PATIENCE * options.connectTimeoutMs }),
    useOnce: (work, signal) => lend(work, signal, { isLast: true }),
    close: () => (closing ??= atMost(CLOSE_MS, pool.end())),
  };
}

async function askForPooler(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid');
  return rows[0] !== undefined && isBehindPooler(client, rows[0].pid);
}

/**
 * The driver leaves the socket open when it is itself that gives up, for want of a password for example. The server waits
 * a minute for such a client, and DROP DATABASE for the server.
 */
class TidyClient extends Client {
  constructor(config?: ClientConfig) {
    super(config);
    this.connection.on('error', () => this.connection.stream.destroy());
  }
}

/** The driver has no way to abort: ask the server over another connection, and give up on the socket if that fails too. */
export async function cancelBackend(
  config: ClientConfig,
  client: ClientBase,
  pid: unknown = Reflect.get(client, 'processID'),
): Promise<void> {
  const helper = new Client({
    ...config,
    application_name: 'partkeeper cancel',
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  helper.on('error', () => {});
  try {
    await helper.connect();
    await helper.query('select pg_catalog.pg_cancel_backend($1)', [pid]);
  } catch {
    streamOf(client)?.destroy();
  } finally {
    await helper.end().catch(() => {});
  }
}

/** The socket below the driver, which has no way of its own to give a connection up. */
export const streamOf = (client: ClientBase): { destroy(): void } | undefined => {
  const connection: unknown = Reflect.get(client, 'connection');
  const stream: unknown =
    typeof connection === 'object' && connection !== null ? Reflect.get(connection, 'stream') : undefined;
  return typeof stream === 'object' && stream !== null && 'destroy' in stream
    ? (stream as { destroy(): void })
    : undefined;
};

function addressOf(config: ClientConfig): string {
  const { user, host, port, database } = new Client(config);
  const who = user ? `${encodeURIComponent(user)}@` : '';
  return `postgres://${who}${host}:${port}/${encodeURIComponent(database ?? '')}`;
}
