/** The current window and those ahead of it. Zones, gaps, overlaps, names and contradictions have files of their own. */
import { describe, expect, test } from 'vitest';
import type { Interval } from '../../../src/domain/interval.ts';
import { planProvision } from '../../../src/planner/provision.ts';
import { aServer, aTablePolicy, aTimeTable, at, monthly } from '../../support/facts.ts';
import { codes, created, provisionTwice, rules, skips, spans } from '../../support/plans.ts';

describe('a table without partitions', () => {
  test.each<[Interval, readonly string[]]>([
    [
      'hour',
      [
        'event_metric_events_2026_11_21_06: 2026-11-21T06:00:00Z to 2026-11-21T07:00:00Z',
        'event_metric_events_2026_11_21_07: 2026-11-21T07:00:00Z to 2026-11-21T08:00:00Z',
        'event_metric_events_2026_11_21_08: 2026-11-21T08:00:00Z to 2026-11-21T09:00:00Z',
      ],
    ],
    [
      'day',
      [
        'event_metric_events_2026_11_21: 2026-11-21 to 2026-11-22',
        'event_metric_events_2026_11_22: 2026-11-22 to 2026-11-23',
        'event_metric_events_2026_11_23: 2026-11-23 to 2026-11-24',
      ],
    ],
    [
      'week',
      [
        'event_metric_events_2026_w47: 2026-11-16 to 2026-11-23',
        'event_metric_events_2026_w48: 2026-11-23 to 2026-11-30',
        'event_metric_events_2026_w49: 2026-11-30 to 2026-12-07',
      ],
    ],
    [
      'month',
      [
        'event_metric_events_2026_11: 2026-11-01 to 2026-12-01',
        'event_metric_events_2026_12: 2026-12-01 to 2027-01-01',
        'event_metric_events_2027_01: 2027-01-01 to 2027-02-01',
      ],
    ],
    [
      'quarter',
      [
        'event_metric_events_2026_q4: 2026-10-01 to 2027-01-01',
        'event_metric_events_2027_q1: 2027-01-01 to 2027-04-01',
        'event_metric_events_2027_q2: 2027-04-01 to 2027-07-01',
      ],
    ],
    [
      'year',
      [
        'event_metric_events_2026: 2026-01-01 to 2027-01-01',
        'event_metric_events_2027: 2027-01-01 to 2028-01-01',
        'event_metric_events_2028: 2028-01-01 to 2029-01-01',
      ],
    ],
  ])('gets the current %s and two ahead', (interval, expected) => {
    const part = provisionTwice(aTimeTable(), aTablePolicy({ interval }));
    expect(created(part)).toEqual(expected);
    expect(rules(part)).toEqual(['current-window', 'premake', 'premake']);
    expect({ skips: skips(part), codes: codes(part) }).toEqual({ skips: [], codes: [] });
  });

  test.each([0, 1, 2, 5, 24])('gets the current window and %i ahead, no more and no less', premake => {
    for (const interval of ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const) {
      const part = provisionTwice(aTimeTable(), aTablePolicy({ interval, premake }));
      expect(part.actions.length, interval).toBe(premake + 1);
      expect(part.actions.map(({ because }) => ('ahead' in because ? because.ahead : 0))).toEqual(
        Array.from({ length: premake + 1 }, (_, ahead) => ahead),
      );
    }
  });

  test.each<[string, Interval, string, readonly string[]]>([
    [
      'from January into a leap year’s February',
      'month',
      '2024-01-31T23:59:59.999999Z',
      ['2024-01-01 to 2024-02-01', '2024-02-01 to 2024-03-01', '2024-03-01 to 2024-04-01'],
    ],
    [
      'over a leap day',
      'day',
      '2024-02-28T12:00:00Z',
      ['2024-02-28 to 2024-02-29', '2024-02-29 to 2024-03-01', '2024-03-01 to 2024-03-02'],
    ],
    [
      'over the end of February 2100',
      'day',
      '2100-02-27T12:00:00Z',
      ['2100-02-27 to 2100-02-28', '2100-02-28 to 2100-03-01', '2100-03-01 to 2100-03-02'],
    ],
    [
      'from one year to the next',
      'month',
      '2026-12-31T23:59:59.999999Z',
      ['2026-12-01 to 2027-01-01', '2027-01-01 to 2027-02-01', '2027-02-01 to 2027-03-01'],
    ],
    [
      'over week 53',
      'week',
      '2026-12-27T23:59:59.999999Z',
      ['2026-12-21 to 2026-12-28', '2026-12-28 to 2027-01-04', '2027-01-04 to 2027-01-11'],
    ],
  ])('goes on %s', (_, interval, now, expected) => {
    expect(spans(provisionTwice(aTimeTable(), aTablePolicy({ interval }), at(now)))).toEqual(expected);
  });
});

describe('a table that has its partitions', () => {
  test('needs nothing, and each window is reported as covered', () => {
    const part = provisionTwice(aTimeTable({ partitions: monthly('2026-08', '2027-01') }), aTablePolicy());
    expect(created(part)).toEqual([]);
    expect(skips(part)).toEqual([
      'covered 2026-11-01 to 2026-12-01',
      'covered 2026-12-01 to 2027-01-01',
      'covered 2027-01-01 to 2027-02-01',
    ]);
    expect(codes(part)).toEqual([]);
  });

  test('gets the window that has come into view, in the midst of those that exist', () => {
    const part = provisionTwice(aTimeTable({ partitions: monthly('2026-08', '2026-12') }), aTablePolicy());
    expect(created(part)).toEqual(['event_metric_events_2027_01: 2027-01-01 to 2027-02-01']);
    expect(part.actions[0]?.because).toEqual({
      rule: 'premake',
      window: { lower: at('2027-01-01'), upper: at('2027-02-01') },
      ahead: 2,
      premake: 2,
    });
    expect(skips(part)).toEqual(['covered 2026-11-01 to 2026-12-01', 'covered 2026-12-01 to 2027-01-01']);
  });

  test('the partitions are made in the order of time, the current one first', () => {
    const partitions = monthly('2026-08', '2026-09');
    expect(spans(provisionTwice(aTimeTable({ partitions }), aTablePolicy({ retention: 'forever' })))).toEqual([
      '2026-11-01 to 2026-12-01',
      '2026-12-01 to 2027-01-01',
      '2027-01-01 to 2027-02-01',
      '2026-10-01 to 2026-11-01',
    ]);
  });

  test('what is created says on whose behalf, as whom and after whose example', () => {
    const table = aTimeTable();
    const [action] = planProvision(table, aTablePolicy(), at('2026-11-21'), aServer()).actions;
    expect(action).toEqual({
      kind: 'create-partition',
      target: table.relation,
      relation: { schema: 'unified', name: 'event_metric_events_2026_11' },
      parent: table.oid,
      window: { lower: at('2026-11-01'), upper: at('2026-12-01') },
      keyType: 'timestamptz',
      shape: table.shape,
      probe: true,
      actAs: { owner: 'app_owner', how: 'set-role' },
      because: { rule: 'current-window', window: { lower: at('2026-11-01'), upper: at('2026-12-01') } },
    });
  });

  test.each([
    ['self', false, 'self'],
    ['member', false, 'set-role'],
    ['member', true, 'superuser'],
    ['none', true, 'superuser'],
  ] as const)('whose owner we are as %s, superuser %s, is changed as %s', (relation, isSuperuser, how) => {
    const table = aTimeTable({ ownership: { owner: 'app_owner', relation } });
    const part = planProvision(table, aTablePolicy(), at('2026-11-21'), aServer({ isSuperuser }));
    expect(new Set(part.actions.map(({ actAs }) => actAs.how))).toEqual(new Set([how]));
  });
});
