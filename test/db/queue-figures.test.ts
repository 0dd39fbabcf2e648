/** What the service tells of its queue: what waits there, how long it waited, and what became of it. */
import { expect } from 'vitest';
import { classify } from '../../src/postgres/sqlstate.ts';
import { openBoss } from '../../src/queue/boss.ts';
import { superviseUntilStopped } from '../../src/queue/supervise.ts';
import { startWorker, type WorkerPorts } from '../../src/queue/worker.ts';
import type { Event, JobOutcome } from '../../src/report/events.ts';
import type { RunReport } from '../../src/run-job.ts';
import { waitUntil } from '../support/client.ts';
import { relation } from '../support/facts.ts';
import { addressOf } from '../support/install.ts';
import { plainConfig } from '../support/plain-config.ts';
import { queueTest as test } from '../support/queue.ts';

const QUEUE = 'partkeeper';
const VIEW = relation('app.totals');

test('what is ready, what is not yet, what is under way, and since when the first could be taken', async ({
  boss,
  database,
  open,
}) => {
  const queue = await boss();
  await queue.send(QUEUE, {}, { singletonKey: 'first' });
  await queue.fetch(QUEUE);
  await queue.send(QUEUE, {}, { singletonKey: 'second' });
  await queue.send(QUEUE, {}, { singletonKey: 'third' });
  await queue.send(QUEUE, {}, { singletonKey: 'later', startAfter: 3_600 });
  // Over, one way or the other.
  const gone = await queue.send(QUEUE, {}, { singletonKey: 'gone' });
  await queue.cancel(QUEUE, gone ?? '');
  const [{ since } = { since: 0 }] = await database.query<{ since: number }>(
    `select floor(extract(epoch from min(start_after)) * 1000)::float8 as since from partkeeper_queue.job where singleton_key in ('second', 'third')`,
  );

  const { runner } = open();
  const stopping = new AbortController();
  const events: Event[] = [];
  await superviseUntilStopped({
    ...runner,
    boss: queue,
    use: work => work({ config: plainConfig(), runner }),
    sleep: async () => {},
    stopping: stopping.signal,
    tell: event => {
      events.push(event);
      if (event.kind === 'queue-watched') stopping.abort();
    },
    onError: error => {
      stopping.abort();
      throw error;
    },
  });
  expect(events).toMatchObject([
    { kind: 'collected', collector: 'queue', isGood: true },
    { kind: 'queue-watched', backlog: { ready: 2, deferred: 1, active: 1 } },
  ]);
  const watched = events.flatMap(event => (event.kind === 'queue-watched' ? [event.backlog.readySince] : []));
  expect(watched[0]?.epochMilliseconds).toBe(since);
});

test('a job that is taken and handled is told, with how long it could have been taken before', async ({
  boss,
  database,
}) => {
  const queue = await boss();
  const waits: number[] = [];
  const outcomes: JobOutcome[] = [];
  const report = (outcome: RunReport['outcome'], attempt: number): RunReport => ({
    run: { runId: 'r', attempt, job: 'refresh', target: VIEW, trigger: 'manual' },
    outcome,
    done: 0,
    failed: 0,
    deferred: 0,
    skips: [],
    findings: [],
    error: undefined,
  });
  const ports: WorkerPorts = {
    isConfigured: (_, { name }) => name === VIEW.name,
    isPaused: async () => false,
    // Somebody else's run of it is going, and then it is not any more.
    run: async ({ attempt = 1 }) => [report(attempt === 1 ? 'skipped' : 'success', attempt)],
    onRejected: () => {},
    leaveOut: async () => {},
    onReport: async () => {},
    onTaken: waitMs => void waits.push(waitMs),
    onHandled: outcome => void outcomes.push(outcome),
  };
  await queue.send(QUEUE, { job: 'refresh', target: 'app.secret' }, { singletonKey: 'forbidden' });
  await queue.send(
    QUEUE,
    { job: 'refresh', target: 'app.totals' },
    { singletonKey: 'wanted', retryLimit: 1, retryDelay: 0 },
  );
  await database.query(
    `update partkeeper_queue.job set start_after = now() - interval '90 s', created_on = now() - interval '1 h' where singleton_key = 'wanted'`,
  );
  await startWorker(queue, work => work(ports));
  await waitUntil(async () => outcomes.length === 3, { what: 'every job to be handled' });
  expect(outcomes.toSorted()).toEqual(['completed', 'rejected', 'retried']);
  const longest = Math.max(...waits);
  expect(longest).toBeGreaterThanOrEqual(90_000);
  expect(longest).toBeLessThan(3_600_000);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(0);
});

test('what keeps the worker from the queue is told in the words of the server', async ({ database }) => {
  const troubles: Error[] = [];
  const queue = await openBoss({
    database: addressOf(database.url),
    schema: 'partkeeper_queue',
    migrate: false,
    onError: error => void troubles.push(error),
  });
  await queue.start();
  try {
    await database.query('alter table partkeeper_queue.job_common rename to mislaid');
    await queue.work(QUEUE, async () => {});
    await waitUntil(async () => troubles.length > 0, { what: 'the worker to complain' });
  } finally {
    await queue.stop({ graceful: false });
  }
  expect(classify(troubles[0], 'reach the queue')).toMatchObject({
    sqlstate: '42P01',
    // pg-boss adds whose it is.
    message: expect.stringMatching(
      /^could not reach the queue: relation "partkeeper_queue\.job_common" does not exist \(Queue: partkeeper/,
    ),
  });
});
