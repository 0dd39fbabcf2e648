import { describe, expect, test } from 'vitest';
import type { PartitionFacts, StatisticsFacts } from '../../../src/domain/facts.ts';
import type { PlanPart } from '../../../src/domain/plan.ts';
import { planAnalyze } from '../../../src/planner/analyze.ts';
import {
  aPartition,
  aServer,
  aTablePolicy,
  aTimeTable,
  at,
  monthly,
  plusMicroseconds,
  someStatistics,
} from '../../support/facts.ts';

const V17 = aServer({ versionNumber: 170_010 });
const V18 = aServer({ versionNumber: 180_000 });
const ANALYZED = at('2026-11-20');

/** A table analysed at {@link ANALYZED}, unless told otherwise. */
const table = (partitions: readonly PartitionFacts[], statistics: Partial<StatisticsFacts> = {}) =>
  aTimeTable({ partitions, statistics: someStatistics({ changedRows: undefined, liveRows: 0, ...statistics }) });

const november = (statistics: Partial<StatisticsFacts>, over: Partial<PartitionFacts> = {}) =>
  aPartition('2026-11-01', '2026-12-01', { statistics: someStatistics(statistics), ...over });
/** Large, and of no consequence but for the share. */
const december = aPartition('2026-12-01', '2027-01-01', { statistics: someStatistics({ liveRows: 1_000_000 }) });

const short = (name: string) => name.replace('event_metric_events', 'parent').replace('parent_2026_', '');
const verdicts = ({ actions, skips }: PlanPart): readonly string[] => [
  ...actions.map(
    action =>
      `${short(action.relation.name)}: ${action.because.rule}${'only' in action && action.only ? ', only' : ''}`,
  ),
  ...skips.map(({ relation, reason }) => `${short(relation.name)}: ${reason}`),
];
const plan = (facts: ReturnType<typeof table>, server = V17): PlanPart => planAnalyze(facts, aTablePolicy(), server);

describe('a table that nobody asked to be analysed', () => {
  test('is left alone', () => {
    const part = planAnalyze(table([november({ analyzedAt: undefined })]), aTablePolicy({ analyze: undefined }), V17);
    expect(verdicts(part)).toEqual(['parent: not-configured']);
  });
});

describe('a partition is analysed', () => {
  test.each<[string, Partial<StatisticsFacts>, string]>([
    ['when it never was', { analyzedAt: undefined }, '11_01: never-analyzed'],
    ['when it never was, though it is empty', { analyzedAt: undefined, liveRows: 0 }, '11_01: never-analyzed'],
    ['not when autovacuum did', { analyzedAt: undefined, autoAnalyzedAt: at('2026-11-19') }, '11_01: hardly-changed'],
    ['not a row short of a tenth', { liveRows: 1000, changedRows: 99 }, '11_01: hardly-changed'],
    ['from a tenth on', { liveRows: 1000, changedRows: 100 }, '11_01: rows-changed'],
    ['not a row short of fifty, whatever the share', { liveRows: 10, changedRows: 49 }, '11_01: hardly-changed'],
    ['from fifty rows on', { liveRows: 10, changedRows: 50 }, '11_01: rows-changed'],
    ['when it was emptied', { liveRows: 0, changedRows: 100 }, '11_01: rows-changed'],
    ['not when PostgreSQL does not count', { changedRows: undefined }, '11_01: hardly-changed'],
    ['not when nothing changed', { liveRows: 0, changedRows: 0 }, '11_01: hardly-changed'],
  ])('%s', (_, statistics, expected) => {
    // The large neighbour keeps the parent's own share below its threshold.
    const part = plan(table([november(statistics), december]));
    expect(verdicts(part).filter(line => line.startsWith('11_01'))).toEqual([expected]);
    expect(verdicts(part)).toContain('parent: hardly-changed');
    expect(verdicts(part)).toContain('12_01: hardly-changed');
  });

  test.each([
    [0.5, 499, false],
    [0.5, 500, true],
    [1, 999, false],
    [1, 1000, true],
  ])('by the policy’s share of %d when %i of 1000 rows changed: %s', (changedShare, changedRows, isAnalyzed) => {
    const facts = table([november({ liveRows: 1000, changedRows }), december]);
    const part = planAnalyze(facts, aTablePolicy({ analyze: { changedShare } }), V17);
    expect(part.actions.length).toBe(isAnalyzed ? 1 : 0);
  });

  test('with the figures behind it, or those that were too low', () => {
    const many = plan(table([november({ liveRows: 1000, changedRows: 250 }), december]));
    expect(many.actions[0]?.because).toEqual({ rule: 'rows-changed', changed: 250, live: 1000 });
    const few = plan(table([november({ liveRows: 1000, changedRows: 7 }), december]));
    expect(few.skips.map(({ detail }) => detail)).toEqual([
      'none of its partitions changed enough',
      '7 of 1000 rows changed',
      '0 of 1000000 rows changed',
    ]);
  });

  test('but not a foreign table, nor one whose detach was begun', () => {
    const never = { analyzedAt: undefined };
    const facts = table([november(never, { kind: 'foreign' }), november(never, { isDetachPending: true })]);
    expect(verdicts(plan(facts))).toEqual(['parent: hardly-changed']);
  });
});

describe('the table itself is analysed', () => {
  test.each<[string, readonly PartitionFacts[], Partial<StatisticsFacts>, string]>([
    ['when it never was', [december], { analyzedAt: undefined }, 'never-analyzed'],
    ['when it never was and has no partitions', [], { analyzedAt: undefined }, 'never-analyzed'],
    [
      'when its partitions together changed by a tenth',
      [november({ liveRows: 500, changedRows: 60 }), november({ liveRows: 500, changedRows: 40 })],
      {},
      'rows-changed',
    ],
    [
      'not a row short of it',
      [november({ liveRows: 500, changedRows: 50 }), november({ liveRows: 500, changedRows: 49 })],
      {},
      'hardly-changed',
    ],
    [
      'when autovacuum analysed a partition a microsecond after it',
      [november({ autoAnalyzedAt: plusMicroseconds(ANALYZED, 1) })],
      {},
      'partitions-changed',
    ],
    ['not when autovacuum did at the same moment', [november({ autoAnalyzedAt: ANALYZED })], {}, 'hardly-changed'],
    [
      'not when a person analysed a partition after it',
      [november({ analyzedAt: plusMicroseconds(ANALYZED, 1) })],
      {},
      'hardly-changed',
    ],
    [
      'not for a foreign table that changed',
      [november({ liveRows: 10, changedRows: 1000, autoAnalyzedAt: at('2026-11-21') }, { kind: 'foreign' })],
      {},
      'hardly-changed',
    ],
    ['not when it has no partitions', [], {}, 'hardly-changed'],
  ])('%s', (_, partitions, statistics, rule) => {
    expect(verdicts(plan(table(partitions, statistics)))).toContain(`parent: ${rule}`);
  });

  test('before 18, and its partitions with it', () => {
    const part = plan(
      table([november({ analyzedAt: undefined }), december], { analyzedAt: undefined }),
      aServer({ versionNumber: 179_999 }),
    );
    expect(verdicts(part)).toEqual(['parent: never-analyzed']);
  });

  test('from 18 on by itself, and of its partitions those that need it', () => {
    const part = plan(table([november({ analyzedAt: undefined }), december], { analyzedAt: undefined }), V18);
    expect(verdicts(part)).toEqual(['parent: never-analyzed, only', '11_01: never-analyzed', '12_01: hardly-changed']);
  });

  test.each([V17, V18])('not when only a partition of it needs it ($version)', server => {
    const part = plan(table([november({ analyzedAt: undefined }), december]), server);
    expect(verdicts(part)).toEqual(['11_01: never-analyzed', 'parent: hardly-changed', '12_01: hardly-changed']);
  });

  test('by its owner', () => {
    const [action] = plan(table([], { analyzedAt: undefined }), V18).actions;
    expect(action).toEqual({
      kind: 'analyze-table',
      target: { schema: 'unified', name: 'event_metric_events' },
      relation: { schema: 'unified', name: 'event_metric_events' },
      table: 10_000,
      only: true,
      actAs: { owner: 'app_owner', how: 'set-role' },
      because: { rule: 'never-analyzed' },
    });
  });
});

test.each([V17, V18])('everything that can be analysed is accounted for once ($version)', server => {
  const partitions = monthly('2026-01', '2026-12');
  const part = plan(table(partitions), server);
  const accounted = [...part.actions, ...part.skips].map(({ relation }) => relation.name);
  expect(accounted).toEqual(['event_metric_events', ...partitions.map(({ relation }) => relation.name)]);
});
