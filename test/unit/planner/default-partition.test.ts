/** What a default partition beside the partitions to be means for their plan. */
import { describe, expect, test } from 'vitest';
import type { PartitionedTableFacts } from '../../../src/domain/facts.ts';
import { DEFAULT_POLICIES, type DefaultPolicy } from '../../../src/domain/policy.ts';
import { planProvision } from '../../../src/planner/provision.ts';
import {
  aDefaultPartition,
  aServer,
  aTablePolicy,
  aTimeTable,
  at,
  monthly,
  plusMicroseconds,
} from '../../support/facts.ts';
import { codes, created, provisionTwice, rules } from '../../support/plans.ts';

const REST = aDefaultPartition();
const NOW = at('2026-11-21T06:00:00Z');

const planWith = (defaultPartition: DefaultPolicy, over: Partial<Omit<PartitionedTableFacts, 'key'>> = {}, now = NOW) =>
  planProvision(
    aTimeTable({ partitions: [...monthly('2026-08', '2026-10'), REST], ...over }),
    aTablePolicy({ defaultPartition }),
    now,
    aServer(),
  );

const besides = (part: ReturnType<typeof planWith>) =>
  part.actions.map(action => (action.kind === 'create-partition' ? action.beside : undefined));

test.each<[DefaultPolicy, 'report' | 'drain']>([
  ['report', 'report'],
  ['drain', 'drain'],
  ['forbid', 'report'],
])('under the policy %s, rows in it are a case for %s', (policy, onRows) => {
  const common = { oid: REST.oid, relation: REST.relation, column: 'occurred_at', onRows };
  expect(besides(planWith(policy))).toEqual([
    { ...common, isAhead: false },
    { ...common, isAhead: true },
    { ...common, isAhead: true },
  ]);
});

test.each(DEFAULT_POLICIES)('without one, %s changes nothing', policy => {
  const part = planWith(policy, { partitions: monthly('2026-08', '2026-10') });
  expect(besides(part)).toEqual([undefined, undefined, undefined]);
  expect(codes(part)).toEqual([]);
});

test('one whose detach is pending takes no rows, and none are looked for in it', () => {
  const pending = { ...REST, isDetachPending: true };
  expect(besides(planWith('drain', { partitions: [...monthly('2026-08', '2026-11'), pending] }))).toEqual([
    undefined,
    undefined,
  ]);
});

test.each([
  [0, false],
  [-1, true],
])('a window that begins %i µs before now lies in the future: %s', (offset, isAhead) => {
  const part = planWith(
    'report',
    { partitions: [...monthly('2026-08', '2026-11'), REST] },
    plusMicroseconds(at('2026-12-01'), offset),
  );
  expect(besides(part)[0]).toMatchObject({ isAhead });
});

test.each<[DefaultPolicy, readonly string[]]>([
  ['report', ['DEFAULT_PARTITION']],
  ['drain', ['DEFAULT_PARTITION']],
  ['forbid', ['DEFAULT_FORBIDDEN', 'DEFAULT_PARTITION']],
])('the policy %s finds %j', (policy, expected) => {
  expect(codes(planWith(policy))).toEqual(expected);
});

test('without a record of drains nothing is drained, and a person is told', () => {
  const part = planWith('drain', { leftovers: { check: false, drains: undefined } });
  expect(besides(part).map(beside => beside?.onRows)).toEqual(['report', 'report', 'report']);
  expect(part.findings.filter(({ code }) => code === 'DRAIN_UNRECORDED')).toMatchObject([{ severity: 'warning' }]);
});

describe('what an interrupted run has left', () => {
  const drains = [{ id: 7, partition: 'event_metric_events_2026_11' }];

  test.each([
    [
      { check: true, drains: [] },
      { check: true, drains: [] },
    ],
    [
      { check: true, drains: undefined },
      { check: true, drains: [] },
    ],
    [
      { check: false, drains },
      { check: false, drains: [7] },
    ],
    [
      { check: true, drains },
      { check: true, drains: [7] },
    ],
  ])('%j is cleared first, whatever the policy', (leftovers, expected) => {
    for (const policy of DEFAULT_POLICIES) {
      const part = planWith(policy, { leftovers });
      expect(part.actions[0]).toMatchObject({ kind: 'clear-leftovers', relation: REST.relation, ...expected });
      expect(rules(part)).toEqual(['left-behind', 'current-window', 'premake', 'premake']);
    }
  });

  test('is cleared also when there is no partition to make', () => {
    const part = planWith('report', {
      partitions: [...monthly('2026-08', '2027-01'), REST],
      leftovers: { check: true, drains: [] },
    });
    expect(rules(part)).toEqual(['left-behind']);
  });

  test('does not keep a name from the partition that it was meant for', () => {
    const table = aTimeTable({
      partitions: [...monthly('2026-08', '2026-10'), REST],
      takenNames: new Set(['event_metric_events_2026_11', 'event_metric_events_2026_12']),
      leftovers: { check: false, drains },
    });
    const part = provisionTwice({ ...table, takenNames: new Set(['event_metric_events_2026_11']) }, aTablePolicy());
    expect(created(part)[0]).toBe('event_metric_events_2026_11: 2026-11-01 to 2026-12-01');
    expect(created(planProvision(table, aTablePolicy(), NOW, aServer()))[1]).toContain('_2026_12_2:');
  });

  test('nothing: there is nothing to clear', () => {
    expect(rules(planWith('drain'))).toEqual(['current-window', 'premake', 'premake']);
  });
});
