import { describe, expect, test } from 'vitest';
import { instantFrom } from '../../../src/domain/time.ts';
import type { RunReport } from '../../../src/run-job.ts';
import { runRound, runSchedule, type SchedulerOptions } from '../../../src/schedule/scheduler.ts';
import { configOf, type Imagined, imagine } from './imagined-time.ts';

const DAILY = configOf(`tables:
  app.events: { interval: day, retention: 90 days, analyze: off }
jobs:
  provision: { schedule: '10 0 * * *' }
  retire: { schedule: '10 0,12 * * *' }
`);

const optionsFor = (imagined: Imagined, over: Partial<SchedulerOptions> = {}): SchedulerOptions => ({
  config: DAILY,
  runner: imagined.runner,
  databaseNow: imagined.now,
  stopping: imagined.stopping,
  signal: new AbortController().signal,
  onIteration: () => {},
  ...over,
});

const schedule = (imagined: Imagined, before: readonly RunReport[] = [], over: Partial<SchedulerOptions> = {}) =>
  runSchedule(optionsFor(imagined, over), imagined.now(), before);

describe('the schedule', () => {
  test('runs every job at its ticks, creating before everything else, and nothing in between', async () => {
    const imagined = imagine(DAILY, '2026-11-20T23:00:00Z', '2026-11-22T23:00:00Z');
    await schedule(imagined);
    expect(imagined.runs()).toEqual([
      '2026-11-21T00:10:00Z provision',
      '2026-11-21T00:10:00Z retire',
      '2026-11-21T12:10:00Z retire',
      '2026-11-22T00:10:00Z provision',
      '2026-11-22T00:10:00Z retire',
      '2026-11-22T12:10:00Z retire',
    ]);
    expect(Math.max(...imagined.sleeps)).toBeLessThanOrEqual(15_000);
  });

  test('does not run what came due before it began', async () => {
    const imagined = imagine(DAILY, '2026-11-21T00:10:00Z', '2026-11-21T12:00:00Z');
    await schedule(imagined);
    expect(imagined.runs()).toEqual([]);
  });

  test('catches up once on all ticks that a machine has slept through', async () => {
    const imagined = imagine(DAILY, '2026-11-20T23:00:00Z', '2026-12-31T00:00:30Z');
    const sleep = imagined.runner.sleep;
    let hasSlept = false;
    const runner = {
      ...imagined.runner,
      sleep: async (ms: number, signal: AbortSignal) => {
        if (!hasSlept) imagined.setClock('2026-12-31T00:00:00Z');
        hasSlept = true;
        await sleep(ms, signal);
      },
    };
    await schedule(imagined, [], { runner });
    expect(imagined.runs()).toEqual(['2026-12-31T00:00:15Z provision', '2026-12-31T00:00:15Z retire']);
  });

  test('goes on when the clock was a year ahead and is put right', async () => {
    const imagined = imagine(DAILY, '2027-11-20T23:00:00Z', '2027-11-21T01:00:00Z');
    await schedule(imagined);
    expect(imagined.runs()).toHaveLength(2);
    const later = imagine(DAILY, '2026-11-20T23:00:00Z', '2026-11-21T01:00:00Z');
    await runSchedule(optionsFor(later), instantFrom('2027-11-21T00:10:00Z'), []);
    expect(later.runs().filter(run => run.endsWith('provision'))).toContain('2026-11-21T00:10:00Z provision');
  });

  test('takes no more work once it is told to stop', async () => {
    const imagined = imagine(DAILY, '2026-11-20T23:00:00Z', '2026-11-21T00:10:00Z');
    await schedule(imagined);
    expect(imagined.stopping.aborted).toBe(true);
    expect(imagined.runs()).toEqual([]);
  });
});

describe('a run that does not reach the database', () => {
  test('is tried again soon, and not only at the next tick', async () => {
    const imagined = imagine(DAILY, '2026-11-21T00:09:50Z', '2026-11-21T12:00:00Z');
    imagined.setReachable(false);
    const sleep = imagined.runner.sleep;
    const runner = {
      ...imagined.runner,
      sleep: async (ms: number, signal: AbortSignal) => {
        if (imagined.runs().length >= 8) imagined.setReachable(true);
        await sleep(ms, signal);
      },
    };
    await schedule(imagined, [], { runner });
    const runs = imagined.runs();
    expect(runs.filter(run => run.endsWith('provision'))).toHaveLength(5);
    expect(runs.every(run => run.startsWith('2026-11-21T00:10:0'))).toBe(true);
    const outcomes = imagined.events.flatMap(event => (event.kind === 'run-finished' ? [event.outcome] : []));
    expect(outcomes).toEqual([...Array.from({ length: 8 }, () => 'failure'), 'success', 'success']);
  });

  test('in the first round is tried again without waiting for a tick', async () => {
    const imagined = imagine(DAILY, '2026-11-21T06:00:00Z', '2026-11-21T07:00:00Z');
    imagined.setReachable(false);
    const before = await runRound(optionsFor(imagined), 'startup');
    expect(before.map(({ outcome }) => outcome)).toEqual(['failure', 'failure', 'failure']);
    imagined.setReachable(true);
    await schedule(imagined, before);
    // Its analyze has no schedule: nobody asked for it but the first round.
    expect(
      imagined
        .runs()
        .slice(3)
        .map(run => run.split(' ')[1]),
    ).toEqual(['provision', 'retire']);
  });
});
