/** Somebody asks for a run in a transaction, and leaves that open: it holds the place of that job and target, and nothing else. */
import { expect } from 'vitest';
import { waitUntil } from '../support/client.ts';
import { daemonTest } from '../support/daemon.ts';
import { GATED_VIEWS } from '../support/gate.ts';

const test = daemonTest.extend('template', 'queue');

const POLICY = `views:
  app.first: { schedule: '* * * * * *', skipUnchanged: false }
  app.second: { schedule: '* * * * * *', skipUnchanged: false }
`;

const succeeded = (view: string): string =>
  `partkeeper_run_last_success_timestamp_seconds{target="${view}",operation="refresh"}`;

test('a request that is neither committed nor taken back keeps no other target from its turn, and its own for no longer than it lasts', async ({
  database,
  configure,
  daemon,
}) => {
  await database.query(GATED_VIEWS);
  await configure(POLICY);
  const service = await daemon();
  await service.metric(succeeded('app.first'), value => value > 0);
  await service.metric(succeeded('app.second'), value => value > 0);

  const undecided = await database.connect();
  await waitUntil(async () => {
    await undecided.query('begin');
    const { rows } = await undecided.query(`select status from partkeeper.trigger('refresh', 'app.first')`);
    if (rows[0]?.status === 'queued') return true;
    await undecided.query('rollback');
    return false;
  });
  await service.written('could not queue refresh app.first: canceling statement due to lock timeout');
  const held = await service.metrics();
  const [first = 0, second = 0] = [held.get(succeeded('app.first')), held.get(succeeded('app.second'))];
  await service.metric(succeeded('app.second'), value => value > second + 2);
  expect((await service.metrics()).get(succeeded('app.first'))).toBe(first);

  await undecided.query('rollback');
  await service.metric(succeeded('app.first'), value => value > first);
});
