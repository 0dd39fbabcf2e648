import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CLOSE_GRACE_MS } from '../../../src/http/listening.ts';
import { acceptsHtml } from '../../../src/http/pages.ts';
import { aStatus } from '../../support/status.ts';
import { start } from './started.ts';

/** A connection of our own making; everything that comes back until the other side ends it. */
async function talk(port: number, ...words: readonly string[]): Promise<{ socket: Socket; received: Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  for (const word of words) socket.write(word);
  return { socket, received: text(socket).catch(() => '') };
}

const GET_LIVEZ = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';

describe('what is served', () => {
  test('metrics, in the type they say', async () => {
    const { address, counted } = await start();
    const response = await fetch(`${address}/metrics?name=up`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe('up 1\n');
    expect(counted).toEqual(['metrics 200']);
  });

  test('HEAD has the headers and no body', async () => {
    const { address } = await start();
    const response = await fetch(`${address}/metrics`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('5');
    expect(await response.text()).toBe('');
  });

  test('metrics that cannot be had are a failed scrape, and the reason stays inside', async () => {
    const metrics = { contentType: 'text/plain', render: () => Promise.reject(new Error('secret')) };
    const { address, counted } = await start({ metrics });
    const response = await fetch(`${address}/metrics`);
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('internal error\n');
    expect(counted).toEqual(['metrics 500']);
  });

  test('an index of the paths for programs, and the page for who takes HTML', async () => {
    const { address, counted } = await start();
    const index = await fetch(address);
    expect([index.headers.get('content-type'), index.headers.get('vary')]).toEqual([
      'text/plain; charset=utf-8',
      'accept',
    ]);
    const body = await index.text();
    for (const path of ['/metrics', '/livez', '/readyz', '/api/status']) expect(body).toContain(path);

    const page = await fetch(address, { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await page.text()).toMatch(/^<!doctype html>/);
    expect(counted).toEqual(['index 200', 'index 200']);
  });

  test.each([
    [undefined, false],
    ['*/*', false],
    ['application/json', false],
    ['text/html;q=0', false],
    ['text/html', true],
    ['application/json, TEXT/HTML;level=1;q=0.2', true],
  ])('to accept %s is to ask for the page: %s', (accept, isPage) => {
    expect(acceptsHtml(accept)).toBe(isPage);
  });

  test('the status as JSON, as it is at each request', async () => {
    let count = 0;
    const { address, counted } = await start({ status: () => ({ ...aStatus(), version: String(++count) }) });
    for (const version of ['1', '2']) {
      const response = await fetch(`${address}/api/status`);
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(await response.json()).toMatchObject({ version, tables: [{ name: 'unified.event_metric_events' }] });
    }
    expect(counted).toEqual(['status 200', 'status 200']);
  });

  test('the files of the page, and that nothing of it comes from elsewhere or goes anywhere', async () => {
    const { address, counted } = await start();
    for (const [path, type] of [
      ['/assets/page.css', 'text/css'],
      ['/assets/page.js', 'text/javascript'],
      ['/assets/icon.svg', 'image/svg+xml'],
      ['/', 'text/html'],
    ]) {
      const { status, headers } = await fetch(address + path, { headers: { accept: 'text/html' } });
      expect([status, headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`]);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/);
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*|https?:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
    expect(counted).toEqual(['assets 200', 'assets 200', 'assets 200', 'index 200']);
  });

  test.each([
    '/nothing',
    '/metrics/',
    '//metrics',
    '/assets/',
    '/assets/page.ts',
    '/assets/../page.ts',
    '/api/status/',
    '/%6detrics',
    '/../metrics',
    '/__proto__',
    '*',
  ])('nothing at %s', async path => {
    const { port, counted } = await start();
    const { received } = await talk(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await received).toMatch(/^HTTP\/1\.1 404 /);
    expect(counted).toEqual(['other 404']);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('%s is not allowed', async method => {
    const { port, counted } = await start();
    const { received } = await talk(port, `${method} /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await received).toMatch(/^HTTP\/1\.1 405 [\s\S]*\r\nallow: GET, HEAD\r\n/i);
    expect(counted).toEqual(['metrics 405']);
  });
});

describe('probes', () => {
  test('say yes', async () => {
    const { address, counted } = await start();
    for (const [path, word] of [
      ['livez', 'alive\n'],
      ['readyz', 'ready\n'],
    ]) {
      const response = await fetch(`${address}/${path}`);
      expect([response.status, await response.text()]).toEqual([200, word]);
    }
    expect(counted).toEqual(['livez 200', 'readyz 200']);
  });

  test('say no with the reasons, one to a line and without secrets', async () => {
    const { address } = await start({
      readiness: () => ({ ready: false, reasons: ['connect postgres://app:hunter2@db\nforged', 'standby'] }),
      liveness: () => ({ alive: false, reasons: ['the loop stands still'] }),
    });
    const ready = await fetch(`${address}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toBe('not ready\n- connect postgres://app:[redacted]@db\\nforged\n- standby\n');
    const alive = await fetch(`${address}/livez`);
    expect([alive.status, await alive.text()]).toEqual([503, 'not alive\n- the loop stands still\n']);
  });

  test('that break are errors, not the end of the process', async () => {
    const { address } = await start({
      readiness: () => {
        throw new Error('broken');
      },
    });
    expect((await fetch(`${address}/readyz`)).status).toBe(500);
    expect((await fetch(`${address}/livez`)).status).toBe(200);
  });
});

describe('clients that ask for too much', () => {
  test('a body is refused, announced or in pieces, and what follows is not taken for a request', async () => {
    const { port } = await start();
    for (const body of [
      `Content-Length: ${GET_LIVEZ.length}\r\n\r\n${GET_LIVEZ}`,
      'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ]) {
      const { received } = await talk(port, `GET /livez HTTP/1.1\r\nHost: x\r\n${body}`);
      expect((await received).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413']);
    }
  });

  test('a client that asks before it sends its body is not told to go on', async () => {
    const { port } = await start();
    const headers = 'Expect: 100-continue\r\nContent-Length: 1000000\r\n';
    const { received } = await talk(port, `POST /metrics HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
    expect((await received).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 405']);
  });

  test('headers over 8 kB are refused', async () => {
    const { port } = await start();
    const { received } = await talk(port, `GET /livez HTTP/1.1\r\nHost: x\r\nCookie: ${'x'.repeat(9_000)}\r\n\r\n`);
    expect(await received).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('what is no HTTP is refused', async () => {
    const { port } = await start();
    const { received } = await talk(port, 'hello\r\n\r\n');
    expect(await received).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('a client that never finishes its headers is let go, and others are served meanwhile', {
    timeout: 15_000,
  }, async () => {
    const { port, address } = await start();
    const started = performance.now();
    const { received } = await talk(port, 'GET /livez HTTP/1.1\r\nHost: x\r\n');
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    expect(await received).toMatch(/^(HTTP\/1\.1 408 |$)/);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('closing', () => {
  test('ends idle connections at once', async () => {
    const server = await start();
    const { socket, received } = await talk(server.port, GET_LIVEZ);
    await once(socket, 'data');
    const started = performance.now();
    await server.close();
    await received;
    expect(performance.now() - started).toBeLessThan(CLOSE_GRACE_MS / 2);
    await expect(fetch(`${server.address}/livez`)).rejects.toThrow('fetch failed');
  });

  test('lets a response in flight finish', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const server = await start({ metrics: { contentType: 'text/plain', render: () => promise } });
    const response = fetch(`${server.address}/metrics`);
    await sleep(50);
    const closing = server.close();
    resolve('late\n');
    expect(await (await response).text()).toBe('late\n');
    await closing;
  });

  test('does not wait for one that never does, nor for a client that says nothing', async () => {
    const server = await start({ metrics: { contentType: 'text/plain', render: () => new Promise(() => {}) } });
    await talk(server.port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await talk(server.port);
    await sleep(50);
    const started = performance.now();
    await server.close();
    expect(performance.now() - started).toBeLessThan(CLOSE_GRACE_MS + 500);
  });

  test('twice is once', async () => {
    const server = await start();
    await Promise.all([server.close(), server.close()]);
  });
});
