import { describe, expect, test } from 'vitest';
import type { Offers } from '../../../src/queue/offers.ts';
import { relation } from '../../support/facts.ts';
import { fakeQueue, hourly, MISSED, OVERLAP, on } from './offering-scene.ts';

describe('a tick', () => {
  test('is offered once by each replica, whichever of them comes first, and taken once', async () => {
    const { replica, story, finish } = fakeQueue();
    const replicas = [replica([hourly()]), replica([hourly()]), replica([hourly()])];
    for (const time of ['06:00:00.003', '06:20:00', '07:00:00', '07:00:01']) {
      for (const { offerDue } of replicas) await offerDue(on(time));
      finish();
    }
    expect(story).toEqual(['06:00 sent', '07:00 sent']);
  });

  test.for<[string, string]>([
    ['05:59:59.999', '05:00'],
    ['06:00:00.000', '06:00'],
    ['06:00:00.001', '06:00'],
  ])('is due at its moment and not a millisecond before: at %s the last one is that of %s', async ([now, tick]) => {
    const { replica, story } = fakeQueue();
    await replica([hourly()]).offerDue(on(now));
    expect(story).toEqual([`${tick} sent`]);
  });

  test('is that of the zone of its schedule', async () => {
    const { replica, story } = fakeQueue();
    await replica([hourly({ schedule: { pattern: '0 9 * * *', timezone: 'Asia/Tokyo' } })]).offerDue(on('06:00:00'));
    expect(story).toEqual(['00:00 sent']);
  });

  test('of one schedule is offered although that of another one failed, and the failed one is offered again', async () => {
    const { replica, story, state, finish } = fakeQueue();
    let isBroken = true;
    const broken = hourly({ job: 'provision' });
    const fragile = new Proxy(broken, {
      get: (entry, key) => {
        if (key === 'jitterMs' && isBroken) throw new Error('out of order');
        return Reflect.get(entry, key);
      },
    });
    const { offerDue } = replica([fragile, hourly()]);
    await expect(offerDue(on('06:00:00'))).rejects.toThrow('out of order');
    expect(story).toEqual(['06:00 sent']);
    isBroken = false;
    finish();
    await offerDue(on('06:00:05'));
    expect(story).toEqual(['06:00 sent', '06:00 sent']);
    expect(state.missed).toBe(0);
  });

  test('that could not be offered while the database was away is sent when it is back', async () => {
    const { replica, story, state } = fakeQueue();
    const { offerDue } = replica([hourly()], { lastTick: on('05:00:00') });
    state.isAway = true;
    for (const time of ['06:00:00', '06:00:30', '06:10:00']) await expect(offerDue(on(time))).rejects.toThrow('away');
    state.isAway = false;
    await offerDue(on('06:11:00'));
    expect(story).toEqual(['06:00 sent']);
    expect(state.missed).toBe(0);
  });

  test.for<[string, (queue: ReturnType<typeof fakeQueue>, offers: Offers) => Promise<unknown>]>([
    [
      'while the database was away',
      async ({ state }, { offerDue }) => {
        state.isAway = true;
        await offerDue(on('06:00:00')).catch(() => {});
        await offerDue(on('07:00:00')).catch(() => {});
        state.isAway = false;
      },
    ],
    ['while this replica hung', async () => {}],
  ])('that passed %s is on record as missed, and the newest is sent', async ([, meanwhile]) => {
    const queue = fakeQueue();
    const offers = queue.replica([hourly()], { lastTick: on('05:00:00') });
    await meanwhile(queue, offers);
    await offers.offerDue(on('08:00:01'));
    expect(queue.story).toEqual([`06:00 ${MISSED}`, `07:00 ${MISSED}`, '08:00 sent']);
    expect(queue.state.missed).toBe(2);
  });
});

describe('a tick that comes while the run before it is still going', () => {
  test('is left out with `overlap: skip`, and the next one is sent when the way is free', async () => {
    const { replica, story, state, finish } = fakeQueue();
    const replicas = [1, 2].map(() => replica([hourly()]));
    for (const time of ['06:00:00', '07:00:00', '07:30:00', '08:00:00']) {
      if (time === '07:30:00') finish();
      for (const { offerDue } of replicas) await offerDue(on(time));
    }
    expect(story).toEqual(['06:00 sent', `07:00 ${OVERLAP}`, '08:00 sent']);
    expect(state.missed).toBe(0);
  });

  test('waits with `overlap: queue-one`, for longer than a tick may be late, and is sent once', async () => {
    const { replica, story, state, finish } = fakeQueue();
    const replicas = [1, 2].map(() => replica([hourly({ overlap: 'queue-one', catchUp: 'skip' })]));
    for (const time of ['06:00:00', '07:00:00', '07:30:00', '07:45:00']) {
      if (time === '07:45:00') finish();
      for (const { offerDue } of replicas) await offerDue(on(time));
    }
    expect(story).toEqual(['06:00 sent', '07:00 sent']);
    expect(state.missed).toBe(0);
  });

  test('is the only one that waits: a newer one takes its place, and it is left out for the overlap, not as missed', async () => {
    const { replica, story, state, finish } = fakeQueue();
    const { offerDue } = replica([hourly({ overlap: 'queue-one' })]);
    for (const time of ['06:00:00', '07:00:00', '08:00:00', '08:30:00']) {
      if (time === '08:30:00') finish();
      await offerDue(on(time));
    }
    expect(story).toEqual(['06:00 sent', `07:00 ${OVERLAP}`, '08:00 sent']);
    expect(state.missed).toBe(0);
  });
});

describe('a pause', () => {
  test('leaves ticks out and says so once; what comes after it is sent, and nothing is made up for', async () => {
    const { replica, story, paused, state } = fakeQueue();
    const replicas = [1, 2].map(() => replica([hourly()], { lastTick: on('05:00:00') }));
    paused.add('refresh');
    for (const time of ['06:00:00', '07:00:00', '07:10:00'])
      for (const { offerDue } of replicas) await offerDue(on(time));
    paused.delete('refresh');
    for (const time of ['07:20:00', '08:00:00']) for (const { offerDue } of replicas) await offerDue(on(time));
    expect(story).toEqual(['06:00 paused', '07:00 paused', '08:00 sent']);
    expect(state.missed).toBe(0);
  });

  test('of one job is none of another', async () => {
    const { replica, story, paused } = fakeQueue();
    paused.add('refresh');
    await replica([hourly(), hourly({ job: 'provision' })]).offerDue(on('06:00:00'));
    expect(story).toEqual(['06:00 paused', '06:00 sent']);
  });
});

describe('jitter', () => {
  const delays = async (jitterMs: number, names: readonly string[]): Promise<readonly number[]> => {
    const { replica, story } = fakeQueue();
    await replica(names.map(name => hourly({ jitterMs, target: relation(name) }))).offerDue(on('06:00:00'));
    return story.map(line => Number(/(\d+) ms later/.exec(line)?.[1] ?? 0));
  };
  const names = Array.from({ length: 200 }, (_, index) => `app.view_${index}`);

  test('is less than allowed, spread over the targets, and the same on every replica', async () => {
    const found = await delays(30_000, names);
    expect(found).toHaveLength(names.length);
    expect(Math.max(...found)).toBeLessThan(30_000);
    expect(await delays(30_000, names)).toEqual(found);
    const thirds = [0, 1, 2].map(third => found.filter(ms => Math.floor(ms / 10_000) === third).length);
    expect(Math.min(...thirds)).toBeGreaterThan(names.length / 6);
  });

  test('of none starts every run on time', async () => {
    expect(new Set(await delays(0, names))).toEqual(new Set([0]));
  });
});

describe('the next tick', () => {
  test('is the soonest of all schedules, and strictly later than now', () => {
    const daily = hourly({ schedule: { pattern: '30 6 * * *', timezone: 'UTC' } });
    const { nextAfter } = fakeQueue().replica([daily, hourly()]);
    const next = (time: string) => nextAfter(on(time))?.toString();
    expect([next('06:00:00'), next('06:30:00'), next('06:59:59.999')]).toEqual(
      ['06:30:00', '07:00:00', '07:00:00'].map(time => on(time).toString()),
    );
  });

  test('does not exist without schedules', () => {
    expect(fakeQueue().replica([]).nextAfter(on('06:00:00'))).toBeUndefined();
  });
});
