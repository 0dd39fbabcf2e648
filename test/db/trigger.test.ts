/** Asking for a run: by SQL, by the client, by a plain send. The same work is queued once, and nothing but configured work is. */
import type { PgBoss } from 'pg-boss';
import { describe, expect } from 'vitest';
import { createClient } from '../../src/index.ts';
import { openBoss, prepareQueue } from '../../src/queue/boss.ts';
import { waitUntilBlocked } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { addressOf, install } from '../support/install.ts';
import { configure, jobsInQueue, queueTest } from '../support/queue.ts';

const test = queueTest.extend('queue', { auto: true }, async ({ database }) => {
  await configure(database, [
    ['refresh', 'app.first'],
    ['refresh', 'app.second'],
    ['provision', 'app.events'],
    ['refresh', 'app."Odd ""name"""'],
  ]);
});

interface Answer {
  readonly run_id: string;
  readonly run_job: string;
  readonly run_target: string;
  readonly status: string;
}

const trigger = (database: Pick<TestDatabase, 'query'>, ...given: readonly unknown[]): Promise<Answer[]> =>
  database.query<Answer>(
    `select * from partkeeper.trigger(${given.map((_, index) => `$${index + 1}`).join(', ')})`,
    given,
  );

const sendPlainly = (boss: PgBoss, target: string) =>
  boss.send('partkeeper', { job: 'refresh', target }, { singletonKey: `refresh/${target}` });

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe('partkeeper.trigger()', () => {
  test('queues a job and answers with its id', async ({ database }) => {
    const [answer, ...others] = await trigger(database, 'refresh', 'app.first', 'after the import', 'importer');
    expect(others).toEqual([]);
    expect(answer).toEqual({
      run_id: expect.stringMatching(UUID),
      run_job: 'refresh',
      run_target: 'app.first',
      status: 'queued',
    });
    expect(await jobsInQueue(database)).toEqual([
      {
        id: answer?.run_id,
        state: 'created',
        singleton_key: 'refresh/app.first',
        data: { job: 'refresh', target: 'app.first', reason: 'after the import', requestedBy: 'importer' },
      },
    ]);
  });

  test('makes the job that a send of pg-boss would make', async ({ database, boss }) => {
    await trigger(database, 'refresh', 'app.first');
    await (await boss()).send(
      'partkeeper',
      { job: 'refresh', target: 'app.second' },
      { singletonKey: 'refresh/app.second', priority: 10 },
    );
    const jobs = await database.query<{ rest: object }>(`
      select to_jsonb(j) - array['id', 'data', 'singleton_key', 'created_on', 'start_after', 'keep_until']
        || jsonb_build_object('kept', keep_until - start_after) as rest
      from partkeeper_queue.job j where name = 'partkeeper' order by singleton_key`);
    const [byTrigger, bySend] = jobs.map(({ rest }) => rest);
    expect(byTrigger).toMatchObject({
      policy: 'exclusive',
      retry_limit: 3,
      expire_seconds: 660,
      heartbeat_seconds: 10,
    });
    expect(byTrigger).toEqual(bySend);
  });

  test('without a target asks for all of them', async ({ database }) => {
    const answers = await trigger(database, 'refresh');
    expect(answers.map(({ run_target, status }) => `${run_target} ${status}`)).toEqual([
      'app."Odd ""name""" queued',
      'app.first queued',
      'app.second queued',
    ]);
    expect(new Set(answers.map(({ run_id }) => run_id)).size).toBe(3);
  });

  test('reads names as the server does', async ({ database }) => {
    const spellings = ['APP.First', '"app"."first"', ' app.first '];
    for (const spelling of spellings)
      expect(await trigger(database, 'refresh', spelling)).toMatchObject([{ run_target: 'app.first' }]);
    expect(await trigger(database, 'refresh', 'app."Odd ""name"""')).toMatchObject([{ status: 'queued' }]);
    expect(await jobsInQueue(database)).toHaveLength(2);
  });

  test('signs with the role that is connected unless told otherwise', async ({ database }) => {
    await trigger(database, 'refresh', 'app.first');
    const [me] = await database.query('select session_user::text as name');
    expect(await jobsInQueue(database)).toMatchObject([{ data: { requestedBy: me?.name } }]);
  });

  test('F30: names the run that is queued or running already, and a new one once that is over', async ({
    database,
    boss,
  }) => {
    const [first] = await trigger(database, 'refresh', 'app.first');
    expect(await trigger(database, 'refresh', 'app.first')).toEqual([{ ...first, status: 'already queued' }]);
    const service = await boss();
    await service.fetch('partkeeper');
    expect(await trigger(database, 'refresh', 'app.first')).toEqual([{ ...first, status: 'already running' }]);
    await service.complete('partkeeper', first?.run_id ?? '');
    const [second] = await trigger(database, 'refresh', 'app.first');
    expect(second?.status).toBe('queued');
    expect(second?.run_id).not.toBe(first?.run_id);
  });

  test('called ten times at once gives one run and one id', async ({ database }) => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => database.connect()));
    const answers = (
      await Promise.all(
        clients.map(client => client.query<Answer>(`select * from partkeeper.trigger('refresh', 'app.first')`)),
      )
    ).map(({ rows }) => rows[0]);
    expect(new Set(answers.map(answer => answer?.run_id))).toEqual(new Set([(await jobsInQueue(database))[0]?.id]));
    expect(answers.map(answer => `${answer?.status}`).sort()).toEqual([...Array(9).fill('already queued'), 'queued']);
    expect(await jobsInQueue(database)).toHaveLength(1);
  });

  test('waits for a transaction that is about to queue the same, and queues it itself when that is rolled back', async ({
    database,
  }) => {
    const [undecided, second] = [await database.connect(), await database.connect()];
    const { rows: own } = await second.query<{ pid: number }>('select pg_backend_pid() as pid');
    await undecided.query(`begin; select * from partkeeper.trigger('refresh', 'app.first')`);
    const answering = second.query<Answer>(`select * from partkeeper.trigger('refresh', 'app.first')`);
    await waitUntilBlocked(undecided, own[0]?.pid ?? 0);
    await undecided.query('rollback');
    const [answer] = (await answering).rows;
    expect(answer?.status).toBe('queued');
    expect(await jobsInQueue(database)).toMatchObject([{ id: answer?.run_id }]);
  });

  test('in a snapshot that cannot see the run in its way says so, and queues nothing twice', async ({ database }) => {
    const old = await database.connect();
    await old.query('begin isolation level repeatable read; select 1');
    await trigger(database, 'refresh', 'app.first');
    await expect(old.query(`select * from partkeeper.trigger('refresh', 'app.first')`)).rejects.toMatchObject({
      code: '40001',
    });
    await old.query('rollback');
    expect(await jobsInQueue(database)).toHaveLength(1);
  });
});

describe('the client and a plain send', () => {
  test('answer with the id of the same run', async ({ database, boss }) => {
    const client = createClient({ pool: await database.connect() });
    const [triggered] = await client.trigger({ job: 'refresh', target: 'app.first', reason: 'why not' });
    expect(triggered).toEqual({
      runId: expect.stringMatching(UUID),
      job: 'refresh',
      target: 'app.first',
      status: 'queued',
    });
    const service = await boss();
    expect(await sendPlainly(service, 'app.first')).toBeNull();
    const [waiting] = await service.findJobs('partkeeper', { key: 'refresh/app.first' });
    expect(waiting?.id).toBe(triggered?.runId);
    const sent = await sendPlainly(service, 'app.second');
    expect(await client.trigger({ job: 'refresh', target: 'app.second' })).toMatchObject([
      { runId: sent, status: 'already queued' },
    ]);
    expect(await client.trigger({ job: 'provision' })).toMatchObject([{ target: 'app.events', status: 'queued' }]);
  });

  test('and SQL, all of them ten times at once, make one run', async ({ database, boss }) => {
    const services = await Promise.all(Array.from({ length: 3 }, () => boss()));
    const clients = await Promise.all(Array.from({ length: 7 }, () => database.connect()));
    const [sent, triggered] = await Promise.all([
      Promise.all(services.map(service => sendPlainly(service, 'app.first'))),
      Promise.all(
        clients.map(client => createClient({ pool: client }).trigger({ job: 'refresh', target: 'app.first' })),
      ),
    ]);
    const [job, ...more] = await jobsInQueue(database);
    expect(more).toEqual([]);
    const ids = [...sent.filter(id => id !== null), ...triggered.flat().map(({ runId }) => runId)];
    expect(new Set(ids)).toEqual(new Set([job?.id]));
    expect([
      ...sent.filter(id => id !== null),
      ...triggered.flat().filter(({ status }) => status === 'queued'),
    ]).toHaveLength(1);
  });
});

const HUGE = 'x'.repeat(5_000_000);

describe('what is not to be had', () => {
  test.for([
    ['a target of another job', ['refresh', 'app.events'], 'app.events is not configured for refresh'],
    ['a job that does not exist', ['vacuum', 'app.first'], 'app.first is not configured for vacuum'],
    ['a job without targets', ['retire'], 'nothing is not configured for retire'],
    ['SQL in a target', ['refresh', `app.first'; drop table app.first; --`], 'is not configured for refresh'],
    ['SQL in quotes', ['refresh', 'app."first; drop schema partkeeper cascade"'], 'is not configured for refresh'],
    ['SQL in a job', [`refresh'); delete from partkeeper.runs; --`, 'app.first'], 'app.first is not configured for'],
    ['a pattern', ['refresh', 'app.%'], 'app.% is not configured'],
    ['no name at all', ['refresh', ''], 'is not configured for refresh'],
    ['a name without its schema', ['refresh', 'first'], 'first is not configured'],
    ['a huge target', ['refresh', HUGE], 'is not configured for refresh'],
    ['a huge job', [HUGE, 'app.first'], 'is not configured for xxx'],
    ['a huge reason', ['refresh', 'app.first', HUGE], 'a reason has at most 500 characters'],
    ['a reason of 501 characters', ['refresh', 'app.first', '🚲'.repeat(501)], 'a reason has at most 500 characters'],
    ['a huge name of who asks', ['refresh', 'app.first', 'why', HUGE], 'requested_by at most 200'],
    ['a NUL in a target', ['refresh', 'app.first\0'], 'invalid byte sequence'],
    ['a NUL in a reason', ['refresh', 'app.first', 'a\0b'], 'invalid byte sequence'],
    ['no job', [null], 'nothing is not configured for no job'],
  ] as const)('%s is refused, and nothing is queued', async ([, given, message], { database }) => {
    const refusal = await trigger(database, ...given).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Error);
    expect(String(refusal)).toContain(message);
    expect(String(refusal).length).toBeLessThan(1_000);
    expect(await jobsInQueue(database)).toEqual([]);
    expect(await database.query(`select from pg_namespace where nspname = 'partkeeper'`)).toHaveLength(1);
  });

  test('is told together with what there is', async ({ database }) => {
    await expect(trigger(database, 'refresh', 'app.third')).rejects.toMatchObject({
      code: '22023',
      hint: 'Configured: provision app.events, refresh app."Odd ""name""", refresh app.first, refresh app.second.',
    });
  });

  test('the longest of each is taken, counted in characters', async ({ database }) => {
    expect(await trigger(database, 'refresh', 'app.first', '🚲'.repeat(500), '🚲'.repeat(200))).toMatchObject([
      { status: 'queued' },
    ]);
  });

  test('a NUL does not get into the queue by way of pg-boss either', async ({ database, boss }) => {
    const service = await boss();
    await expect(service.send('partkeeper', { job: 'refresh', target: 'app.first\0' })).rejects.toMatchObject({
      code: '22P05',
    });
    expect(await jobsInQueue(database)).toEqual([]);
  });

  test('without a queue it says that, too', async ({ database, boss }) => {
    await (await boss()).deleteQueue('partkeeper');
    await expect(trigger(database, 'refresh', 'app.first')).rejects.toMatchObject({
      message: 'refresh app.first could not be queued',
      hint: expect.stringContaining('partkeeper migrate up'),
    });
  });
});

describe('the queue’s settings', () => {
  test('follow the configuration, also of a queue that is there already', async ({ database }) => {
    await install(database, 'partkeeper_queue', 1_800_000);
    await trigger(database, 'refresh', 'app.first');
    expect(await database.query(`select expire_seconds, heartbeat_seconds, policy from partkeeper_queue.job`)).toEqual([
      { expire_seconds: 1_860, heartbeat_seconds: 10, policy: 'exclusive' },
    ]);
    await database.query(
      `update partkeeper_queue.queue set retention_seconds = 1, heartbeat_seconds = null, retry_backoff = false`,
    );
    await install(database, 'partkeeper_queue', 1_800_000);
    expect(
      await database.query('select retention_seconds, heartbeat_seconds, retry_backoff from partkeeper_queue.queue'),
    ).toEqual([{ retention_seconds: 1_209_600, heartbeat_seconds: 10, retry_backoff: true }]);
  });

  test('are not forced upon a queue that somebody made under another policy', async ({ database, boss }) => {
    const service = await boss();
    await service.deleteQueue('partkeeper');
    await service.createQueue('partkeeper', { policy: 'standard' });
    const ours = await openBoss({
      database: addressOf(database.url),
      schema: 'partkeeper_queue',
      migrate: false,
      onError: () => {},
    });
    await ours.start();
    await expect(prepareQueue(ours, 60_000)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    await ours.stop({ graceful: false });
  });
});
