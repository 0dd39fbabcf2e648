/** A table: policy and facts → its partitions on a line, with what is missing, what is due, and what is on its way out. Pure. */
import { asWindow, type Bound, type PartitionBound } from '../domain/bound.ts';
import { holes } from '../domain/coverage.ts';
import { formatDuration } from '../domain/duration.ts';
import type { Facts, MissingReason, PartitionedTableFacts, PartitionFacts } from '../domain/facts.ts';
import type { Moments } from '../domain/moments.ts';
import type { CreatePartition, Plan } from '../domain/plan.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { formatRelationName, isSameRelation } from '../domain/relation.ts';
import type { RetirementFacts } from '../domain/retirement.ts';
import { earlier, type Instant, isBefore, type KeyType, later } from '../domain/time.ts';
import { coverageEnd, partitionState, type TableClock, tableClock } from '../report/partition-state.ts';
import type { TableStatus } from './document.ts';
import { keyText, momentText, orNull, plain } from './text.ts';

export function tableStatus(policy: TablePolicy, facts: Facts | undefined, moments: Moments, plan: Plan): TableStatus {
  const table = facts?.tables.find(({ relation }) => isSameRelation(relation, policy.relation));
  const reason = facts?.missing.find(({ relation }) => isSameRelation(relation, policy.relation))?.reason;
  const nothing = { ...unknownTable(policy), problem: reason ? WHY_MISSING[reason] : 'It has not been looked at yet.' };
  if (!table) return nothing;
  if (table.key.kind !== 'time') return { ...nothing, problem: plain(table.key.because) };
  const { column, type } = table.key;
  const clock = tableClock(policy, type, moments);
  const end = coverageEnd(table.partitions, policy, type, moments.now);
  return {
    ...nothing,
    problem: null,
    key: { column, type },
    now: keyText(wholeSecond(clock.now), type),
    cutoff: clock.cutoff ? keyText(wholeSecond(clock.cutoff), type) : null,
    coveredUntil: end === 'unbounded' ? 'unbounded' : orNull(end),
    bytes: sum(table.partitions, ({ size }) => size.bytesEstimate),
    rows: sum(table.partitions, ({ size }) => size.rowsEstimate ?? 0),
    partitions: table.partitions.toSorted(byStart).map(partition => partitionStatus(partition, clock, type)),
    gaps: gapsOf(table, clock).map(({ lower, upper }) => ({ from: keyText(lower, type), to: keyText(upper, type) })),
    planned: createdIn(plan, policy).map(({ relation, window }) => ({
      name: formatRelationName(relation),
      from: keyText(window.lower, type),
      to: keyText(window.upper, type),
    })),
    retirements: (facts?.ledger?.retirements.get(table.oid) ?? []).map(each => retirementStatus(each, type)),
  };
}

const unknownTable = (policy: TablePolicy): TableStatus => ({
  name: formatRelationName(policy.relation),
  problem: null,
  policy: {
    interval: policy.interval,
    premake: policy.premake,
    retention: policy.retention === 'forever' ? 'forever' : formatDuration(policy.retention),
    retire: policy.retire,
    grace: policy.grace ? formatDuration(policy.grace) : null,
    defaultPartition: policy.defaultPartition,
    timezone: policy.timezone,
  },
  key: null,
  now: null,
  cutoff: null,
  coveredUntil: null,
  bytes: 0,
  rows: 0,
  partitions: [],
  gaps: [],
  planned: [],
  retirements: [],
});

export const WHY_MISSING: { readonly [K in MissingReason]: string } = {
  absent: 'It does not exist.',
  'not-partitioned': 'It is not a partitioned table.',
  'not-a-materialized-view': 'It is not a materialized view.',
  'is-a-partition': 'It is itself a partition of another table.',
};

const partitionStatus = (
  partition: PartitionFacts,
  clock: TableClock,
  key: KeyType,
): TableStatus['partitions'][number] => ({
  name: formatRelationName(partition.relation),
  state: partitionState(partition, clock),
  ...rangeText(partition.bound, key),
  bytes: partition.size.bytesEstimate,
  rows: partition.size.rowsEstimate ?? null,
});

const rangeText = (bound: PartitionBound, key: KeyType): { from: string | null; to: string | null } => {
  const end = (side: Bound): string | null => (side.kind === 'at' ? keyText(side.at, key) : null);
  return bound.kind === 'range' ? { from: end(bound.lower), to: end(bound.upper) } : { from: null, to: null };
};

const retirementStatus = (
  { recorded, state, bound, intendedAt, dropAfter, found }: RetirementFacts,
  key: KeyType,
): TableStatus['retirements'][number] => ({
  name: formatRelationName(found?.relation ?? recorded),
  state,
  ...rangeText(bound, key),
  intendedAt: momentText(intendedAt),
  dropAfter: orNull(dropAfter),
  bytes: found?.size.bytesEstimate ?? null,
});

/** Between the oldest and the newest bound; and up to now, where the newest one is past. */
function gapsOf({ partitions }: PartitionedTableFacts, { now }: TableClock) {
  const ends = partitions.flatMap(({ bound }) => {
    const window = asWindow(bound);
    return window ? [window.lower, window.upper] : oneEndOf(bound);
  });
  const [first] = ends;
  return first ? holes(partitions, ends.reduce(earlier, first), ends.reduce(later, later(first, now))) : [];
}

const oneEndOf = (bound: PartitionBound): readonly Instant[] =>
  bound.kind === 'range' ? [bound.lower, bound.upper].flatMap(end => (end.kind === 'at' ? [end.at] : [])) : [];

const createdIn = ({ actions }: Plan, { relation }: TablePolicy): readonly CreatePartition[] =>
  actions.filter(
    (action): action is CreatePartition =>
      action.kind === 'create-partition' && isSameRelation(action.target, relation),
  );

/** By the lower bound, what has none first; what has no place in time last. */
function byStart(a: PartitionFacts, b: PartitionFacts): number {
  if (a.bound.kind !== 'range' || b.bound.kind !== 'range')
    return Number(a.bound.kind !== 'range') - Number(b.bound.kind !== 'range');
  const [x, y] = [a.bound.lower, b.bound.lower];
  if (x.kind !== 'at' || y.kind !== 'at') return Number(x.kind === 'at') - Number(y.kind === 'at');
  if (x.at.equals(y.at)) return 0;
  return isBefore(x.at, y.at) ? -1 : 1;
}

const wholeSecond = (at: Instant): Instant => at.round({ smallestUnit: 'second', roundingMode: 'floor' });

const sum = <T>(all: readonly T[], value: (each: T) => number): number =>
  all.reduce((total, each) => total + value(each), 0);
