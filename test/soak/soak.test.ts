/**
 * Random accidents under a seed: each round has a database of random tables at a random moment, a writer, and a run of
 * everything that meets with accidents; then the next run, and the oracle.
 *
 *     npm run test:soak                            ten minutes
 *     PK_SOAK_MINUTES=60 npm run test:soak         as long as that
 *     PK_SOAK_SEED=7 PK_SOAK_ROUND=3 npm run test:soak    that round alone
 */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, expect } from 'vitest';
import { LEDGER_PREMAKE, LEDGER_TABLES } from '../../src/config/ledger-tables.ts';
import { instantFromEpochMs } from '../../src/domain/time.ts';
import { aTablePolicy } from '../support/facts.ts';
import { openNetwork } from '../support/network.ts';
import { consultOracle } from '../support/oracle.ts';
import { ask, databasesOn, startTestServer } from '../support/own-server.ts';
import { openPartkeeper, type PartkeeperOptions } from '../support/partkeeper.ts';
import { chance } from '../support/random.ts';
import { ACCIDENTS, applyAndKill, type Scene } from './accidents.ts';
import { makeWorld } from './world.ts';
import { startWriter } from './writer.ts';

const { PK_SOAK_SEED, PK_SOAK_MINUTES, PK_SOAK_ROUND } = process.env;
const SEED = Number(PK_SOAK_SEED || randomInt(2 ** 31));
const MINUTES = Number(PK_SOAK_MINUTES || 10);
const ONE_ROUND_MS = 120_000;
/** No more statements than these are in a run, mostly. */
const STATEMENTS = 150;
const LEDGER_POLICIES = LEDGER_TABLES.map(relation =>
  aTablePolicy({ relation, premake: LEDGER_PREMAKE, retention: 'forever', analyze: undefined }),
);

const test = base
  .extend('settings', { scope: 'file' }, () => ({ max_connections: '100' }))
  .extend('server', { scope: 'file' }, async ({ settings }, { onCleanup }) => {
    const server = await startTestServer(settings);
    onCleanup(server.remove);
    return server;
  })
  .extend('folder', { scope: 'file' }, async ({ settings }, { onCleanup }) => {
    const folder = await mkdtemp(join(tmpdir(), `pk-soak-${settings.max_connections}-`));
    onCleanup(() => rm(folder, { recursive: true, force: true }));
    return folder;
  })
  .extend('round', async ({ server, folder }) => {
    const newDatabase = databasesOn(server);
    return async (number: number): Promise<readonly string[]> => {
      const random = chance(SEED + number);
      const { database, close } = await newDatabase();
      const network = await openNetwork(server.url);
      const isKilled = random.below(4) === 0;
      const world = await makeWorld(database, random, isKilled ? instantFromEpochMs(Date.now()) : undefined);
      const question = { tables: world.tables, at: world.at, where: 't.id >= 0' };
      const oracle = await consultOracle(database, question);
      const works: (() => Promise<unknown>)[] = [];
      const scene: Scene = { server, database, network, world, random, later: work => void works.push(work) };
      const over = (options: PartkeeperOptions = {}) =>
        openPartkeeper(database, {
          tables: world.tables,
          views: world.views,
          at: world.at,
          budget: { lockTimeoutMs: 100, lockAttempts: 3, statementTimeoutMs: 5_000, deferOlderThanMs: 500 },
          ...options,
        });

      const writer = startWriter(database, 't0', world.at);
      const happened: string[] = [];
      if (isKilled) happened.push(await applyAndKill(scene, folder));
      else {
        const names = Object.keys(ACCIDENTS);
        const chosen = Array.from({ length: 1 + random.below(2) }, () => ({
          name: random.pick(names),
          moment: 1 + random.below(STATEMENTS),
        }));
        let sent = 0;
        network.fate = () => {
          sent += 1;
          const now = chosen.find(({ moment }) => moment === sent);
          if (!now) return 'pass';
          happened.push(`${now.name} at ${now.moment}`);
          return ACCIDENTS[now.name]?.(scene) ?? 'pass';
        };
        const doomed = over({ url: network.through(database.url), connectTimeoutMs: 1_000 });
        const beside = random.below(4) === 0 ? over() : undefined;
        if (beside) happened.push('another replica');
        await Promise.all([doomed.apply(), beside?.apply()]);
        network.fate = () => 'pass';
        // What an accident has begun may begin something more.
        for (let work = works.shift(); work; work = works.shift()) await work();
        await Promise.all([doomed.close(), beside?.close()]);
      }
      await server.start();
      const problems = [
        ...(await writer.stop()),
        ...(await oracle.meanwhile()),
        // Who was killed looked after the ledger as well.
        ...(await oracle.afterNextRun(
          over({ budget: {}, tables: [...world.tables, ...(isKilled ? LEDGER_POLICIES : [])] }),
        )),
      ];
      process.stdout.write(`round ${number}, ${world.text}; ${happened.join('; ') || 'nothing happened'}\n`);
      await network.close();
      await close();
      await ask(server.url, `drop database ${database.name} with (force)`);
      const where = `PK_SOAK_SEED=${SEED} PK_SOAK_ROUND=${number} (${world.text}; ${happened.join('; ')})`;
      return problems.map(problem => `${where}: ${problem}`);
    };
  });

test(`random accidents for ${MINUTES} minutes: nothing is lost, and the next run converges`, {
  timeout: MINUTES * 60_000 + ONE_ROUND_MS,
}, async ({ round }) => {
  process.stdout.write(`PK_SOAK_SEED=${SEED}\n`);
  if (PK_SOAK_ROUND) return expect(await round(Number(PK_SOAK_ROUND))).toEqual([]);
  const until = performance.now() + MINUTES * 60_000;
  for (let number = 1; performance.now() < until; number += 1) expect(await round(number)).toEqual([]);
});
