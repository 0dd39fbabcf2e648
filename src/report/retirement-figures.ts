/** Facts and runs → figures of what is retired: what is on its way out, and what a guard has held back. */
import type { Facts, Oid, PartitionedTableFacts } from '../domain/facts.ts';
import type { SkipReason } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import type { OpenState, RetirementFacts } from '../domain/retirement.ts';
import { earlier, type Instant, toEpochSeconds } from '../domain/time.ts';
import type { Event } from './events.ts';
import type { Meters } from './metric-registry.ts';

/** The states in which something is left of a retirement. */
export const OPEN_RETIREMENTS = [
  'intended',
  'detached',
  'kept',
  'restoring',
  'restored',
] as const satisfies readonly OpenState[];

/** The skips that are guards: what is left alone for one of them would otherwise be retired. */
export const SAFETY_STOPS = [
  'max-per-run',
  'not-acknowledged',
  'view-not-refreshed',
  'wrong-database',
  'last-partition',
  'clock-skew',
  'coverage-broken',
] as const satisfies readonly SkipReason[];

/** Target → the detach that is pending there; a table can have one. */
export type PendingDetaches = Map<string, { readonly partition: Oid; readonly since: Instant }>;

/** `pending` is what earlier looks have seen, and is kept up to date. */
export function recordRetirements(meters: Meters, { tables, ledger, server }: Facts, pending: PendingDetaches): void {
  for (const table of tables) {
    const retirements = ledger?.retirements.get(table.oid) ?? [];
    const target = formatRelationName(table.relation);
    recordPending(meters, target, table, retirements, pending, server.databaseNow);
    if (ledger) recordOpen(meters, target, retirements);
  }
}

function recordPending(
  meters: Meters,
  target: string,
  { partitions }: PartitionedTableFacts,
  retirements: readonly RetirementFacts[],
  pending: PendingDetaches,
  now: Instant,
): void {
  const found = partitions.find(({ isDetachPending }) => isDetachPending);
  const seen = pending.get(target);
  if (found) {
    const onRecord = retirements.find(({ partition }) => partition === found.oid)?.intendedAt;
    const since = onRecord ?? (seen?.partition === found.oid ? seen.since : now);
    pending.set(target, { partition: found.oid, since });
  } else pending.delete(target);
  const since = pending.get(target)?.since;
  meters.set('partkeeper_partition_detach_pending_since_timestamp_seconds', { target }, orZero(since));
}

function recordOpen(meters: Meters, target: string, retirements: readonly RetirementFacts[]): void {
  for (const state of OPEN_RETIREMENTS) {
    const count = retirements.filter(each => each.state === state).length;
    meters.set('partkeeper_retirements', { target, state }, count);
  }
  // What is a partition still, or again, is counted as one.
  const bytes = retirements.map(({ found }) => (found && found.parent === undefined ? found.size.bytesEstimate : 0));
  meters.set(
    'partkeeper_retirement_size_bytes',
    { target },
    bytes.reduce((total, each) => total + each, 0),
  );
  const drops = retirements.flatMap(({ state, dropAfter }) => (state === 'detached' && dropAfter ? [dropAfter] : []));
  const [first] = drops;
  meters.set(
    'partkeeper_retirement_next_drop_timestamp_seconds',
    { target },
    orZero(first && drops.reduce(earlier, first)),
  );
}

/** Once a run, however many partitions a guard has held back. */
export function countSafetyStops(meters: Meters, { run, skips }: Extract<Event, { kind: 'run-finished' }>): void {
  if (run.job !== 'retire') return;
  const target = formatRelationName(run.target);
  for (const reason of SAFETY_STOPS)
    if (skips.some(skip => skip.reason === reason))
      meters.add('partkeeper_retention_safety_stops_total', { target, reason });
}

const orZero = (at: Instant | undefined): number => (at === undefined ? 0 : toEpochSeconds(at));
