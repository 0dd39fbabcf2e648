/** F18, F51: more partitions than the server has room for locks. */
import { test as base, expect } from 'vitest';
import { aTablePolicy, at, relation } from '../support/facts.ts';
import { createHours } from '../support/many-partitions.ts';
import { consultOracle } from '../support/oracle.ts';
import { databasesOn, startTestServer } from '../support/own-server.ts';
import { openPartkeeper } from '../support/partkeeper.ts';
import { shortOrLong } from '../support/stress.ts';

const test = base
  // 64 locks for each connection, as everywhere: not enough for a statement that touches every partition.
  .extend('settings', () => ({ max_connections: '30' }))
  .extend('server', async ({ settings }, { onCleanup }) => {
    const server = await startTestServer(settings);
    onCleanup(server.remove);
    return server;
  })
  .extend('own', async ({ server }, { onCleanup }) => {
    const own = await databasesOn(server)();
    onCleanup(own.close);
    return own;
  });

const LONG = relation('public.long');
const HOURS = shortOrLong(5_000, 10_000);

test(`F18, F51: a table with ${HOURS} partitions, more than the server has locks: nothing of ours touches them all`, async ({
  own: { database },
}) => {
  await createHours(database, 'long', { count: HOURS, end: new Date('2026-06-15T01:00Z') });
  const greedy = await database.connect();
  await expect(greedy.query('select min(at) from long')).rejects.toThrow(/out of shared memory/);
  // The error is sent before the locks are let go.
  await greedy.query('select 1');

  const tables = [
    aTablePolicy({
      relation: LONG,
      interval: 'hour',
      premake: 3,
      retention: { amount: HOURS - 4, unit: 'hours' },
      analyze: undefined,
    }),
  ];
  const question = { tables, at: at('2026-06-15'), where: "t.at > '2026-06-14'" };
  const oracle = await consultOracle(database, question);
  const partkeeper = openPartkeeper(database, question);
  expect(await partkeeper.apply()).toMatchObject([
    { run: { job: 'provision' }, outcome: 'success', done: 3 },
    { run: { job: 'retire' }, outcome: 'success', done: 3 },
    { run: { job: 'analyze' }, outcome: 'success' },
  ]);
  expect((await partkeeper.plan()).actions).toEqual([]);
  await partkeeper.close();
  expect(await oracle.meanwhile()).toEqual([]);
});
