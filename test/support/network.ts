/** The network between partkeeper and its server, as bad as a test wants it. Any number of connections. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStatements } from './wire.ts';

/** What becomes of the connection at a statement that the client sends. */
export type Fate =
  | 'pass'
  /** Both ends get a reset, and the server never sees the statement. */
  | 'reset'
  /** The server has done it; instead of its answer comes a reset. */
  | 'reset-once-done'
  /** From here on nothing arrives anywhere, in this connection and all others, until `heal`. */
  | 'black-hole';

export interface Network {
  /** The same address by way of the network. */
  readonly through: (url: string) => string;
  /** Connections that are open towards the client. */
  readonly open: () => number;
  /** Connections there have been. */
  readonly count: () => number;
  /** Of each packet, in either direction. */
  latencyMs: number;
  bytesPerSecond: number;
  /** Packets are cut into pieces of so many bytes at most. */
  sliceBytes: number;
  /** Where new connections lead; those that are open stay where they are. */
  target: string;
  /** Asked at every statement of the simple or extended protocol, in the order in which they are sent. */
  fate: (statement: string) => Fate;
  /** What the server says, before the client hears it; of the same length. */
  rewrite: (packet: Buffer) => Buffer;
  /** Connections are accepted, nothing arrives, and nobody learns that the other end is gone. */
  readonly blackHole: () => void;
  /** What was swallowed is delivered, as TCP does once the network is back. */
  readonly heal: () => void;
  /** Every connection gets a reset at both ends. */
  readonly resetAll: () => void;
  readonly close: () => Promise<void>;
}

const HOST = '127.0.0.1';

/** @param server the address of a server, as a URL */
export async function openNetwork(server: string, host = HOST): Promise<Network> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let count = 0;
  let hole: PromiseWithResolvers<void> | undefined;
  const listener = createServer(client => serve(client)).listen(0, host);
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;

  const network: Network = {
    through(url) {
      const address = new URL(url);
      address.hostname = host;
      address.port = String(port);
      return address.href;
    },
    open: () => [...pairs].filter(([client]) => !client.destroyed).length,
    count: () => count,
    latencyMs: 0,
    bytesPerSecond: Number.POSITIVE_INFINITY,
    sliceBytes: Number.POSITIVE_INFINITY,
    target: server,
    fate: () => 'pass',
    rewrite: packet => packet,
    blackHole() {
      hole ??= Promise.withResolvers();
    },
    heal() {
      hole?.resolve();
      hole = undefined;
    },
    resetAll() {
      for (const pair of pairs) reset(pair);
    },
    async close() {
      network.heal();
      network.resetAll();
      listener.close();
      await once(listener, 'close');
    },
  };

  const reset = ([client, upstream]: readonly [Socket, Socket]): void => {
    client.resetAndDestroy();
    upstream.resetAndDestroy();
  };

  const untilHealed = async (): Promise<void> => {
    for (let current = hole; current; current = hole) await current.promise;
  };

  const deliver = async (packet: Buffer, arrivedAt: number, to: Socket): Promise<void> => {
    await sleep(Math.max(0, arrivedAt + network.latencyMs - performance.now()));
    await untilHealed();
    const step = Number.isFinite(network.sliceBytes) ? network.sliceBytes : packet.length;
    for (let from = 0; from < packet.length; from += step) {
      const piece = packet.subarray(from, from + step);
      if (Number.isFinite(network.bytesPerSecond)) await sleep((1000 * piece.length) / network.bytesPerSecond);
      if (!to.destroyed) to.write(piece);
    }
  };

  /** Packets in their order, and after the last one the end. */
  const pump = (from: Socket, to: Socket, onPacket: (packet: Buffer) => Buffer | undefined): void => {
    let last: Promise<void> = Promise.resolve();
    from.on('data', arrived => {
      const packet = onPacket(arrived);
      if (packet === undefined) return;
      const arrivedAt = performance.now();
      last = last.then(() => deliver(packet, arrivedAt, to));
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      last = last.then(async () => {
        await untilHealed();
        to.destroy();
      });
    });
  };

  const serve = (client: Socket): void => {
    count += 1;
    const { hostname, port: upstreamPort } = new URL(network.target);
    const upstream = connect(Number(upstreamPort), hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.once('close', () => pairs.delete(pair));
    for (const socket of pair) socket.setNoDelay(true);
    let isLastAnswer = false;
    const read = readStatements();
    pump(client, upstream, packet => {
      const fates = read(packet).map(statement => network.fate(statement));
      if (fates.includes('reset')) reset(pair);
      if (fates.includes('black-hole')) network.blackHole();
      isLastAnswer ||= fates.includes('reset-once-done');
      return client.destroyed ? undefined : packet;
    });
    pump(upstream, client, packet => {
      if (!isLastAnswer) return network.rewrite(packet);
      if (isReadyForQuery(packet)) reset(pair);
      return undefined;
    });
  };

  return network;
}

/** The last message of an answer: `Z`, a length of 5, and the state of the transaction. */
const isReadyForQuery = (packet: Buffer): boolean =>
  packet.length >= 6 && packet.at(-6) === 0x5a && packet.readInt32BE(packet.length - 5) === 5;
