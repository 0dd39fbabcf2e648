/** Asking for a run over HTTP: the same rules as by SQL, and on record who asked. */
import { describe, expect } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { HttpServer } from '../../src/http/listening.ts';
import type { Event } from '../../src/report/events.ts';
import { startTriggers, type TriggersOptions } from '../../src/triggers.ts';
import { openPartkeeper } from '../support/partkeeper.ts';
import { configure, jobsInQueue, queueTest } from '../support/queue.ts';

const TOKEN = 'correct-horse-battery-staple-0123456789';
const YAML = `tables: { app.events: { interval: month } }
views: { app.first: {} }
triggers: { listen: '127.0.0.1:0', tokenFile: /tokens }
`;
const FILES: Readonly<Record<string, string>> = {
  '/partkeeper.yaml': YAML,
  '/tokens': `ci:${TOKEN}\n${TOKEN}-plain\n`,
};
const CONFIG = loadConfig({
  flags: {},
  env: {},
  cwd: '/',
  isTerminal: false,
  isService: true,
  readFile: path => FILES[path] ?? '',
});

const REFUSED: readonly (readonly [string, unknown, string])[] = [
  [
    'a target that is not configured',
    { job: 'refresh', target: 'app.secret' },
    'app.secret is not configured for refresh',
  ],
  [
    'a job on the wrong kind of target',
    { job: 'refresh', target: 'app.events' },
    'app.events is not configured for refresh',
  ],
  ['no job', { target: 'app.first' }, 'the request cannot be understood'],
  ['a job that there is not', { job: 'drop' }, 'the request cannot be understood'],
  ['a policy', { job: 'retire', target: 'app.events', retention: '1 day' }, 'the request cannot be understood'],
  ['what acknowledges', { job: 'retire', acknowledge: ['x'] }, 'the request cannot be understood'],
  ['a tick', { job: 'refresh', tick: '2026-01-01T00:00:00Z' }, 'the request cannot be understood'],
  ['SQL', { job: 'refresh', target: "app.first'; drop table x; --" }, 'is not configured for refresh'],
  ['a long reason', { job: 'refresh', reason: 'x'.repeat(501) }, 'the request cannot be understood'],
  ['a list', [{ job: 'refresh' }], 'the request cannot be understood'],
  ['nothing', null, 'the request cannot be understood'],
];

const test = queueTest
  .extend('queue', { auto: true }, async ({ database }) => {
    await configure(database, [
      ['refresh', 'app.first'],
      ['provision', 'app.events'],
      ['retire', 'app.events'],
    ]);
  })
  .extend('door', ({ database }, { onCleanup }) => {
    const closing: (() => Promise<void>)[] = [];
    onCleanup(async () => {
      for (const close of closing) await close();
    });
    return async (over: Partial<TriggersOptions> & { readonly url?: string } = {}) => {
      const events: Event[] = [];
      const counted: string[] = [];
      const {
        runner,
        database: pool,
        close,
      } = openPartkeeper(database, over.url === undefined ? {} : { url: over.url });
      closing.push(close);
      const app = { config: CONFIG, policies: runner.policies, database: pool, runner, close };
      const server: HttpServer | undefined = await startTriggers({
        live: { app: () => app, use: work => work(app, new AbortController().signal) },
        emit: event => void events.push(event),
        metrics: { countRequest: ({ handler, code }) => counted.push(`${handler} ${code}`) },
        problem: () => undefined,
        monotonicMs: () => performance.now(),
        ...over,
      });
      if (!server) throw new Error('it did not start');
      closing.push(server.close);
      const post = async (body: unknown, token = TOKEN) => {
        const response = await fetch(`${server.address}/trigger`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        return { status: response.status, ...JSON.parse(await response.text()) };
      };
      return { post, events, counted };
    };
  });

describe('POST /trigger', () => {
  test('queues the job and answers with its id; on record are address, token and what the caller says', async ({
    database,
    door,
  }) => {
    const { post, events, counted } = await door();
    const { status, triggered } = await post({
      job: 'refresh',
      target: 'app.first',
      reason: 'after the import',
      requestedBy: 'ada',
    });
    expect(status).toBe(202);
    const [job, ...others] = await jobsInQueue(database);
    expect(others).toEqual([]);
    expect(triggered).toEqual([{ runId: job?.id, job: 'refresh', target: 'app.first', status: 'queued' }]);
    expect(job).toMatchObject({
      singleton_key: 'refresh/app.first',
      data: {
        job: 'refresh',
        target: 'app.first',
        reason: 'after the import',
        requestedBy: 'http 127.0.0.1, token ci, for ada',
      },
    });
    expect(await post({ job: 'refresh' })).toMatchObject({ triggered: [{ runId: job?.id, status: 'already queued' }] });
    expect(events.map(({ kind }) => kind)).toEqual(['listening', 'trigger-asked', 'trigger-asked']);
    expect(events[1]).toMatchObject({
      via: 'http 127.0.0.1, token ci',
      runs: [{ runId: job?.id, target: 'app.first' }],
    });
    expect(counted).toEqual(['trigger 202', 'trigger 202']);
  });

  test('without a name of the token there is the address, and what the caller says cannot break out of the record', async ({
    database,
    door,
  }) => {
    const { post } = await door();
    await post({ job: 'refresh', requestedBy: `x\u2028\n\u001b[31m${'é'.repeat(190)}` }, `${TOKEN}-plain`);
    const [job] = await jobsInQueue(database);
    const requestedBy = String(Reflect.get(job?.data ?? {}, 'requestedBy'));
    expect(requestedBy).toMatch(/^http 127\.0\.0\.1, for x {3}\[31mé+$/);
    expect(Array.from(requestedBy)).toHaveLength(200);
  });

  test('asks for nothing but configured work', async ({ database, door }) => {
    const { post, events } = await door();
    for (const [what, body, message] of REFUSED) {
      const { status, error } = await post(body);
      expect([status, error.code, error.message], what).toEqual([400, 'USAGE', expect.stringContaining(message)]);
      expect(error.hint, what).toMatch(/^(Send|Configured)/);
    }
    expect(await jobsInQueue(database)).toEqual([]);
    expect(events.filter(({ kind }) => kind === 'trigger-failed')).toHaveLength(REFUSED.length);
  });

  test('answers 503 while the database is away, and says why at once where that is known', async ({ door }) => {
    const away = await door({ url: 'postgres://u@127.0.0.1:1/none' });
    expect(await away.post({ job: 'refresh' })).toMatchObject({ status: 503, error: { code: 'CONNECTION_FAILED' } });
    const known = await door({ problem: () => 'the queue is not served yet' });
    expect(await known.post({ job: 'refresh' })).toEqual({
      status: 503,
      error: { code: 'CONNECTION_FAILED', message: 'the queue is not served yet' },
    });
  });

  test('of many that are refused, some are told, with how many were not', async ({ door }) => {
    let nowMs = 0;
    const limits = { failures: { atOnce: 100, perMinute: 1 } };
    const { post, events, counted } = await door({ monotonicMs: () => nowMs, limits });
    for (let times = 0; times < 15; times += 1) await post({ job: 'refresh' }, 'wrong');
    nowMs = 60_000;
    await post({ job: 'refresh' }, 'wrong');
    const untold = events.flatMap(event => (event.kind === 'trigger-refused' ? [event.untold] : []));
    expect(untold).toEqual([...Array.from({ length: 10 }, () => 0), 5]);
    expect(counted).toEqual(Array.from({ length: 16 }, () => 'trigger 401'));
    expect(JSON.stringify(events)).not.toContain(TOKEN);
  });
});

describe('where nothing is installed', () => {
  test.override('template', 'empty').override('queue', undefined);

  test('it is to be tried again, once somebody has installed it', async ({ door }) => {
    const { post } = await door();
    expect(await post({ job: 'refresh' })).toMatchObject({ status: 503, error: { code: 'RELATION_MISSING' } });
  });
});
