/** `partkeeper healthcheck`, against the server that the service has and against others. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type HttpOptions, startHttp } from '../../src/http/server.ts';
import { call } from '../support/call.ts';
import { aStatus } from '../support/status.ts';

async function serve(over: Partial<HttpOptions> = {}): Promise<number> {
  const server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    metrics: { contentType: 'text/plain', render: async () => '' },
    readiness: () => ({ ready: true, reasons: [] }),
    liveness: () => ({ alive: true, reasons: [] }),
    status: aStatus,
    onRequest: () => {},
    ...over,
  });
  onTestFinished(() => server.close());
  return server.port;
}

const ask = (listen: string, ...args: readonly string[]) =>
  call(['healthcheck', ...args], { cwd: tmpdir(), env: { PARTKEEPER_LISTEN: listen, DATABASE_URL_FILE: '/gone' } });

describe('partkeeper healthcheck', () => {
  test('exits with 0 when the service is alive, whatever the database does', async () => {
    const port = await serve({ readiness: () => ({ ready: false, reasons: ['the database is away'] }) });
    expect(await ask(`127.0.0.1:${port}`)).toMatchObject({ code: 0, stdout: 'alive\n', stderr: '' });
  });

  test.for([
    ['0.0.0.0', '127.0.0.1'],
    ['localhost', '127.0.0.1'],
  ])('asks the loopback address of a service that listens on %s', async ([host = '', served = '']) => {
    const port = await serve({ host: served });
    expect(await ask(`${host}:${port}`)).toMatchObject({ code: 0 });
  });

  test('--ready asks whether it may be given work, and passes on why not', async () => {
    const port = await serve({ readiness: () => ({ ready: false, reasons: ['the database is away'] }) });
    expect(await ask(`127.0.0.1:${port}`, '--ready')).toMatchObject({
      code: 1,
      stdout: `http://127.0.0.1:${port}/readyz: not ready\n- the database is away\n`,
    });
  });

  test('exits with 1 when it is stuck', async () => {
    const port = await serve({ liveness: () => ({ alive: false, reasons: ['no sign of life'] }) });
    const { code, stdout } = await ask(`127.0.0.1:${port}`, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      healthy: false,
      address: `http://127.0.0.1:${port}/livez`,
      said: 'not alive\n- no sign of life',
    });
  });

  test('exits with 1 when nobody listens', async () => {
    expect(await ask('127.0.0.1:1')).toMatchObject({
      code: 1,
      stdout: 'http://127.0.0.1:1/livez: nobody listens there\n',
    });
  });

  test('exits with 1 when it accepts and never answers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { code, stdout } = await ask(`127.0.0.1:${port}`, '--timeout', '1');
    expect({ code, stdout }).toEqual({ code: 1, stdout: `http://127.0.0.1:${port}/livez: no answer within 1 s\n` });
  });

  test.for([
    ['off', 'http is off'],
    ['127.0.0.1:0', 'only the service knows it'],
    ['nonsense', 'is not an address and a port'],
  ])('exits with 4 when it cannot know where to ask: %s', async ([listen = '', why = '']) => {
    const { code, stderr } = await ask(listen);
    expect(code).toBe(4);
    expect(stderr).toContain(why);
  });
});
