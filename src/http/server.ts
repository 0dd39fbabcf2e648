/** Metrics, probes and the status page over HTTP: reads only, answers from memory, and holds nothing for clients that dawdle. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { printable } from '../report/figures.ts';
import { redact } from '../report/redact.ts';
import type { StatusDocument } from '../status/document.ts';
import { type HttpServer, openServer } from './listening.ts';
import { ASSET_NAMES, type AssetName, acceptsHtml, assetAnswer, documentAnswer, pageAnswer } from './pages.ts';

/** The label under which a request is counted; `other` is every unknown path. */
export const HANDLERS = ['metrics', 'livez', 'readyz', 'index', 'status', 'assets', 'other'] as const;
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
  /** What the page shows, from memory. */
  readonly status: () => StatusDocument;
  /** Called after each response. */
  readonly onRequest: (request: { readonly handler: Handler; readonly code: number }) => void;
}

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
  '/api/status': 'status',
  ...Object.fromEntries(ASSET_NAMES.map(name => [`/assets/${name}`, 'assets' as const])),
};

/** @throws MaintenanceError CONFIG_INVALID when the address is not to be had */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const answers = answerWith(options);
  const listener: RequestListener = (request, response) => {
    const handler = handlerOf(request);
    response.once('finish', () => options.onRequest({ handler, code: response.statusCode }));
    void answerOf(request, handler, answers).then(answer => send(request, response, answer));
  };

  return openServer(listener, options, 'http.listen');
}

type Answers = { readonly [K in Handler]: (request: IncomingMessage) => Answer | Promise<Answer> };

const answerWith = ({ metrics, readiness, liveness, status }: HttpOptions): Answers => ({
  metrics: async () => ({ code: 200, text: await metrics.render(), contentType: metrics.contentType }),
  livez() {
    const { alive, reasons } = liveness();
    return verdict(alive, alive ? 'alive' : 'not alive', reasons);
  },
  readyz() {
    const { ready, reasons } = readiness();
    return verdict(ready, ready ? 'ready' : 'not ready', reasons);
  },
  index: ({ headers }) => (acceptsHtml(headers.accept) ? pageAnswer(status()) : INDEX),
  status: () => documentAnswer(status()),
  assets: request => assetAnswer(assetOf(request)),
  other: () => ({ code: 404, text: lines('not found') }),
});

const lines = (...all: readonly string[]): string => all.map(line => `${line}\n`).join('');

const INDEX: Answer = {
  code: 200,
  text: lines(
    'partkeeper',
    '',
    '/            for people, in a browser',
    '/api/status  the same as JSON',
    '/metrics     for Prometheus',
    '/livez       is the process sound?',
    '/readyz      may it be given work?',
  ),
  headers: { vary: 'accept' },
};

const verdict = (isGood: boolean, word: string, reasons: readonly string[]): Answer => ({
  code: isGood ? 200 : 503,
  text: lines(word, ...reasons.map(reason => `- ${printable(redact(reason))}`)),
});

// The path alone, without decoding: nothing that we serve needs any.
const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? '';

const handlerOf = (request: IncomingMessage): Handler => {
  const path = pathOf(request);
  return (Object.hasOwn(PATHS, path) ? PATHS[path] : undefined) ?? 'other';
};

const assetOf = (request: IncomingMessage): AssetName =>
  ASSET_NAMES.find(name => pathOf(request) === `/assets/${name}`) ?? 'icon.svg';

async function answerOf(request: IncomingMessage, handler: Handler, answers: Answers): Promise<Answer> {
  if (handler !== 'other' && request.method !== 'GET' && request.method !== 'HEAD')
    return { code: 405, text: lines('only GET and HEAD'), headers: { allow: 'GET, HEAD' } };
  if (hasBody(request)) return { code: 413, text: lines('no request body is accepted') };
  try {
    return await answers[handler](request);
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
