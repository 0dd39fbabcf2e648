/** `migrate up --grant-to` grants what the service needs and nothing more: each right is taken away in turn, and then missed. */
import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import { queries } from '../../src/catalog/queries.ts';
import { drains } from '../../src/executor/default/statements.ts';
import { statements } from '../../src/ledger/statements.ts';
import { openBoss, prepareQueue, QUEUE } from '../../src/queue/boss.ts';
import { createClient } from '../../src/queue/client.ts';
import { grantedRights, grantTo } from '../../src/queue/grants.ts';
import { leaveOutOf } from '../../src/queue/leave-out.ts';
import { makeKnown, readPaused, recall } from '../../src/queue/memory.ts';
import { aViewPolicy, relation } from '../support/facts.ts';
import { addressOf } from '../support/install.ts';
import { aRun } from '../support/ledger.ts';
import type { TestPartkeeper } from '../support/partkeeper.ts';
import { plainConfig } from '../support/plain-config.ts';
import { queueTest } from '../support/queue.ts';
import type { TestRole } from '../support/roles.ts';
import { shortOrLong } from '../support/stress.ts';

/** Of so many rights one is taken away, in turn from a random one on. */
const EVERY = shortOrLong(3, 1);
const SCHEMA = 'partkeeper_queue';
const VIEW = relation('public.shown');
const KEY = { singletonKey: 'refresh/public.shown' };
const WORK = { job: 'refresh', target: 'public.shown' };

/** What the service does with its queue. @returns what it was not allowed to do */
async function workOnQueue({ url }: TestRole, round: number): Promise<readonly string[]> {
  const refusals: string[] = [];
  const note = (error: unknown): void => void refusals.push(String(error));
  const boss = await openBoss({ database: addressOf(url), schema: SCHEMA, migrate: false, onError: note });
  const steps = [
    () => boss.start(),
    // Another time each time: what is as wanted is not updated.
    () => prepareQueue(boss, 60_000 + round * 1_000),
    () => boss.send(QUEUE, WORK, KEY),
    async () => {
      const [job] = await boss.fetch(QUEUE);
      await boss.touch(QUEUE, job?.id ?? '');
      await boss.complete(QUEUE, job?.id ?? '');
    },
    () => boss.supervise(QUEUE),
  ];
  for (const step of steps) await step().catch(note);
  await boss.stop({ graceful: false }).catch(note);
  return refusals;
}

/** No table has it. */
const PARTITION = 1;
const aRetirement = (): readonly unknown[] => [
  crypto.randomUUID(),
  'public.shown',
  2,
  'public',
  'shown_1',
  PARTITION,
  '',
  true,
  null,
  'expired',
  crypto.randomUUID(),
];

/** What the service does with its ledger, and the commands that are run as the same role. @returns as above */
async function workOnLedger(partkeeper: TestPartkeeper, round: number): Promise<readonly string[]> {
  const refusals: string[] = [];
  const note = (error: unknown): void => void refusals.push(String(error));
  const { database, runner } = partkeeper;
  const target = { job: 'refresh', target: VIEW, priority: 0, schedule: undefined, timezone: undefined } as const;
  const leaveOut = leaveOutOf(runner, SCHEMA);
  const query = (sql: string, parameters: readonly unknown[]) =>
    database.use(session => session.query<object>(sql, parameters, 'do this'));
  const before = partkeeper.events.length;
  const steps = [
    () => makeKnown(runner, plainConfig(), round % 2 === 0 ? [target] : []),
    () => makeKnown(runner, plainConfig(), [target]),
    () => recall(runner, [target]),
    () => readPaused(runner, [target]),
    () => query(statements.pause, ['refresh', '', 'me', null]),
    () => query(statements.pause, ['refresh', '', 'me', 'again']),
    () => query(statements.resume, ['', '']),
    () => partkeeper.run('refresh', { isAskedFor: true }),
    () => runner.ledger.begin(aRun('retire')),
    () => query(statements.intendRetirement, aRetirement()),
    () => query(statements.concludeRetirement, [PARTITION, 'kept', false]),
    () => query(statements.abandonRetirements, ['public.shown']),
    () => query(statements.acceptRetention, ['public', 'shown', 'public.shown', '90 days']),
    () => query(queries.ledger, [[PARTITION]]),
    () => query(statements.adopt, [true]),
    () => query(drains.begin, [round, 'public.events', 1, 'lower', 'upper']),
    () => query(drains.read, [round, null]),
    () => query(drains.advance, [round, 'intended', 'capturing']),
    () => query(drains.forget, [round]),
    () => leaveOut({ id: crypto.randomUUID(), ...target, tick: runner.clock(), reason: 'paused' }),
    () =>
      createClient({ pool: { query: async (sql, values) => ({ rows: [...(await query(sql, values))] }) } }).trigger({
        job: 'refresh',
      }),
  ];
  for (const step of steps) await Promise.resolve(step()).catch(note);
  for (const event of partkeeper.events.slice(before)) if ('error' in event && event.error) note(event.error);
  return refusals;
}

queueTest(
  'each of the rights is needed, and together they are enough',
  async ({ database, open, role }) => {
    const service = await role('login', 'service');
    await database.query(`create materialized view shown as select 1 as n; create unique index on shown (n);
    alter materialized view shown owner to ${service.sql}`);
    const client = await database.connect();
    await grantTo(client, service.name, SCHEMA);
    const partkeeper = open({ views: [aViewPolicy({ relation: VIEW, skipUnchanged: false })], url: service.url });
    let round = 0;
    const work = async (): Promise<readonly string[]> => {
      // So that everything is due that the queue does now and then, and the refresh is the first that is remembered.
      await database.query(`delete from ${SCHEMA}.job; update ${SCHEMA}.queue set maintain_on = null, monitor_claim_on = null;
      delete from partkeeper.view_refreshes`);
      round += 1;
      const refusals = [...(await workOnLedger(partkeeper, round)), ...(await workOnQueue(service, round))];
      const remembered = await database.query('select from partkeeper.view_refreshes');
      return remembered.length === 1 ? refusals : [...refusals, 'permission denied to remember the refresh'];
    };

    expect(await work()).toEqual([]);
    const unneeded: string[] = [];
    const granted = [
      'execute on function partkeeper.trigger',
      ...Object.entries(grantedRights(SCHEMA)).flatMap(([table, rights]) =>
        rights.map(right => `${right} on ${table}`),
      ),
    ];
    const first = randomInt(EVERY);
    for (const right of granted.filter((_, index) => index % EVERY === first)) {
      await database.query(`revoke ${right} from ${service.sql}`);
      if (!(await work()).some(refusal => refusal.includes('permission denied'))) unneeded.push(right);
      await grantTo(client, service.name, SCHEMA);
    }
    expect(unneeded).toEqual([]);
    expect(await work()).toEqual([]);
  },
  120_000,
);
