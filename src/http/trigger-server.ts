/** `POST /trigger`: who may ask, how often and in what form. What can be asked for is decided behind `ask`. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { ErrorCode } from '../domain/errors.ts';
import { redactDeep } from '../report/redact.ts';
import { type AcceptedToken, tokenIn } from './bearer.ts';
import { type Address, type HttpServer, openServer } from './listening.ts';
import { type Rate, rateLimit } from './rate-limit.ts';

/** Who asks: the other end of the connection, and the name of the token, if it has one. */
export interface Asker {
  readonly address: string;
  readonly token: string | undefined;
}

export interface Reply {
  readonly code: 202 | 400 | 500 | 503;
  /** Goes out as JSON. */
  readonly body: object;
}

export interface TriggerServerOptions extends Address {
  /** Those that are accepted now. Throws when they cannot be read. */
  readonly tokens: () => readonly AcceptedToken[];
  /** `body` is JSON from somebody with a token, and untrusted all the same. Never rejects. */
  readonly ask: (body: unknown, asker: Asker) => Promise<Reply>;
  readonly onRequest: (request: { readonly handler: 'trigger' | 'other'; readonly code: number }) => void;
  /** Called for each request that came to nothing before anybody was asked. */
  readonly onRefused: (refusal: { readonly code: number; readonly address: string; readonly because: string }) => void;
  readonly monotonicMs: () => number;
  readonly limits?: Partial<TriggerLimits> | undefined;
}

export interface TriggerLimits {
  /** Of all requests together. */
  readonly requests: Rate;
  /** Of requests without an accepted token, for each address; then nothing of that address is looked at for a while. */
  readonly failures: Rate;
}

const LIMITS: TriggerLimits = { requests: { atOnce: 30, perMinute: 60 }, failures: { atOnce: 5, perMinute: 5 } };
/** What can be asked for takes a third of this. */
export const MAX_BODY_BYTES = 16_384;
const RETRY_SECONDS = 5;

interface Answer {
  readonly code: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws MaintenanceError CONFIG_INVALID when the address is not to be had */
export async function startTriggerServer(options: TriggerServerOptions): Promise<HttpServer> {
  const answerTo = answerWith(options);
  const listener: RequestListener = (request, response) => {
    const handler = pathOf(request) === '/trigger' ? 'trigger' : 'other';
    response.once('finish', () => options.onRequest({ handler, code: response.statusCode }));
    void answerTo(request, response).then(answer => send(request, response, answer));
  };
  return openServer(listener, options, 'triggers.listen');
}

function answerWith({ tokens, ask, onRefused, monotonicMs, limits }: TriggerServerOptions) {
  const { requests, failures } = { ...LIMITS, ...limits };
  const ofAll = rateLimit(requests, monotonicMs);
  const ofFailures = rateLimit(failures, monotonicMs);

  return async (request: IncomingMessage, response: ServerResponse): Promise<Answer> => {
    const address = addressOf(request);
    const refuse = (code: number, because: string, headers: Answer['headers'] = {}): Answer => {
      onRefused({ code, address, because });
      return { code, body: errorOf(code === 500 || code === 503 ? 'UNEXPECTED' : 'USAGE', because), headers };
    };
    const tooMany = (seconds: number, what: string): Answer =>
      refuse(429, `too many ${what}`, { 'retry-after': String(seconds) });

    if (pathOf(request) !== '/trigger') return refuse(404, 'nothing but POST /trigger is served here');
    if (request.method !== 'POST') return refuse(405, 'only POST', { allow: 'POST' });
    const blockedSeconds = ofFailures.look(address);
    if (blockedSeconds > 0) return tooMany(blockedSeconds, 'requests without an accepted token');
    const busySeconds = ofAll.take();
    if (busySeconds > 0) return tooMany(busySeconds, 'requests');

    let accepted: readonly AcceptedToken[];
    try {
      accepted = tokens();
    } catch (error) {
      // Why is for the log: it names files.
      onRefused({ code: 503, address, because: error instanceof Error ? error.message : String(error) });
      return {
        code: 503,
        body: errorOf('CONFIG_INVALID', 'the tokens cannot be read; the log says why'),
        headers: LATER,
      };
    }
    const token = tokenIn(request.headers.authorization, accepted);
    if (!token) {
      ofFailures.take(address);
      const how = request.headers.authorization === undefined ? 'no token was sent' : 'the token is not accepted';
      return refuse(401, how, { 'www-authenticate': 'Bearer realm="partkeeper"' });
    }

    if (!isJson(request)) return refuse(415, 'the body has to be application/json');
    const text = await readBody(request, response);
    if (text === 'too large') return refuse(413, `the body has to be ${MAX_BODY_BYTES} bytes at most`);
    if (text === 'broken off') return refuse(400, 'the body broke off');
    const body = parseJson(text.content);
    if (!body) return refuse(400, 'the body is not JSON');
    const reply = await ask(body.value, { address, token: token.name });
    return { ...reply, headers: reply.code === 503 ? LATER : {} };
  };
}

const LATER = { 'retry-after': String(RETRY_SECONDS) };

const errorOf = (code: ErrorCode, message: string) => ({ error: { code, message } });

// An IPv4 address is one also where the listener takes both.
const addressOf = ({ socket }: IncomingMessage): string => (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/i, '');

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? '';

const isJson = ({ headers }: IncomingMessage): boolean =>
  /^application\/json *(;.*)?$/i.test(headers['content-type']?.trim() ?? '') &&
  (headers['content-encoding'] ?? 'identity') === 'identity';

type Body = { readonly content: Buffer } | 'too large' | 'broken off';

async function readBody(request: IncomingMessage, response: ServerResponse): Promise<Body> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return 'too large';
  if (request.headers.expect !== undefined) response.writeContinue();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) return 'too large';
      chunks.push(chunk);
    }
    return { content: Buffer.concat(chunks) };
  } catch {
    return 'broken off';
  }
}

function parseJson(content: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content)) };
  } catch {
    return undefined;
  }
}

function send(request: IncomingMessage, response: ServerResponse, { code, body, headers }: Answer): void {
  const text = Buffer.from(`${JSON.stringify(redactDeep(body))}\n`);
  response.writeHead(code, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': text.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What is left of an unread body would be taken for the next request.
    ...(request.complete ? {} : { connection: 'close' }),
    ...headers,
  });
  response.end(text);
}
