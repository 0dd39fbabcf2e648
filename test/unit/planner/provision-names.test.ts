import { describe, expect, test } from 'vitest';
import { takenNamePattern } from '../../../src/domain/naming.ts';
import { byteLength } from '../../../src/domain/relation.ts';
import { aPartition, aTablePolicy, aTimeTable, at, monthly } from '../../support/facts.ts';
import { codes, created, provisionTwice } from '../../support/plans.ts';

const named = (...names: readonly string[]): ReadonlySet<string> =>
  new Set(names.map(name => `event_metric_events_${name}`));
const AHEAD = monthly('2026-12', '2027-01');

describe('a name that something else has', () => {
  test.each([
    ['2026_11', named('2026_11'), 'event_metric_events_2026_11_2'],
    ['2026_11 and 2026_11_2', named('2026_11', '2026_11_2'), 'event_metric_events_2026_11_3'],
    ['2026_11 and 2026_11_3', named('2026_11', '2026_11_3'), 'event_metric_events_2026_11_2'],
  ])('(%s) does not keep a window from its partition, and is reported', (_, takenNames, name) => {
    const part = provisionTwice(aTimeTable({ partitions: AHEAD, takenNames }), aTablePolicy());
    expect(created(part)).toEqual([`${name}: 2026-11-01 to 2026-12-01`]);
    expect(part.findings).toEqual([
      {
        target: { schema: 'unified', name: 'event_metric_events' },
        code: 'NAME_TAKEN',
        severity: 'warning',
        message: `unified.event_metric_events_2026_11 exists and does not cover this window; the new partition is called ${name}`,
        hint: 'Find out what unified.event_metric_events_2026_11 is; rename or attach it if it belongs to the table.',
      },
    ]);
  });

  test('is of no interest when no window wants it', () => {
    const part = provisionTwice(
      aTimeTable({ partitions: AHEAD, takenNames: named('2026_10', '2026_11_2') }),
      aTablePolicy(),
    );
    expect(created(part)).toEqual(['event_metric_events_2026_11: 2026-11-01 to 2026-12-01']);
    expect(codes(part)).toEqual([]);
  });

  test('is no proof that a partition is there: a partition may be called after another month', () => {
    const misnamed = aPartition('2026-10-01', '2026-11-01', {
      relation: { schema: 'unified', name: 'event_metric_events_2026_11' },
    });
    const part = provisionTwice(
      aTimeTable({ partitions: [misnamed, ...AHEAD], takenNames: named('2026_11') }),
      aTablePolicy(),
    );
    expect(created(part)).toEqual(['event_metric_events_2026_11_2: 2026-11-01 to 2026-12-01']);
    expect(codes(part)).toEqual(['NAME_TAKEN']);
  });

  test('of a part of a window is got out of the way in silence', () => {
    const partitions = [aPartition('2026-11-01', '2026-11-10'), ...AHEAD];
    const takenNames = named('2026_11', '2026_11_from_1110');
    const part = provisionTwice(aTimeTable({ partitions, takenNames }), aTablePolicy());
    expect(created(part)).toEqual(['event_metric_events_2026_11_from_1110_2: 2026-11-10 to 2026-12-01']);
    expect(codes(part)).toEqual([]);
  });
});

describe('windows of one name', () => {
  test('the hour that the clocks of Berlin show twice has two partitions', () => {
    const policy = aTablePolicy({ interval: 'hour', timezone: 'Europe/Berlin', premake: 2 });
    const part = provisionTwice(aTimeTable(), policy, at('2026-10-25T00:30:00Z'));
    expect(created(part)).toEqual([
      'event_metric_events_2026_10_25_02: 2026-10-25 to 2026-10-25T01:00:00Z',
      'event_metric_events_2026_10_25_02_2: 2026-10-25T01:00:00Z to 2026-10-25T02:00:00Z',
      'event_metric_events_2026_10_25_03: 2026-10-25T02:00:00Z to 2026-10-25T03:00:00Z',
    ]);
  });

  test('a template that names every window alike still gives each its own name', () => {
    const part = provisionTwice(aTimeTable(), aTablePolicy({ name: '{table}' }));
    expect(created(part)).toEqual([
      'event_metric_events: 2026-11-01 to 2026-12-01',
      'event_metric_events_2: 2026-12-01 to 2027-01-01',
      'event_metric_events_3: 2027-01-01 to 2027-02-01',
    ]);
  });
});

test('a table of the longest name has partitions whose names can be found again and are not cut', () => {
  const name = `größte_${'ereignis_'.repeat(6)}`;
  expect(byteLength(name)).toBe(63);
  const relation = { schema: 'unified', name };
  const policy = aTablePolicy({ relation, interval: 'hour' });
  const part = provisionTwice(aTimeTable({ relation }), policy);
  const pattern = new RegExp(takenNamePattern(policy.name, name), 'u');
  expect(part.actions.length).toBe(3);
  expect(new Set(part.actions.map(action => action.relation.name)).size).toBe(3);
  for (const action of part.actions) expect(action.relation.name).toMatch(pattern);
});

test('names are taken from the calendar of the zone that cuts the windows', () => {
  const policy = aTablePolicy({ timezone: 'Europe/Berlin', premake: 0 });
  expect(created(provisionTwice(aTimeTable({}, 'timestamptz'), policy))).toEqual([
    'event_metric_events_2026_11: 2026-10-31T23:00:00Z to 2026-11-30T23:00:00Z',
  ]);
  expect(created(provisionTwice(aTimeTable({}, 'timestamp'), policy))).toEqual([
    'event_metric_events_2026_11: 2026-11-01 to 2026-12-01',
  ]);
});
