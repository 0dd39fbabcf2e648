/** The status of a real database: what the service keeps of it, and what the ledger adds. */
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Event } from '../../src/report/events.ts';
import { type StatusDocument, statusSchema } from '../../src/status/document.ts';
import { openStatus } from '../../src/status/status.ts';
import { waitUntil } from '../support/client.ts';
import { aTablePolicy, at } from '../support/facts.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { plainConfig } from '../support/plain-config.ts';
import { createTable } from '../support/tables.ts';

const test = partkeeperTest.extend('template', 'bookkeeping');

test('the catalog, the plan and the ledger of a table in grace', async ({ database, open }) => {
  const relation = await createTable(database, 'public.events', {
    partitions: {
      events_2026_01: ['2026-01-01', '2026-02-01'],
      events_2026_10: ['2026-10-01', '2026-11-01'],
    },
  });
  const policy = aTablePolicy({ relation, grace: { amount: 30, unit: 'days' }, probe: false, analyze: undefined });
  const partkeeper = open({ tables: [policy], at: at('2026-11-21') });
  const { runner } = partkeeper;
  const stopping = new AbortController();
  const status = openStatus({
    app: () => ({ config: plainConfig(), runner }),
    read: runner.database.read,
    now: () => at('2026-11-21'),
    problem: () => undefined,
    sleep: (ms, signal) => setTimeout(ms, undefined, { signal }),
    collect: look => look(),
  });
  const running = status.run(stopping.signal);
  let heard = 0;
  const document = (): StatusDocument => {
    for (const event of partkeeper.events.slice(heard)) status.listen(shiftedTo2026(event));
    heard = partkeeper.events.length;
    return statusSchema.parse(JSON.parse(JSON.stringify(status.document())));
  };

  await partkeeper.facts();
  expect(document()).toMatchObject({
    database: { name: database.name },
    tables: [{ partitions: [{ name: 'public.events_2026_01', state: 'expired' }, { state: 'past' }], gaps: [{}, {}] }],
  });
  await partkeeper.apply(['provision', 'retire']);
  await partkeeper.facts();
  const { tables, jobs, recent } = await waitUntil(
    async () => [document()].find(({ recent: { actions } }) => actions.some(({ kind }) => kind === 'detach-partition')),
    { what: 'the ledger to be read' },
  );
  expect(tables[0]?.retirements).toMatchObject([
    { name: 'public.events_2026_01', state: 'detached', dropAfter: expect.any(String), from: '2026-01-01T00:00:00Z' },
  ]);
  expect(tables[0]?.partitions.map(({ state }) => state)).toEqual(
    expect.arrayContaining(['past', 'current', 'future']),
  );
  expect(jobs.map(({ job, lastOutcome }) => `${job} ${lastOutcome}`)).toEqual(['provision success', 'retire success']);
  expect(recent.source).toBe('ledger');
  expect(new Set(recent.actions.map(({ kind, outcome }) => `${kind} ${outcome}`))).toEqual(
    new Set(['detach-partition done', 'create-partition done']),
  );
  stopping.abort();
  await running;
});

/** The server's clock is of today, and the table of November 2026. */
const shiftedTo2026 = (event: Event): Event => {
  if (event.kind !== 'observed') return event;
  const server = { ...event.facts.server, databaseNow: at('2026-11-21'), processNow: at('2026-11-21') };
  return { ...event, facts: { ...event.facts, server } };
};
