/** Asking a running service for a job, in each of four ways; and what it does with what it is not to do. */
import { userInfo } from 'node:os';
import { describe, expect } from 'vitest';
import { createClient } from '../../src/index.ts';
import { QUIET_VIEWS, withClosedGate } from '../support/gate.ts';
import { runsOnRecord } from '../support/ledger.ts';
import { idIn, settled, triggerTest as test, untilOver, untilRuns } from '../support/triggering.ts';

describe('four ways', () => {
  test('to ask for a run, each with its id, and with the id of the same run while it goes on', async ({
    cli,
    configure,
    daemon,
    database,
    boss,
  }) => {
    await configure(QUIET_VIEWS);
    await settled(daemon, database, 2);
    const client = createClient({ pool: await database.connect() });
    const target = 'app.first';
    const ways = {
      'command line': async () => {
        const { code, stdout } = await cli.run(['trigger', 'refresh', target, '--reason', 'command line']);
        expect(code).toBe(0);
        return { id: idIn(stdout), answer: /: (?<status>[a-z ]+), run /.exec(stdout)?.groups?.status };
      },
      'client of the library': async () => {
        const [answer] = await client.trigger({ job: 'refresh', target, reason: 'client of the library' });
        return { id: answer?.runId ?? 'none', answer: answer?.status };
      },
      'plain send': async () => {
        const key = `refresh/${target}`;
        const sent = await boss.send(
          'partkeeper',
          { job: 'refresh', target, reason: 'plain send' },
          { singletonKey: key },
        );
        if (sent !== null) return { id: sent, answer: 'queued' };
        const [busy] = (await boss.findJobs('partkeeper', { key })).filter(({ state }) => state === 'active');
        return { id: busy?.id ?? 'none', answer: busy && 'already running' };
      },
      'SQL function': async () => {
        const [row] = await database.query(`select * from partkeeper.trigger('refresh', $1, 'SQL function')`, [target]);
        return { id: row?.run_id as string, answer: row?.status as string };
      },
    };

    for (const [way, ask] of Object.entries(ways)) {
      const { id, answer } = await ask();
      expect({ way, answer }).toEqual({ way, answer: 'queued' });
      expect(await untilOver(database, id)).toMatchObject({
        state: 'completed',
        output: { outcome: 'success', done: 1 },
      });
      expect(await runsOnRecord(database)).toContainEqual(
        expect.objectContaining({ run_id: id, trigger: 'manual', reason: way, outcome: 'success', done: 1 }),
      );
    }
    expect((await runsOnRecord(database)).find(({ reason }) => reason === 'command line')?.requested_by).toBe(
      userInfo().username,
    );

    await withClosedGate(database, 1, async untilSomebodyWaits => {
      const [first] = await client.trigger({ job: 'refresh', target });
      await untilSomebodyWaits();
      for (const [way, ask] of Object.entries(ways))
        expect({ way, ...(await ask()) }).toEqual({ way, id: first?.runId, answer: 'already running' });
      // Another target is not in the way, and waits in the queue.
      const [other] = await client.trigger({ job: 'refresh', target: 'app.second' });
      expect(other?.status).toBe('queued');
      expect(await client.trigger({ job: 'refresh', target: 'app.second' })).toEqual([
        { ...other, status: 'already queued' },
      ]);
    });
    await untilRuns(database, `trigger = 'manual' and outcome = 'success'`, 6);
  });
});

describe('what another service sends', () => {
  const payloads: readonly (readonly [string, object | null, string])[] = [
    ['nothing', null, 'payload_invalid'],
    ['a list', ['refresh', 'app.first'], 'payload_invalid'],
    ['more than the schema has', { job: 'refresh', target: 'app.first', retention: '1 day' }, 'payload_invalid'],
    ['a key of its own making', { job: 'refresh', target: 'app.first', __proto__x: 1 }, 'payload_invalid'],
    ['a job that is none', { job: 'vacuum', target: 'app.first' }, 'payload_invalid'],
    ['no target', { job: 'refresh' }, 'payload_invalid'],
    ['a list for a target', { job: 'refresh', target: ['app.first'] }, 'payload_invalid'],
    ['SQL for a target', { job: 'refresh', target: 'app.first; drop schema app cascade' }, 'payload_invalid'],
    ['SQL in quotes', { job: 'refresh', target: 'app."first; drop schema app cascade"' }, 'unknown_target'],
    ['a target of another job', { job: 'retire', target: 'app.first' }, 'unknown_target'],
    ['a target that is none', { job: 'refresh', target: 'app.third' }, 'unknown_target'],
    ['a forged tick', { job: 'refresh', target: 'app.first', tick: '2026-01-01T00:00:00Z' }, 'forged_tick'],
    ['a huge reason', { job: 'refresh', target: 'app.first', reason: 'x'.repeat(3_000_000) }, 'payload_invalid'],
    ['a huge key', { job: 'refresh', target: 'app.first', ['k'.repeat(1_000_000)]: 1 }, 'payload_invalid'],
  ];

  test('and is not to be had is rejected with the reason, before any of it reaches the database', async ({
    configure,
    daemon,
    database,
    boss,
  }) => {
    await configure(QUIET_VIEWS);
    const service = await settled(daemon, database, 2);
    const before = (await runsOnRecord(database)).length;
    const counts: Record<string, number> = {};
    const sent = new Map<string, string>();
    for (const [what, payload] of payloads)
      sent.set(what, (await boss.send('partkeeper', payload, { singletonKey: what })) ?? 'none');
    for (const [what, , rejection] of payloads) {
      const job = await untilOver(database, sent.get(what) ?? 'none');
      expect({ what, job }).toEqual({
        what,
        job: {
          state: 'completed',
          output: { outcome: 'rejected', reason: rejection, because: expect.stringMatching(/./) },
        },
      });
      expect(job.output.because.length, what).toBeLessThanOrEqual(500);
      counts[rejection] = (counts[rejection] ?? 0) + 1;
    }
    for (const [rejection, count] of Object.entries(counts))
      await service.metric(`partkeeper_queue_jobs_rejected_total{rejection="${rejection}"}`, value => value === count);
    expect(await runsOnRecord(database)).toHaveLength(before);
    expect(service.log().filter(({ msg }) => msg === 'job rejected')).toHaveLength(payloads.length);
    expect(service.output().length).toBeLessThan(100_000);

    const id = await boss.send(
      'partkeeper',
      { job: 'refresh', target: 'APP.First' },
      { singletonKey: 'refresh/app.first' },
    );
    expect(await untilOver(database, id ?? 'none')).toMatchObject({ output: { outcome: 'success' } });
  });
});
