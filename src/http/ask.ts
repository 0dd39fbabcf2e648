/** Asks a service of ours on this machine, as a probe does. */
import { text } from 'node:stream/consumers';

// As in listening.ts: an import would load ten times as much.
const { get } = process.getBuiltinModule('node:http');

export interface Question {
  /** Where the service listens; where that is everywhere, the loopback address is asked. */
  readonly host: string;
  readonly port: number;
  readonly path: '/livez' | '/readyz';
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly code: number;
  readonly text: string;
}

/** More is not ours. */
const LONGEST_REPLY = 65_536;

const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Such as `http://127.0.0.1:9465/livez`. */
export const urlOf = ({ host, port, path }: Omit<Question, 'signal'>): string => {
  const address = LOOPBACK[host] ?? host;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}${path}`;
};

/** Rejects with node:http's error where nobody answers, or not before `signal` is aborted. */
export async function askProbe(question: Question): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const { signal } = question;
  // No agent: a connection that is kept would keep the process.
  const request = get(urlOf(question), { agent: false, signal, maxHeaderSize: 8_192 }, response => {
    const { statusCode: code = 0 } = response;
    text(response).then(body => resolve({ code, text: body.slice(0, LONGEST_REPLY) }), reject);
  });
  request.once('error', reject);
  return promise;
}
