import { expect, test } from 'vitest';
import { gapsOf, schedulesOf } from '../../../src/config/schedules.ts';
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

test('where partitions are hourly, creating and retiring are hourly by default', () => {
  expect(entries('tables: { a.h: { interval: hour, retention: 1 day }, a.d: { interval: day } }')).toEqual([
    'provision a.h: 10 * * * * UTC',
    'provision a.d: 10 * * * * UTC',
    'retire a.h: 40 * * * * UTC',
  ]);
});

test.each([
  ['* * * * *', 'UTC', 1 / 60],
  ['10 0 * * *', 'UTC', 24],
  ['10 0 * * *', 'Europe/Berlin', 25],
  ['* 0 * * *', 'UTC', 23 + 1 / 60],
  ['* * 1 * *', 'UTC', 30 * 24 + 1 / 60],
  ['0 0 * * 1', 'UTC', 7 * 24],
])('%s in %s pauses for at most %d hours', (pattern, timezone, hours) => {
  expect(gapsOf({ pattern, timezone }) / 3_600_000).toBeCloseTo(hours);
});
