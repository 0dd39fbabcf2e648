/** Metrics and probes over HTTP: reads only, answers from memory, and holds nothing for clients that dawdle. */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import { MaintenanceError } from '../domain/errors.ts';
import { printable } from '../report/figures.ts';
import { redact } from '../report/redact.ts';

// An import would ask for everything that node:http exports, its clients among them: 12 MiB, and a tenth of a second.
const { createServer } = process.getBuiltinModule('node:http');

/** The label under which a request is counted; `other` is every unknown path. */
export const HANDLERS = ['metrics', 'livez', 'readyz', 'index', 'other'] as const;
export type Handler = (typeof HANDLERS)[number];

export interface HttpOptions {
  /** An address or a name of this machine; `0.0.0.0` and `::` for all. */
  readonly host: string;
  /** 0 takes any free one; the address tells which. */
  readonly port: number;
  readonly metrics: { readonly contentType: string; readonly render: () => Promise<string> };
  /** May work be given to this process? */
  readonly readiness: () => { readonly ready: boolean; readonly reasons: readonly string[] };
  /** Is the process itself sound? If not, it wants to be restarted. */
  readonly liveness: () => { readonly alive: boolean; readonly reasons: readonly string[] };
  /** Called after each response. */
  readonly onRequest: (request: { readonly handler: Handler; readonly code: number }) => void;
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

interface Answer {
  readonly code: number;
  readonly text: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const PATHS: { readonly [path: string]: Exclude<Handler, 'other'> } = {
  '/metrics': 'metrics',
  '/livez': 'livez',
  '/readyz': 'readyz',
  '/': 'index',
};

/** @throws MaintenanceError CONFIG_INVALID when the address is not to be had */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const answers = answerWith(options);
  const listener: RequestListener = (request, response) => {
    const handler = handlerOf(request);
    response.once('finish', () => options.onRequest({ handler, code: response.statusCode }));
    void answerOf(request, handler, answers).then(answer => send(request, response, answer));
  };

  const server = createServer(LIMITS, listener);
  // Otherwise Node asks a client that waits for `100 Continue` for the body that we are going to refuse.
  server.on('checkContinue', listener);
  server.setTimeout(IDLE_SOCKET_MS);
  server.maxConnections = MAX_CONNECTIONS;

  await listen(server, options);
  // An accept that fails for want of file descriptors is the client's loss, not the end of the daemon.
  server.on('error', () => {});
  const port = portOf(server);
  let closing: Promise<void> | undefined;
  return {
    address: `http://${isIPv6(options.host) ? `[${options.host}]` : options.host}:${port}`,
    port,
    close: () => (closing ??= close(server)),
  };
}

type Answers = { readonly [K in Handler]: () => Answer | Promise<Answer> };

const answerWith = ({ metrics, readiness, liveness }: HttpOptions): Answers => ({
  metrics: async () => ({ code: 200, text: await metrics.render(), contentType: metrics.contentType }),
  livez() {
    const { alive, reasons } = liveness();
    return verdict(alive, alive ? 'alive' : 'not alive', reasons);
  },
  readyz() {
    const { ready, reasons } = readiness();
    return verdict(ready, ready ? 'ready' : 'not ready', reasons);
  },
  index: () => ({
    code: 200,
    text: lines(
      'partkeeper',
      '',
      '/metrics  for Prometheus',
      '/livez    is the process sound?',
      '/readyz   may it be given work?',
    ),
  }),
  other: () => ({ code: 404, text: lines('not found') }),
});

const lines = (...all: readonly string[]): string => all.map(line => `${line}\n`).join('');

const verdict = (isGood: boolean, word: string, reasons: readonly string[]): Answer => ({
  code: isGood ? 200 : 503,
  text: lines(word, ...reasons.map(reason => `- ${printable(redact(reason))}`)),
});

// The path alone, without decoding: nothing that we serve needs any.
const handlerOf = ({ url = '' }: IncomingMessage): Handler => {
  const path = url.split('?', 1)[0] ?? '';
  return (Object.hasOwn(PATHS, path) ? PATHS[path] : undefined) ?? 'other';
};

async function answerOf(request: IncomingMessage, handler: Handler, answers: Answers): Promise<Answer> {
  if (handler !== 'other' && request.method !== 'GET' && request.method !== 'HEAD')
    return { code: 405, text: lines('only GET and HEAD'), headers: { allow: 'GET, HEAD' } };
  if (hasBody(request)) return { code: 413, text: lines('no request body is accepted') };
  try {
    return await answers[handler]();
  } catch {
    // The cause is not for whoever can reach the port; Prometheus sees a failed scrape.
    return { code: 500, text: lines('internal error') };
  }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const body = Buffer.from(answer.text);
  response.writeHead(answer.code, {
    'content-type': answer.contentType ?? 'text/plain; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What is left of an unread body would be taken for the next request.
    ...(hasBody(request) ? { connection: 'close' } : {}),
    ...answer.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function listen(server: Server, { host, port }: HttpOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw cannotListen(cause, `${isIPv6(host) ? `[${host}]` : host}:${port}`);
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

function cannotListen(cause: unknown, where: string): MaintenanceError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why = OBSTACLES[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new MaintenanceError('CONFIG_INVALID', `cannot listen on ${where}: ${why}`, {
    cause,
    hint: 'set http.listen to an address and a free port of this machine',
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
