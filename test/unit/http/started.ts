/** The server of the service, on a port of its own for the rest of the test. */
import { onTestFinished } from 'vitest';
import type { HttpServer } from '../../../src/http/listening.ts';
import { type HttpOptions, startHttp } from '../../../src/http/server.ts';
import { aStatus } from '../../support/status.ts';

export interface Started extends HttpServer {
  /** `metrics 200`, one per response. */
  readonly counted: readonly string[];
}

export async function start(over: Partial<HttpOptions> = {}): Promise<Started> {
  const counted: string[] = [];
  const server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', render: async () => 'up 1\n' },
    readiness: () => ({ ready: true, reasons: [] }),
    liveness: () => ({ alive: true, reasons: [] }),
    status: aStatus,
    onRequest: ({ handler, code }) => counted.push(`${handler} ${code}`),
    ...over,
  });
  onTestFinished(() => server.close());
  return { ...server, counted };
}
