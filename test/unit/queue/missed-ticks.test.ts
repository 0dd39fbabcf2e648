import { describe, expect, test } from 'vitest';
import { at } from '../../support/facts.ts';
import { days, fakeQueue, hourly, MISSED, on } from './offering-scene.ts';

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
