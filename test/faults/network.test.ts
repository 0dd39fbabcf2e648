/** A network that is slow, that breaks, and that says nothing any more: between partkeeper and a server that is well. */
import dns from 'node:dns';
import { expect, onTestFinished, vi } from 'vitest';
import { waitUntil } from '../support/client.ts';
import { type Network, openNetwork } from '../support/network.ts';
import type { PartkeeperOptions, TestPartkeeper } from '../support/partkeeper.ts';
import { EVENTS, type Scene, sceneTest } from '../support/scene.ts';

const test = sceneTest.extend('network', async ({ scene: { database } }, { onCleanup }): Promise<Network> => {
  const network = await openNetwork(database.url);
  onCleanup(network.close);
  return network;
});

/** Every answer to a read is waited for three times as long. */
const CONNECT_MS = 1_000;

const openThrough = (scene: Scene, network: Network, options: PartkeeperOptions = {}): TestPartkeeper =>
  scene.open({ url: network.through(scene.database.url), connectTimeoutMs: CONNECT_MS, ...options });

/** Codes of what failed, each once. */
const codesOf = (reports: Awaited<ReturnType<TestPartkeeper['apply']>>): readonly string[] => [
  ...new Set(reports.flatMap(({ error }) => error?.code ?? [])),
];

test.for([
  ['while it looks for a pooler', /^select pg_catalog\.pg_backend_pid/],
  ['while it takes the lock of a run', /pg_try_advisory_lock/],
] as const)(
  'F07: a network that swallows everything %s: the run fails in time, and the next one connects anew',
  async ([, statement], { scene, network }) => {
    const partkeeper = openThrough(scene, network);
    network.fate = sent => (statement.test(sent) ? 'black-hole' : 'pass');
    const reports = await partkeeper.apply(['provision']);
    expect(reports.map(({ outcome }) => outcome)).toEqual(['failure', 'failure', 'failure']);
    for (const code of codesOf(reports)) expect(code).toMatch(/^CONNECTION_(LOST|FAILED)$/);
    network.fate = () => 'pass';
    network.heal();
    expect(codesOf(await partkeeper.apply(['provision']))).toEqual([]);
    await scene.settle();
  },
);

test('F07: swallowed in the middle of a statement, it is given up by our own clock; the server’s does not help', async ({
  scene,
  network,
}) => {
  const partkeeper = openThrough(scene, network, { budget: { statementTimeoutMs: 500 } });
  network.fate = sent => (/attach partition "public"."events_2026_07"/.test(sent) ? 'black-hole' : 'pass');
  const running = partkeeper.run('provision', { targets: [EVENTS] });
  await waitUntil(() => partkeeper.eventsOf('action-failed').length > 0, {
    deadlineMs: 25_000,
    what: 'the run to end',
  });
  network.fate = () => 'pass';
  network.heal();
  // Healed in time for the same run to connect anew and to do the rest.
  expect(await running).toMatchObject([{ outcome: 'success' }]);
  expect(partkeeper.eventsOf('action-failed')).toMatchObject([
    { error: { code: 'CONNECTION_LOST', message: expect.stringContaining('no answer for') } },
  ]);
  await scene.settle();
});

test('F08: a network that swallows a connection under way is given up in time', async ({ scene, network }) => {
  network.blackHole();
  const partkeeper = openThrough(scene, network);
  const reports = await partkeeper.apply();
  expect(codesOf(reports)).toEqual(['CONNECTION_FAILED']);
  network.heal();
  await partkeeper.apply();
  await scene.settle();
});

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter(resource => resource === 'TCPSocketWrap').length;

test('F09: a reset of every connection while nobody uses them is not noticed', async ({ scene, network }) => {
  const before = openSockets();
  const partkeeper = openThrough(scene, network, { connectTimeoutMs: 5_000 });
  await partkeeper.apply(['provision']);
  expect(network.open()).toBeGreaterThan(0);
  network.resetAll();
  await waitUntil(() => openSockets() <= before, { what: 'the connections to be gone at both ends' });
  const reports = await partkeeper.apply();
  expect(codesOf(reports)).toEqual([]);
  expect(partkeeper.eventsOf('action-failed')).toEqual([]);
  await scene.settle();
});

test('F11: a network with delays, cut into small pieces and narrow, changes how long it takes and nothing else', async ({
  scene,
  network,
}) => {
  const partkeeper = openThrough(scene, network, { connectTimeoutMs: 5_000 });
  Object.assign(network, { latencyMs: 20, sliceBytes: 700, bytesPerSecond: 200_000 });
  const reports = await partkeeper.apply(['provision', 'retire'], { targets: [EVENTS] });
  expect(reports.map(({ outcome }) => outcome)).toEqual(reports.map(() => 'success'));
  expect(partkeeper.eventsOf('action-failed')).toEqual([]);
  expect(partkeeper.eventsOf('action-retried')).toEqual([]);
  await scene.settle();
});

test('F16: an address that cannot be resolved, and then leads elsewhere, is looked up for each connection', async ({
  scene,
  network,
}) => {
  const { database } = scene;
  const elsewhere = await openNetwork(database.url, '127.0.0.2');
  onTestFinished(elsewhere.close);
  let address: string | undefined;
  const lookup = dns.lookup;
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(((name: string, ...rest: never[]) => {
    if (name !== 'moving.test') return Reflect.apply(lookup, dns, [name, ...rest]);
    if (address !== undefined) return Reflect.apply(lookup, dns, [address, ...rest]);
    const answer = rest.at(-1) as unknown as (error: Error) => void;
    queueMicrotask(() => answer(Object.assign(new Error('getaddrinfo ENOTFOUND moving.test'), { code: 'ENOTFOUND' })));
  }) as typeof dns.lookup);
  onTestFinished(() => spy.mockRestore());
  const url = new URL(network.through(database.url));
  url.hostname = 'moving.test';
  const partkeeper = scene.open({ url: url.href });
  expect(codesOf(await partkeeper.apply(['provision']))).toEqual(['CONNECTION_FAILED']);
  address = '127.0.0.1';
  expect(codesOf(await partkeeper.apply(['provision']))).toEqual([]);
  expect(network.count()).toBeGreaterThan(0);

  // The server moves: the old address is dead, the new one has the same port.
  address = '127.0.0.2';
  await scene.settle();
});
