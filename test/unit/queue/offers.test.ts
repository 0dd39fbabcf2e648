import { describe, expect, test } from 'vitest';
import type { ScheduleEntry } from '../../../src/config/schedules.ts';
import type { CalendarDuration } from '../../../src/domain/duration.ts';
import type { JobName } from '../../../src/domain/plan.ts';
import { formatInstant, type Instant } from '../../../src/domain/time.ts';
import { type KnownSchedule, makeOffers, type Offer, type Offers } from '../../../src/queue/offers.ts';
import { at, relation } from '../../support/facts.ts';

const days = (amount: number): CalendarDuration => ({ amount, unit: 'days' });

const hourly = (over: Partial<ScheduleEntry> = {}): ScheduleEntry => ({
  job: 'refresh',
  target: relation('app.totals'),
  schedule: { pattern: '0 * * * *', timezone: 'UTC' },
  overlap: 'skip',
  jitterMs: 0,
  catchUp: 'once',
  catchUpWindow: days(31),
  ...over,
});

/** The queue and the ledger that all replicas of a test share: an id is taken once, of a key one job is under way. */
function fakeQueue() {
  const ids = new Map<string, string>();
  const underWay = new Set<string>();
  const story: string[] = [];
  const paused = new Set<JobName>();
  const state = { isAway: false, missed: 0 };
  const clockOf = (tick: Instant): string => formatInstant(tick).slice(11, 16);
  const replica = (entries: readonly ScheduleEntry[], known: Partial<KnownSchedule> = {}): Offers =>
    makeOffers(entries, () => ({ lastTick: undefined, since: undefined, ...known }), {
      async send(entry, id, tick, startAfter): Promise<Offer> {
        if (state.isAway) throw new Error('the database is away');
        if (ids.has(id)) return 'known';
        const key = `${entry.job}/${entry.target.name}`;
        if (underWay.has(key)) return 'busy';
        underWay.add(key);
        const delayMs = startAfter.since(tick).total('milliseconds');
        ids.set(id, 'sent');
        story.push(`${clockOf(tick)} sent${delayMs > 0 ? ` ${delayMs} ms later` : ''}`);
        return 'taken';
      },
      async skip(_, id, tick, reason): Promise<boolean> {
        if (state.isAway) throw new Error('the database is away');
        if (ids.has(id)) return false;
        ids.set(id, reason);
        story.push(`${clockOf(tick)} ${reason}`);
        return true;
      },
      isPaused: job => paused.has(job),
      countMissed: (_, ticks) => {
        state.missed += ticks;
      },
    });
  return { replica, story, paused, state, ids, finish: () => underWay.clear() };
}

const MISSED = 'missed: no replica was there to offer it';
const OVERLAP = 'overlap: the run before it was still going';
const on = (time: string): Instant => at(`2026-11-21T${time}Z`);

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

describe('after all replicas were down', () => {
  const lastTick = on('00:00:00');

  test('one run makes up for all missed ticks, which are told and counted once, however many replicas come back', async () => {
    const { replica, story, state } = fakeQueue();
    const replicas = [1, 2, 3].map(() => replica([hourly()], { lastTick }));
    for (const { offerDue } of replicas) await offerDue(on('03:30:00'));
    expect(story).toEqual([`01:00 ${MISSED}`, `02:00 ${MISSED}`, '03:00 sent']);
    expect(state.missed).toBe(2);
  });

  test('with `catchUp: skip` nothing makes up for them, and the next tick is as ever', async () => {
    const { replica, story, state } = fakeQueue();
    const replicas = [1, 2].map(() => replica([hourly({ catchUp: 'skip' })], { lastTick }));
    for (const { offerDue } of replicas) await offerDue(on('02:30:00'));
    expect(story).toEqual([`01:00 ${MISSED}`, '02:00 missed: catchUp is skip']);
    expect(state.missed).toBe(2);
    for (const { offerDue } of replicas) await offerDue(on('03:00:00'));
    expect(story.slice(2)).toEqual(['03:00 sent']);
  });

  test('a tick of a minute ago is no missed one: a service that is restarted does not skip it', async () => {
    const { replica, story } = fakeQueue();
    await replica([hourly({ catchUp: 'skip' })], { lastTick }).offerDue(on('01:01:00'));
    expect(story).toEqual(['01:00 sent']);
  });

  test.for<[string, string, string]>([
    ['exactly as old as the window', '2026-11-08T00:00:00Z', 'sent'],
    ['a millisecond older', '2026-11-08T00:00:00.001Z', 'missed: longer ago than catchUpWindow'],
  ])('a tick %s: %s, it is %s', async ([, now, what]) => {
    const { replica, story } = fakeQueue();
    const monthly = hourly({ schedule: { pattern: '0 0 1 * *', timezone: 'UTC' }, catchUpWindow: days(7) });
    await replica([monthly], { lastTick: at('2026-10-01') }).offerDue(at(now));
    expect(story).toEqual([`00:00 ${what}`]);
  });

  test('many missed ticks are told one by one up to a hundred, and all of them counted, once', async () => {
    const { replica, ids, state } = fakeQueue();
    const replicas = [1, 2].map(() => replica([hourly()], { lastTick: at('2026-10-01') }));
    for (const { offerDue } of replicas) await offerDue(at('2026-10-21T00:00:30Z'));
    // 20 days of 24 ticks, of which the last one is sent.
    expect(state.missed).toBe(20 * 24 - 1);
    expect([...ids.values()].filter(what => what === MISSED)).toHaveLength(100);
    expect([...ids.values()].filter(what => what === 'sent')).toHaveLength(1);
  });

  test('a schedule that was never served has missed nothing, and is served at once', async () => {
    const { replica, story, state } = fakeQueue();
    await replica([hourly({ catchUp: 'skip' })]).offerDue(on('03:30:00'));
    expect(story).toEqual(['03:00 sent']);
    expect(state.missed).toBe(0);
  });
});

describe('a schedule that was changed', () => {
  // Until half past three it was daily.
  const known = { lastTick: on('00:00:00'), since: on('03:30:00') };

  test('has missed none of the ticks that it would have had before', async () => {
    const { replica, story, state } = fakeQueue();
    await replica([hourly()], known).offerDue(on('03:30:01'));
    expect(story).toEqual(['03:00 sent']);
    expect(state.missed).toBe(0);
  });

  test('has missed those after the change', async () => {
    const { replica, story, state } = fakeQueue();
    await replica([hourly({ catchUp: 'skip' })], known).offerDue(on('05:30:00'));
    expect(story).toEqual([`04:00 ${MISSED}`, '05:00 missed: catchUp is skip']);
    expect(state.missed).toBe(2);
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
