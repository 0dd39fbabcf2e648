/** `npm run bench:footprint`: what one service costs the machine it runs on. See bench/README.md. */
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { startEmbeddedServer } from '../../src/demo/embedded-server.ts';
import { migrateUp } from '../../src/schema/migrate.ts';
import { createHours } from '../../test/support/many-partitions.ts';
import { median } from '../stall/latency.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { type Launch, type Service, startService } from './service.ts';
import { soak } from './soak.ts';

const LIMITS = {
  liveMs: 300,
  readyMs: 1_000,
  few: { rssMiB: 90, cpuShare: 0.005 },
  many: { rssMiB: 128, cpuShare: undefined },
};
/** How the container starts node. */
const NODE_OPTIONS: readonly string[] = entrypointOf(
  readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8'),
).filter(word => word.startsWith('--'));
/** What is due at the start is done, and the first garbage is gone. */
const SETTLE_MS = 45_000;
const MANY = 10_000;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(130);
    print('stopping: the service and the server are cleaned up …');
    stopping.abort(new Error(`stopped by ${signal}`));
  });

try {
  const options = readOptions(process.argv.slice(2));
  if (options) process.exitCode = (await bench(options)) ? 0 : 1;
  else print(HELP);
} catch (thrown) {
  const error: unknown = stopping.signal.aborted ? stopping.signal.reason : thrown;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = stopping.signal.aborted ? 130 : 1;
}

function entrypointOf(dockerfile: string): readonly string[] {
  const [, words] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  if (words === undefined) throw new Error('The Dockerfile has no ENTRYPOINT of words.');
  return JSON.parse(words);
}

/** @returns whether every limit is kept */
async function bench(options: Options): Promise<boolean> {
  const { signal } = stopping;
  const folder = await mkdtemp(join(tmpdir(), 'partkeeper-footprint-'));
  const server = await startEmbeddedServer({ settings: { max_locks_per_transaction: '1024' }, signal });
  const client = new Client({ connectionString: server.url, application_name: 'partkeeper bench' });
  try {
    await chmod(folder, 0o755);
    await client.connect();
    await migrateUp(client, ['bookkeeping', 'bundled']);
    const launch: Launch = {
      databaseUrl: server.url,
      config: undefined,
      nodeOptions: options.plain ? [] : NODE_OPTIONS,
      compileCache: options.plain ? undefined : join(folder, 'compile-cache'),
      signal,
    };
    if (options.soakMinutes !== undefined)
      return await soak(client, { ...launch, minutes: options.soakMinutes, folder, print });
    const verdicts = [await starts(launch, options), await idle(launch, options, LIMITS.few)];
    if (!options.few) {
      print(`\nbeside a table of ${MANY} partitions:`);
      verdicts.push(await idle(await withMany(launch, client, folder), options, LIMITS.many));
    }
    return verdicts.every(Boolean);
  } finally {
    await client.end();
    await server.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

async function starts(launch: Launch, { starts: wanted }: Options): Promise<boolean> {
  // The first one fills the compile cache and installs the queue.
  await (await startService(launch)).stop();
  const services: Service[] = [];
  for (let start = 0; start < wanted; start += 1) {
    const service = await startService(launch);
    await service.stop();
    services.push(service);
  }
  const tell = (what: 'live' | 'ready', path: string, limitMs: number): boolean => {
    const ms = services.map(service => service[what].ms);
    const cpuMs = services.map(service => service[what].cpuMs);
    const least = Math.min(...ms);
    print(
      `${path}: least ${least.toFixed(0)} ms, median ${median(ms).toFixed(0)} ms (at most ${limitMs}); ` +
        `processor time ${Math.min(...cpuMs)} ms, median ${median(cpuMs)} ms`,
    );
    return least <= limitMs;
  };
  // Both are told, whatever the first says.
  const verdicts = [tell('live', '/livez', LIMITS.liveMs), tell('ready', '/readyz', LIMITS.readyMs)];
  return verdicts.every(Boolean);
}

/** @param cpuShare undefined: it is told, and not judged */
async function idle(
  launch: Launch,
  { seconds }: Options,
  { rssMiB: limitMiB, cpuShare }: { readonly rssMiB: number; readonly cpuShare: number | undefined },
): Promise<boolean> {
  const service = await startService(launch);
  try {
    await delay(SETTLE_MS, undefined, { signal: launch.signal });
    const [cpuMs, startedMs] = [service.cpuMs(), performance.now()];
    await delay(seconds * 1_000, undefined, { signal: launch.signal });
    const share = (service.cpuMs() - cpuMs) / (performance.now() - startedMs);
    const rssMiB = service.rssMiB();
    print(`idle: ${rssMiB.toFixed(1)} MiB resident (at most ${limitMiB})`);
    const limit = cpuShare === undefined ? '' : ` (less than ${cpuShare * 100} %)`;
    print(`idle: ${(share * 100).toFixed(2)} % of a processor${limit}`);
    return rssMiB <= limitMiB && share < (cpuShare ?? 1);
  } finally {
    await service.stop();
  }
}

/** A policy of its own for a table that has partitions for more than a year behind, and for two days ahead. */
async function withMany(launch: Launch, client: Client, folder: string): Promise<Launch> {
  const end = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 48 * 3_600_000);
  await createHours(client, 'many', { count: MANY, end });
  await client.query('analyze many');
  const config = join(folder, 'many.yaml');
  await writeFile(
    config,
    `tables:\n  public.many: { interval: hour, premake: 24, retention: keep forever, analyze: off }\n`,
  );
  return { ...launch, config };
}
