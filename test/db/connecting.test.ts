/** Connections that cannot be made: what a person is told, and what nobody is. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { ConnectFailure } from '../../src/domain/database.ts';
import { type Database, openDatabase } from '../../src/postgres/database.ts';
import { waitUntil } from '../support/client.ts';
import { aTablePolicy, aViewPolicy, relation } from '../support/facts.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { roleTest } from '../support/roles.ts';

/** A character for each way in which passwords get out: encoded, decoded, cut at the first @ or /. */
const PASSWORD = 'not the right/one@all';

const see = (database: Database, signal?: AbortSignal): Promise<unknown> =>
  database.use(session => session.query('select 1', [], 'see something'), signal).catch((error: unknown) => error);

/** Neither in the error nor in anything that it carries along. */
function expectNoSecrets(error: unknown, ...passwords: readonly string[]): void {
  const everything = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true });
  for (const password of passwords.filter(Boolean))
    for (const text of [password, encodeURIComponent(password)]) expect(everything).not.toContain(text);
}

const CREDENTIALS = expect.stringMatching(/^Check the user and the password .*PGPASSWORD/);
const ADDRESS = expect.stringMatching(/^Check host and port .*PGHOST and PGPORT/);

interface Refusal {
  readonly what: string;
  readonly attributes?: string;
  readonly change?: (url: URL) => void;
  readonly told: object;
  readonly counted: ConnectFailure;
  readonly isOfPasswords?: boolean;
}

const ASKS_FOR_PASSWORD = inject('asksForPassword');

const REFUSALS: readonly Refusal[] = [
  {
    what: 'a wrong password',
    isOfPasswords: true,
    change(url) {
      url.password = encodeURIComponent(PASSWORD);
    },
    told: { sqlstate: '28P01', hint: CREDENTIALS },
    counted: 'auth',
  },
  {
    what: 'no password',
    isOfPasswords: true,
    change(url) {
      url.password = '';
    },
    told: { hint: CREDENTIALS },
    counted: 'auth',
  },
  {
    what: 'a role that may not log in',
    attributes: 'nologin',
    told: { sqlstate: '28000', hint: CREDENTIALS },
    counted: 'auth',
  },
  {
    what: 'a database that does not exist',
    change(url) {
      url.pathname = '/nowhere';
    },
    told: { sqlstate: '3D000', hint: expect.stringMatching(/^Check the database name .*PGDATABASE/) },
    counted: 'other',
  },
  {
    what: 'a port where nobody listens',
    change(url) {
      url.port = '1';
    },
    told: { message: expect.stringContaining('ECONNREFUSED'), hint: ADDRESS },
    counted: 'refused',
  },
  {
    what: 'a host that does not exist',
    change(url) {
      url.hostname = 'nobody.invalid';
    },
    told: { hint: ADDRESS },
    counted: 'dns',
  },
  {
    what: 'a server that speaks no TLS',
    change(url) {
      url.searchParams.set('sslmode', 'verify-full');
    },
    told: { message: expect.stringContaining('does not support SSL'), hint: expect.stringContaining('PGSSLMODE') },
    counted: 'tls',
  },
  {
    what: 'a role that has all its connections already',
    attributes: 'login connection limit 0',
    told: { sqlstate: '53300', hint: expect.stringContaining('database.pool') },
    counted: 'too_many',
  },
];

roleTest.for(REFUSALS.filter(({ isOfPasswords }) => ASKS_FOR_PASSWORD || !isOfPasswords))(
  'of $what a person is told, and where to look, and no password',
  async ({ attributes = 'login', change, told, counted }, { open, role }) => {
    const { url } = await role(attributes);
    const refused = new URL(url);
    const password = refused.password;
    change?.(refused);
    const partkeeper = open({ url: refused.href });
    const error = await see(partkeeper.database);
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', ...told });
    expect(error).toMatchObject({
      message: expect.stringContaining(`could not connect to ${partkeeper.database.address}: `),
    });
    expect(partkeeper.eventsOf('connect-failed')).toEqual([{ kind: 'connect-failed', reason: counted }]);
    expectNoSecrets([error, partkeeper.database.address], password, PASSWORD);
  },
);

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter(resource => resource === 'TCPSocketWrap').length;

partkeeperTest.runIf(ASKS_FOR_PASSWORD)(
  'whoever gives up for want of a password leaves no connection behind',
  async ({ database }) => {
    const missing = (): string => {
      throw new Error('the secret file is gone');
    };
    const opened = openAt(new URL(database.url), { password: missing });
    await database.query('select 1');
    const before = openSockets();
    expect(await see(opened)).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('the secret file is gone'),
    });
    await opened.close();
    // Otherwise the server would wait for a password until its patience of a minute is over.
    await waitUntil(() => openSockets() === before, { what: 'the socket to be closed' });
  },
);

partkeeperTest('every target of a run is told the same, and nothing is thrown', async ({ database, open }) => {
  const url = new URL(database.url);
  url.pathname = '/nowhere';
  const partkeeper = open({
    url: url.href,
    tables: ['events', 'other'].map(name => aTablePolicy({ relation: relation(`public.${name}`) })),
    views: [aViewPolicy({ relation: relation('public.mv') })],
  });
  const reports = await partkeeper.apply();
  expect(reports.map(({ run, outcome, error }) => [run.job, run.target.name, outcome, error?.code])).toEqual([
    ['provision', 'events', 'failure', 'CONNECTION_FAILED'],
    ['provision', 'other', 'failure', 'CONNECTION_FAILED'],
    ['retire', 'events', 'failure', 'CONNECTION_FAILED'],
    ['retire', 'other', 'failure', 'CONNECTION_FAILED'],
    ['refresh', 'mv', 'failure', 'CONNECTION_FAILED'],
    ['analyze', 'events', 'failure', 'CONNECTION_FAILED'],
    ['analyze', 'other', 'failure', 'CONNECTION_FAILED'],
  ]);
  expectNoSecrets(partkeeper.events, url.password);
});

partkeeperTest.runIf(ASKS_FOR_PASSWORD)(
  'F14: a rotated password is asked for at each connection',
  async ({ database }) => {
    const url = new URL(database.url);
    let password = PASSWORD;
    const opened = openAt(url, { password: () => password });
    try {
      expect(await see(opened)).toMatchObject({ code: 'CONNECTION_FAILED', sqlstate: '28P01' });
      password = decodeURIComponent(url.password);
      expect(await see(opened)).toHaveLength(1);
    } finally {
      await opened.close();
    }
  },
);

/** Takes connections and says nothing, as a server does that hangs. */
async function listenSilently() {
  const sockets = new Set<Socket>();
  const server = createServer(socket => void sockets.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  onTestFinished(hangUp);
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`postgres://me@127.0.0.1:${port}/db`), sockets, hangUp };
}

const openAt = (
  url: URL,
  { password, connectTimeoutMs = 5_000 }: { password?: () => string; connectTimeoutMs?: number },
) =>
  openDatabase(
    {
      connectionString: url.href,
      host: undefined,
      port: undefined,
      user: undefined,
      database: undefined,
      password,
      sslMode: undefined,
      pool: 1,
      connectTimeoutMs,
    },
    {
      lockTimeoutMs: 100,
      statementTimeoutMs: 1_000,
      lockAttempts: 1,
      deferOlderThanMs: 5_000,
      passingMs: 200,
      patienceMs: 60_000,
    },
  );

test('F08: a server that takes the connection and says nothing is given up', async () => {
  const silent = await listenSilently();
  const database = openAt(silent.url, { connectTimeoutMs: 100 });
  expect(await see(database)).toMatchObject({
    code: 'CONNECTION_FAILED',
    message: expect.stringMatching(/timeout/),
    hint: ADDRESS,
  });
  await database.close();
});

test('whoever waits for a connection can be stopped', async () => {
  const silent = await listenSilently();
  const database = openAt(silent.url, { connectTimeoutMs: 60_000 });
  const stop = new AbortController();
  const seeing = see(database, stop.signal);
  await waitUntil(() => silent.sockets.size);
  stop.abort('SIGTERM');
  expect(await seeing).toMatchObject({ code: 'CANCELLED', message: expect.stringContaining('SIGTERM') });
  silent.hangUp();
  await database.close();
});
