import { describe, expect, test } from 'vitest';
import { MAX_GAPS_PER_RUN } from '../../../src/planner/gaps.ts';
import { planProvision } from '../../../src/planner/provision.ts';
import { aPartition, aServer, aTablePolicy, aTimeTable, at, monthly, NOW } from '../../support/facts.ts';
import { carryOut } from '../../support/imagined-server.ts';
import { codes, created, day, provisionTwice, rules, skips, span, spans } from '../../support/plans.ts';

/** Everything that the policy wants from now on, so that only what lies before is left to plan. */
const AHEAD = monthly('2026-11', '2027-01');
/** 90 days before {@link NOW}. */
const CUTOFF = at('2026-08-23T06:00:00Z');

const skipsOf = (reason: string, all: readonly string[]): readonly string[] =>
  all.filter(line => line.startsWith(`${reason} `)).map(line => line.slice(reason.length + 1));

describe('a hole among the partitions', () => {
  test.each<[string, readonly [string, string], readonly string[], readonly string[]]>([
    ['inside retention is filled', ['2026-08', '2026-09'], ['2026-10-01 to 2026-11-01'], []],
    [
      'in which retention ends is filled by whole windows',
      ['2026-06', '2026-07'],
      ['2026-08-01 to 2026-09-01', '2026-09-01 to 2026-10-01', '2026-10-01 to 2026-11-01'],
      [],
    ],
    [
      'that retention has passed in part is filled from the window on in which it ends',
      ['2026-01', '2026-02'],
      ['2026-08-01 to 2026-09-01', '2026-09-01 to 2026-10-01', '2026-10-01 to 2026-11-01'],
      ['2026-03-01 to 2026-08-01'],
    ],
  ])('%s', (_, [first, last], filled, expired) => {
    const part = provisionTwice(aTimeTable({ partitions: [...monthly(first, last), ...AHEAD] }), aTablePolicy());
    expect(spans(part)).toEqual(filled);
    expect(new Set(rules(part))).toEqual(new Set(['gap']));
    expect(skipsOf('beyond-retention', skips(part))).toEqual(expired);
    expect(codes(part)).toEqual([]);
  });

  test('before retention is reported and left alone', () => {
    const partitions = [...monthly('2026-01', '2026-02'), ...monthly('2026-05', '2026-10'), ...AHEAD];
    const part = provisionTwice(aTimeTable({ partitions }), aTablePolicy());
    expect(created(part)).toEqual([]);
    expect(skipsOf('beyond-retention', skips(part))).toEqual(['2026-03-01 to 2026-05-01']);
  });

  test('is filled however old it is when everything is kept', () => {
    const partitions = [...monthly('2024-01', '2024-01'), ...monthly('2024-03', '2026-10'), ...AHEAD];
    const part = provisionTwice(aTimeTable({ partitions }), aTablePolicy({ retention: 'forever' }));
    expect(created(part)).toEqual(['event_metric_events_2024_02: 2024-02-01 to 2024-03-01']);
  });

  test('before the oldest partition is none, whatever retention says', () => {
    const part = provisionTwice(
      aTimeTable({ partitions: [...monthly('2026-10', '2026-10'), ...AHEAD] }),
      aTablePolicy(),
    );
    expect(created(part)).toEqual([]);
    expect(skipsOf('beyond-retention', skips(part))).toEqual([]);
  });

  test('several are filled, oldest first', () => {
    const partitions = ['2026-06', '2026-08', '2026-10'].flatMap(month => monthly(month, month));
    const table = aTimeTable({ partitions: [...AHEAD, ...partitions.toReversed()] });
    expect(spans(provisionTwice(table, aTablePolicy({ retention: { amount: 1, unit: 'years' } })))).toEqual([
      '2026-07-01 to 2026-08-01',
      '2026-09-01 to 2026-10-01',
    ]);
  });

  test('in the zone of the table has the zone’s windows', () => {
    const policy = aTablePolicy({
      timezone: 'Europe/Berlin',
      premake: 0,
      interval: 'day',
      retention: { amount: 40, unit: 'days' },
    });
    const partitions = [
      aPartition('2026-10-23T22:00:00Z', '2026-10-24T22:00:00Z'),
      aPartition('2026-10-26T23:00:00Z', '2026-11-21T23:00:00Z'),
    ];
    expect(spans(provisionTwice(aTimeTable({ partitions }), policy))).toEqual([
      '2026-10-24T22:00:00Z to 2026-10-25T23:00:00Z',
      '2026-10-25T23:00:00Z to 2026-10-26T23:00:00Z',
    ]);
  });
});

describe('a part of a window', () => {
  const partitions = (from: string) => [aPartition(from, '2026-09-01'), ...monthly('2026-09', '2026-10'), ...AHEAD];
  const older = monthly('2026-06', '2026-07');

  test.each([
    ['a microsecond after it', '2026-08-23T06:00:00.000001Z', true],
    ['at it', '2026-08-23T06:00:00Z', false],
    ['a microsecond before it', '2026-08-23T05:59:59.999999Z', false],
  ])('that ends %s, the cutoff, is created or not', (_, end, isCreated) => {
    const part = provisionTwice(aTimeTable({ partitions: [...older, ...partitions(end)] }), aTablePolicy());
    const window = `2026-08-01 to ${end}`;
    expect(spans(part)).toEqual(isCreated ? [window] : []);
    expect(skipsOf('beyond-retention', skips(part))).toEqual(isCreated ? [] : [window]);
    expect(day(CUTOFF)).toBe('2026-08-23T06:00:00Z');
  });

  test('of the current one that retention has passed is not created either', () => {
    // Otherwise it would be retired in the same round, and created again in the next, for ever.
    const policy = aTablePolicy({ retention: { amount: 7, unit: 'days' } });
    const part = provisionTwice(
      aTimeTable({ partitions: [aPartition('2026-11-10', '2026-12-01'), ...AHEAD.slice(1)] }),
      policy,
    );
    expect(created(part)).toEqual([]);
    expect(skipsOf('beyond-retention', skips(part))).toEqual(['2026-11-01 to 2026-11-10']);
  });

  test('of the current one that retention has not passed is created', () => {
    const policy = aTablePolicy({ retention: { amount: 12, unit: 'days' } });
    const part = provisionTwice(
      aTimeTable({ partitions: [aPartition('2026-11-10', '2026-12-01'), ...AHEAD.slice(1)] }),
      policy,
    );
    expect(spans(part)).toEqual(['2026-11-01 to 2026-11-10']);
    expect(rules(part)).toEqual(['current-window']);
  });
});

describe('more holes than one run fills', () => {
  const policy = aTablePolicy({ interval: 'hour', premake: 0, retention: 'forever' });
  const table = aTimeTable({
    partitions: [
      aPartition('2026-11-01', '2026-11-01T01:00:00Z'),
      aPartition('2026-11-03', '2026-11-03T01:00:00Z'),
      aPartition('2026-11-10', '2026-11-10T01:00:00Z'),
    ],
  });

  test('the oldest are filled, the rest is told', () => {
    const part = planProvision(table, policy, NOW, aServer());
    expect(rules(part).filter(rule => rule === 'gap').length).toBe(MAX_GAPS_PER_RUN);
    expect(spans(part)[1]).toBe('2026-11-01T01:00:00Z to 2026-11-01T02:00:00Z');
    // 47 hours up to the third, and 53 of those after it.
    expect(spans(part).at(-1)).toBe('2026-11-05T05:00:00Z to 2026-11-05T06:00:00Z');
    expect(skipsOf('later-round', skips(part))).toEqual([
      '2026-11-05T06:00:00Z to 2026-11-10',
      '2026-11-10T01:00:00Z to 2026-11-21T06:00:00Z',
    ]);
  });

  test('run after run they are all filled, the current window never waiting', () => {
    let state = table;
    const counts: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const part = planProvision(state, policy, NOW, aServer());
      if (part.actions.length === 0) break;
      if (round === 0) expect(rules(part)[0]).toBe('current-window');
      counts.push(rules(part).filter(rule => rule === 'gap').length);
      state = carryOut(state, part.actions);
    }
    expect(counts).toEqual([100, 100, 100, 100, 83]);
    expect(state.partitions.length).toBe(20 * 24 + 7);
  });

  test.each([99, 100, 101])('a hole of %i windows', hours => {
    const end = at('2026-11-01T01:00:00Z').add({ hours });
    const late = aPartition(end.toString(), '2026-11-21T06:00:00Z');
    const part = planProvision(
      aTimeTable({ partitions: [aPartition('2026-11-01', '2026-11-01T01:00:00Z'), late] }),
      policy,
      NOW,
      aServer(),
    );
    expect(rules(part).filter(rule => rule === 'gap').length).toBe(Math.min(hours, 100));
    const left = { lower: end.subtract({ hours: 1 }), upper: end };
    expect(skipsOf('later-round', skips(part))).toEqual(hours > 100 ? [span(left)] : []);
  });
});
