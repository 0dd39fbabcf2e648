/** The door for triggers: who is let in, how often, and in which form. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { MAX_BODY_BYTES, startTriggerServer, type TriggerServerOptions } from '../../../src/http/trigger-server.ts';

const TOKEN = 'correct-horse-battery-staple-0123456789';
const UNLIMITED = { atOnce: 1_000, perMinute: 1_000 };

type Post = Omit<RequestInit, 'headers'> & {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

async function start(over: Partial<TriggerServerOptions> = {}) {
  const asked: unknown[] = [];
  const refused: string[] = [];
  const counted: string[] = [];
  let nowMs = 0;
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  const server = await startTriggerServer({
    host: '127.0.0.1',
    port: 0,
    tokens: () => [{ name: 'ci', secret: TOKEN }],
    async ask(body, asker) {
      asked.push([body, asker]);
      return { code: 202, body: { triggered: [] } };
    },
    onRequest: ({ handler, code }) => counted.push(`${handler} ${code}`),
    onRefused: ({ code, address, because }) => refused.push(`${code} ${address} ${because}`),
    monotonicMs: () => nowMs,
    limits: { requests: UNLIMITED, failures: UNLIMITED },
    ...over,
  });
  onTestFinished(() => server.close());
  const post = async (init: Post = {}) => {
    const { path = '/trigger', ...more } = init;
    const response = await fetch(server.address + path, {
      method: 'POST',
      body: '{"job":"refresh"}',
      ...more,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...more.headers },
    });
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
  };
  return { server, post, asked, refused, counted, pass };
}

test('a request with a token, in the right form, is passed on with who asks', async () => {
  const { post, asked, refused, counted } = await start();
  const { status, headers, body } = await post();
  expect([status, body]).toEqual([202, { triggered: [] }]);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(asked).toEqual([[{ job: 'refresh' }, { address: '127.0.0.1', token: 'ci' }]]);
  expect([refused, counted]).toEqual([[], ['trigger 202']]);
});

test.each<[string, Post, number, string, string[]]>([
  ['another path', { path: '/' }, 404, 'nothing but POST /trigger is served here', []],
  ['GET', { method: 'GET', body: null }, 405, 'only POST', ['allow', 'POST']],
  ['OPTIONS, as a browser asks', { method: 'OPTIONS', body: null }, 405, 'only POST', ['allow', 'POST']],
  [
    'a wrong token',
    { headers: { authorization: `Bearer ${TOKEN}x` } },
    401,
    'the token is not accepted',
    ['www-authenticate', 'Bearer realm="partkeeper"'],
  ],
  [
    'no token',
    { headers: { authorization: '' } },
    401,
    'the token is not accepted',
    ['www-authenticate', 'Bearer realm="partkeeper"'],
  ],
  [
    'a form',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    415,
    'the body has to be application/json',
    [],
  ],
  ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 415, 'the body has to be application/json', []],
  ['a large body', { body: `"${'x'.repeat(MAX_BODY_BYTES - 1)}"` }, 413, 'the body has to be 16384 bytes at most', []],
  ['no body', { body: '' }, 400, 'the body is not JSON', []],
  ['a broken body', { body: '{"job":' }, 400, 'the body is not JSON', []],
  ['a body that is no UTF-8', { body: new Uint8Array([0x22, 0xff, 0x22]) }, 400, 'the body is not JSON', []],
])('%s is refused, and nobody is asked', async (_, init, code, because, [header, value] = []) => {
  const { post, asked, refused, counted } = await start();
  const { status, headers, body } = await post(init);
  expect([status, body]).toEqual([code, { error: { code: 'USAGE', message: because } }]);
  if (header) expect(headers.get(header)).toBe(value);
  expect(asked).toEqual([]);
  expect(refused).toEqual([`${code} 127.0.0.1 ${because}`]);
  expect(counted).toEqual([`${init.path ? 'other' : 'trigger'} ${code}`]);
  expect(JSON.stringify([body, refused])).not.toContain(TOKEN);
});

test('a body as large as allowed is read', async () => {
  const { post, asked } = await start();
  expect((await post({ body: `"${'x'.repeat(MAX_BODY_BYTES - 2)}"` })).status).toBe(202);
  expect(asked).toHaveLength(1);
});

test('the media type may say more', async () => {
  const { post } = await start();
  expect((await post({ headers: { 'content-type': 'Application/JSON; charset=utf-8' } })).status).toBe(202);
});

/** What comes back on a connection of our own making until the other side ends it. */
async function say(port: number, head: string, ...body: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  for (const part of [`POST /trigger HTTP/1.1\r\nHost: x\r\n${head}\r\n`, ...body]) socket.write(part);
  return text(socket).catch(() => '');
}
const RIGHT = `Authorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;

describe('a client of its own kind', () => {
  test('that sends a body in pieces beyond the limit is let go', async () => {
    const { server, asked } = await start();
    const piece = 'x'.repeat(8_192);
    const chunk = `2000\r\n${piece}\r\n`;
    const received = await say(server.port, `${RIGHT}Transfer-Encoding: chunked\r\n`, chunk, chunk, chunk);
    expect(received).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
    expect(asked).toEqual([]);
  });

  test('that asks first is told to go on only with a token', async () => {
    const { server } = await start();
    const length = 'Content-Length: 2\r\nConnection: close\r\nExpect: 100-continue\r\n';
    expect(await say(server.port, `${RIGHT}${length}`, '{}')).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 202/);
    expect(await say(server.port, length)).toMatch(/^HTTP\/1\.1 401 [\s\S]*connection: close/i);
  });
});

describe('too often', () => {
  test('is answered with when to come again, whoever it is', async () => {
    const { post, pass, counted } = await start({
      limits: { requests: { atOnce: 2, perMinute: 6 }, failures: UNLIMITED },
    });
    await post();
    await post();
    const { status, headers, body } = await post();
    expect([status, headers.get('retry-after'), body.error.message]).toEqual([429, '10', 'too many requests']);
    pass(10_000);
    expect((await post()).status).toBe(202);
    expect(counted).toEqual(['trigger 202', 'trigger 202', 'trigger 429', 'trigger 202']);
  });

  test('without an accepted token, nothing of that address is looked at for a while, the right token included', async () => {
    const { post, pass } = await start({ limits: { requests: UNLIMITED, failures: { atOnce: 2, perMinute: 1 } } });
    const guess = () => post({ headers: { authorization: 'Bearer 0123456789012345678901234567890' } });
    expect([(await guess()).status, (await guess()).status, (await guess()).status]).toEqual([401, 401, 429]);
    const { status, headers } = await post();
    expect([status, headers.get('retry-after')]).toEqual([429, '60']);
    pass(60_000);
    expect((await post()).status).toBe(202);
  });
});

test("tokens that cannot be read are the log's business, and the client may try again", async () => {
  const { post, refused } = await start({
    tokens: () => {
      throw new MaintenanceError('CONFIG_INVALID', "triggers.tokenFile: '/run/x' does not exist");
    },
  });
  const { status, headers, body } = await post();
  expect([status, headers.get('retry-after'), body]).toEqual([
    503,
    '5',
    { error: { code: 'CONFIG_INVALID', message: 'the tokens cannot be read; the log says why' } },
  ]);
  expect(refused).toEqual(["503 127.0.0.1 triggers.tokenFile: '/run/x' does not exist"]);
});

test('a new token is accepted from the next request on', async () => {
  let secret = TOKEN;
  const { post } = await start({ tokens: () => [{ name: undefined, secret }] });
  expect((await post()).status).toBe(202);
  secret = `${TOKEN}-new`;
  expect((await post()).status).toBe(401);
  expect((await post({ headers: { authorization: `Bearer ${secret}` } })).status).toBe(202);
});

test('an address that is taken is said to be that of the triggers', async () => {
  const { server } = await start();
  await expect(start({ port: server.port })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    hint: 'set triggers.listen to an address and a free port of this machine',
  });
});
