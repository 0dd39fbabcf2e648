/** What may happen to a run: one accident has a moment, the number of a statement, and a cause. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { EmbeddedServer } from '../../src/demo/embedded-server.ts';
import type { TestDatabase } from '../support/database.ts';
import { HABITS, hold } from '../support/holders.ts';
import { KILLS, PRELOAD, VARIABLES } from '../support/kill-at-statement.ts';
import type { Fate, Network } from '../support/network.ts';
import type { Chance } from '../support/random.ts';
import type { World } from './world.ts';

export interface Scene {
  readonly server: EmbeddedServer;
  readonly database: TestDatabase;
  readonly network: Network;
  readonly world: World;
  readonly random: Chance;
  /** Done when the run is over. */
  readonly later: (work: () => Promise<unknown>) => void;
}

/** Brings it about; the answer decides what becomes of the statement at which it happened. */
type Accident = (scene: Scene) => Fate;

const BACKENDS = `select pid from pg_stat_activity
  where datname = current_database() and application_name like 'partkeeper%' and application_name not like '%test%'`;

const inBackground =
  (work: (scene: Scene) => Promise<unknown>): Accident =>
  scene => {
    const done = work(scene).catch(() => undefined);
    scene.later(() => done);
    return 'pass';
  };

const stop = (mode: 'fast' | 'immediate' | 'kill'): Accident =>
  inBackground(async ({ server, random }) => {
    await server.stop(mode);
    await sleep(random.below(300));
    await server.start();
  });

const holding = (habit: keyof typeof HABITS, snapshot: boolean): Accident =>
  inBackground(async ({ database, world, random, later }) => {
    const table = random.pick(world.tables).relation.name;
    const rows = await database.query<{ name: string }>(
      'select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass',
      [table],
    );
    const holder = await hold(database, HABITS[habit](random.pick([table, ...rows.map(({ name }) => name)])), {
      snapshot,
    });
    // Another accident may have ended it before.
    const released = sleep(random.below(1_500))
      .then(() => holder.release())
      .catch(() => undefined);
    later(() => released);
  });

export const ACCIDENTS: Readonly<Record<string, Accident>> = {
  'the connection is reset': () => 'reset',
  'the connection is reset, and the statement was done': () => 'reset-once-done',
  'all connections are reset'({ network }) {
    network.resetAll();
    return 'reset';
  },
  'the network swallows everything for a while'({ network, random, later }) {
    const healed = sleep(random.below(1_500)).then(() => network.heal());
    later(() => healed);
    return 'black-hole';
  },
  'a backend is terminated': inBackground(({ database }) =>
    database.query(`select pg_terminate_backend(pid) from (${BACKENDS} order by random() limit 1) as one`),
  ),
  'a statement is cancelled': inBackground(({ database }) =>
    database.query(`select pg_cancel_backend(pid) from (${BACKENDS} and state = 'active' limit 1) as one`),
  ),
  'the server is stopped fast': stop('fast'),
  'the server is stopped immediately': stop('immediate'),
  'the server is killed': stop('kill'),
  'a reader stays': holding('reads', false),
  'a snapshot stays': holding('reads', true),
  'a writer stays': holding('writes', false),
  'a schema change stays': holding('locks for a schema change', false),
  'a vacuum stays': holding('locks as VACUUM and ANALYZE do', false),
};

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A process of its own, killed at a statement, or before or after it. Its clock is the real one. */
export async function applyAndKill({ database, world, random }: Scene, folder: string): Promise<string> {
  const config = join(folder, 'partkeeper.yaml');
  const tables = world.tables.map(({ relation: { name }, interval, premake, retention, retire, grace }) => {
    const days = retention === 'forever' ? 0 : retention.amount;
    const table = {
      interval,
      premake,
      retention: `${days} days`,
      retire,
      ...(grace && { grace: `${grace.amount} days` }),
    };
    return [`public.${name}`, table] as const;
  });
  await writeFile(
    config,
    JSON.stringify({ tables: Object.fromEntries(tables), views: { 'public.seen': { schedule: '0 0 1 1 *' } } }),
  );
  const fault = `${1 + random.below(200)}:${random.pick([...KILLS])}`;
  const child = spawn(process.execPath, ['--import', PRELOAD, MAIN, 'apply', '--config', config], {
    env: { PATH: process.env.PATH, DATABASE_URL: database.url, [VARIABLES.fault]: fault },
    stdio: 'ignore',
  });
  await once(child, 'exit');
  return `a process is killed at ${fault}`;
}
