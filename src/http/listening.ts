/** A server that holds nothing for clients that dawdle, and ends when told to. */
import type { RequestListener, Server } from 'node:http';
import { isIPv6 } from 'node:net';
import { MaintenanceError } from '../domain/errors.ts';

// An import would ask for everything that node:http exports, its clients among them: 12 MiB, and a tenth of a second.
const { createServer } = process.getBuiltinModule('node:http');

export interface Address {
  /** An address or a name of this machine; `0.0.0.0` and `::` for all. */
  readonly host: string;
  /** 0 takes any free one; the address tells which. */
  readonly port: number;
}

export interface HttpServer {
  /** Such as `http://127.0.0.1:9187`. */
  readonly address: string;
  readonly port: number;
  /** Stops listening, ends idle connections at once and the others after {@link CLOSE_GRACE_MS} at the latest. */
  readonly close: () => Promise<void>;
}

const LIMITS = {
  maxHeaderSize: 8_192,
  // How long a client may take for its headers, for the whole request, and between two requests. Milliseconds.
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 5_000,
  // Node looks for overdue clients every 30 s unless told.
  connectionsCheckingInterval: 1_000,
} as const;
/** A client that reads its response this slowly is let go. */
const IDLE_SOCKET_MS = 10_000;
const MAX_CONNECTIONS = 100;
export const CLOSE_GRACE_MS = 1_000;

/**
 * `setting` is the key that says where it listens.
 *
 * @throws MaintenanceError CONFIG_INVALID when the address is not to be had
 */
export async function openServer(listener: RequestListener, where: Address, setting: string): Promise<HttpServer> {
  const server = createServer(LIMITS, listener);
  // Otherwise Node asks a client that waits for `100 Continue` for a body that we may be going to refuse.
  server.on('checkContinue', listener);
  server.setTimeout(IDLE_SOCKET_MS);
  server.maxConnections = MAX_CONNECTIONS;

  await listen(server, where, setting);
  // An accept that fails for want of file descriptors is the client's loss, not the end of the daemon.
  server.on('error', () => {});
  const port = portOf(server);
  let closing: Promise<void> | undefined;
  return {
    address: `http://${isIPv6(where.host) ? `[${where.host}]` : where.host}:${port}`,
    port,
    close: () => (closing ??= close(server)),
  };
}

async function listen(server: Server, { host, port }: Address, setting: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw cannotListen(cause, `${isIPv6(host) ? `[${host}]` : host}:${port}`, setting);
  } finally {
    server.off('error', reject);
  }
}

const OBSTACLES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'the account may not use that port',
  ENOTFOUND: 'that name has no address',
};

function cannotListen(cause: unknown, where: string, setting: string): MaintenanceError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why = OBSTACLES[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new MaintenanceError('CONFIG_INVALID', `cannot listen on ${where}: ${why}`, {
    cause,
    hint: `set ${setting} to an address and a free port of this machine`,
  });
}

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const grace = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await promise;
  clearTimeout(grace);
}
