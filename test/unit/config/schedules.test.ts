import { expect, test } from 'vitest';
import { cronOf } from '../../../src/config/parsers.ts';
import { longestGapMs, runIntervalOf, schedulesOf, shortestGapMs } from '../../../src/config/schedules.ts';
import type { JobName } from '../../../src/domain/plan.ts';
import { formatRelationName } from '../../../src/domain/relation.ts';
import { load, loadFiles } from './loading.ts';

const entries = (yaml: string): readonly string[] =>
  schedulesOf(load(yaml)).map(
    ({ job, target, schedule }) => `${job} ${formatRelationName(target)}: ${schedule.pattern} ${schedule.timezone}`,
  );

test('every pair of a job and a target, in the order in which one round runs them', () => {
  const bundled = schedulesOf(loadFiles({})).map(({ job, target, schedule }) => [job, target.name, schedule.pattern]);
  expect(bundled).toEqual([
    ['provision', 'event_metric_events', '10 0 * * *'],
    ['retire', 'event_metric_events', '40 2 * * *'],
    ['refresh', 'mv_recent_events', '*/5 * * * *'],
    ['refresh', 'mv_error_summary', '*/15 * * * *'],
    ['refresh', 'mv_performance_metrics', '*/5 * * * *'],
    ['analyze', 'event_metric_events', '15 3 * * *'],
  ]);
});

test('a table that is kept for ever is never retired, one that is not analyzed never analyzed', () => {
  expect(
    entries("tables: { a.b: { interval: day, analyze: off } }\njobs: { analyze: { schedule: '1 1 * * *' } }"),
  ).toEqual(['provision a.b: 10 0 * * * UTC']);
});

test('a view or table without times of its own takes those of its job', () => {
  const yaml = `
tables: { a.t: { interval: day }, a.u: { interval: day, analyze: { schedule: '2 2 * * *', timezone: UTC } } }
views: { a.v: {}, a.w: { schedule: '3 3 * * *' }, a.x: { timezone: Asia/Tokyo } }
jobs:
  provision: { timezone: Asia/Seoul }
  refresh: { schedule: '4 4 * * *', timezone: Europe/Paris }
  analyze: { schedule: '5 5 * * *' }
`;
  expect(entries(yaml)).toEqual([
    'provision a.t: 10 0 * * * Asia/Seoul',
    'provision a.u: 10 0 * * * Asia/Seoul',
    'refresh a.v: 4 4 * * * Europe/Paris',
    'refresh a.w: 3 3 * * * Europe/Paris',
    'refresh a.x: 4 4 * * * Asia/Tokyo',
    'analyze a.t: 5 5 * * * UTC',
    'analyze a.u: 2 2 * * * UTC',
  ]);
});

test('a view without any schedule is refreshed only when asked to', () => {
  expect(entries('views: { a.v: {} }')).toEqual([]);
});

test('every entry carries what its job says of ticks that cannot be kept, and nothing else', () => {
  const yaml = `
tables: { a.t: { interval: day, analyze: { schedule: '2 2 * * *' } } }
views: { a.v: { schedule: '3 3 * * *' } }
jobs:
  refresh: { overlap: queue-one, jitter: 90s, catchUp: skip, catchUpWindow: 6 hours }
  analyze: { jitter: 5min }
`;
  const kept = { overlap: 'skip', jitterMs: 0, catchUp: 'once', catchUpWindow: { amount: 31, unit: 'days' } };
  const at = (pattern: string) => ({ pattern, timezone: 'UTC' });
  const t = { schema: 'a', name: 't' };
  expect(schedulesOf(load(yaml))).toStrictEqual([
    { job: 'provision', target: t, schedule: at('10 0 * * *'), ...kept },
    {
      job: 'refresh',
      target: { schema: 'a', name: 'v' },
      schedule: at('3 3 * * *'),
      overlap: 'queue-one',
      jitterMs: 90_000,
      catchUp: 'skip',
      catchUpWindow: { amount: 6, unit: 'hours' },
    },
    { job: 'analyze', target: t, schedule: at('2 2 * * *'), ...kept, jitterMs: 300_000 },
  ]);
});

test('where partitions are hourly, creating and retiring are hourly by default', () => {
  expect(entries('tables: { a.h: { interval: hour, retention: 1 day }, a.d: { interval: day } }')).toEqual([
    'provision a.h: 10 * * * * UTC',
    'provision a.d: 10 * * * * UTC',
    'retire a.h: 40 * * * * UTC',
  ]);
});

test.each([
  ['* * * * *', 'UTC', 1 / 60, 1 / 60],
  ['10 0 * * *', 'UTC', 24, 24],
  ['10 0 * * *', 'Europe/Berlin', 25, 23],
  ['* 0 * * *', 'UTC', 23 + 1 / 60, 1 / 60],
  ['* * 1 * *', 'UTC', 30 * 24 + 1 / 60, 1 / 60],
  ['0 0 * * 1', 'UTC', 7 * 24, 7 * 24],
  ['*/7 * * * *', 'UTC', 7 / 60, 4 / 60],
  ['0 0 1 * *', 'UTC', 31 * 24, 28 * 24],
  ['0 0 1 1 *', 'UTC', 365 * 24, 365 * 24],
])('%s in %s pauses for at most %d hours, and at least %d', (pattern, timezone, longest, shortest) => {
  expect(longestGapMs({ pattern, timezone }) / 3_600_000).toBeCloseTo(longest);
  expect(shortestGapMs({ pattern, timezone }) / 3_600_000).toBeCloseTo(shortest);
});

test('how often what has a schedule is to run, nights and weekends included', () => {
  const yaml = `
tables: { a.t: { interval: day, retention: 90 days } }
views: { a.v: { schedule: '*/10 8-17 * * 1-5' } }
`;
  const intervalOf = runIntervalOf(load(yaml));
  const hoursOf = (job: JobName, name: string) => (intervalOf(job, { schema: 'a', name }) ?? 0) / 3_600;
  expect([hoursOf('provision', 't'), hoursOf('retire', 't'), hoursOf('analyze', 't')]).toEqual([24, 24, 0]);
  // From Friday 17:50 to Monday 8:00.
  expect(hoursOf('refresh', 'v')).toBe(62 + 10 / 60);
});

test.each(['*/5 * * * *', '15 3 * * *', '* * * * * *', '0 0 29 2 *', '0 0 L * *', '0 0 * * 5#2', '0 12 1-7 * 1'])(
  '%s comes due in UTC when it does where there never was a summer time',
  pattern => {
    for (const text of ['2024-02-28T23:59:59.999Z', '2026-03-29T01:00:00Z', '2026-10-25T01:00:00.001Z']) {
      const [ours, theirs] = ['UTC', 'Etc/UTC'].map(zone => cronOf(pattern, zone));
      expect(ours?.nextRuns(20, new Date(text))).toEqual(theirs?.nextRuns(20, new Date(text)));
      expect(ours?.previousRuns(20, new Date(text))).toEqual(theirs?.previousRuns(20, new Date(text)));
    }
  },
);
