/**
 * The network breaks at a statement: before the server sees it, or once the server has done it and nobody can know. In this
 * process, so that many can be tried: some by chance, PK_FAULTS=all every one, PK_FAULTS=17:reset that one alone.
 */
import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import type { Clone, Prepared } from '../support/clones.ts';
import { chooseCases, describeCase, inLanes } from '../support/kill-at-statement.ts';
import { openNetwork } from '../support/network.ts';
import { consultOracle } from '../support/oracle.ts';
import { openPartkeeper } from '../support/partkeeper.ts';
import { chance } from '../support/random.ts';
import { AT, TABLES, sceneTest as test, VIEWS } from '../support/scene.ts';
import { shortOrLong } from '../support/stress.ts';

const POLICIES = { tables: TABLES, views: VIEWS, at: AT };
const TRIED = shortOrLong(2, 6);
const LANES = 3;

async function onClone<T>(prepared: Prepared, work: (clone: Clone) => Promise<T>): Promise<T> {
  const clone = await prepared.clone();
  try {
    return await work(clone);
  } finally {
    await clone.drop();
  }
}

/** Applies everything by way of a network that breaks at the given statement; gives what was sent. */
async function applyThrough(clone: Clone, breakAt = 0, how: 'reset' | 'reset-once-done' = 'reset') {
  const network = await openNetwork(clone.url);
  const sent: string[] = [];
  network.fate = statement => (sent.push(statement) === breakAt ? how : 'pass');
  const partkeeper = openPartkeeper(clone, { ...POLICIES, url: network.through(clone.url) });
  try {
    return { reports: await partkeeper.apply(), sent };
  } finally {
    await partkeeper.close();
    await network.close();
  }
}

test.for(shortOrLong(['reset-once-done'] as const, ['reset', 'reset-once-done'] as const))(
  'F09, F27: a network that breaks at a statement (%s) loses nothing, and what is not done at once is done by the next run',
  { timeout: process.env.PK_FAULTS === 'all' ? 900_000 : 60_000 },
  async (fault, { prepared }) => {
    const { sent } = await onClone(prepared, applyThrough);
    const seed = Number(process.env.PK_FAULTS_SEED || randomInt(2 ** 31));
    const cases = chooseCases(sent, fault, TRIED, chance(seed));
    process.stdout.write(`${fault}: ${cases.length} of ${sent.length} statements, PK_FAULTS_SEED=${seed}\n`);
    const problems = await inLanes(LANES, cases, chosen =>
      onClone(prepared, async clone => {
        const oracle = await consultOracle(clone, POLICIES);
        const { reports } = await applyThrough(clone, chosen.number, fault);
        const codes = reports.flatMap(({ error }) => error?.code ?? []);
        const found = [
          ...codes.filter(code => code !== 'CONNECTION_LOST' && code !== 'CONNECTION_FAILED'),
          ...(await oracle.meanwhile()),
          ...(await oracle.afterNextRun(openPartkeeper(clone, POLICIES))),
        ];
        return found.map(problem => `${describeCase(chosen)}: ${problem}`);
      }),
    );
    expect(problems.flat()).toEqual([]);
  },
);
