/** Tables as a long life with people, other tools and changed minds may leave them behind; repeatable by their seed. */
import type { PartitionFacts } from '../../src/domain/facts.ts';
import { windowAt } from '../../src/domain/interval.ts';
import type { TablePolicy } from '../../src/domain/policy.ts';
import { calendarZone, formatInstant, type Instant } from '../../src/domain/time.ts';
import type { TimeTable } from '../../src/planner/target.ts';
import { aDefaultPartition, anOpaquePartition, aPartition, aTimeTable } from './facts.ts';
import type { Chance } from './random.ts';

/** Neighbours with holes between them, on the grid and off it, from `start` until `end` is passed; no two overlap. */
export function aRandomTable(
  random: Chance,
  policy: TablePolicy,
  start: Instant,
  end: Instant,
  key: TimeTable['key']['type'],
): TimeTable {
  const { below, pick } = random;
  const zone = calendarZone(key, policy.timezone);
  const partitions: PartitionFacts[] = [];
  const cut = (at: Instant): Instant => (key === 'date' ? at.toZonedDateTimeISO('UTC').startOfDay().toInstant() : at);
  let reached = cut(below(2) === 0 ? start : windowAt(start, policy.interval, zone).lower);
  if (below(8) === 0) partitions.push(aPartition('MINVALUE', formatInstant(reached)));
  while (reached.epochNanoseconds < end.epochNanoseconds) {
    const window = windowAt(reached, policy.interval, zone);
    // Mostly up to the next line of the grid; sometimes across a few, sometimes to anywhere.
    const anywhere = cut(random.instant(reached, windowAt(window.upper, policy.interval, zone).upper));
    const upper = pick([
      window.upper,
      window.upper,
      window.upper,
      windowAt(window.upper, policy.interval, zone).upper,
      anywhere,
    ]);
    if (upper.epochNanoseconds <= reached.epochNanoseconds) {
      reached = window.upper;
      continue;
    }
    if (below(5) > 0)
      partitions.push(
        aPartition(formatInstant(reached), formatInstant(upper), {
          isDetachPending: below(40) === 0,
          kind: pick(['table', 'table', 'table', 'table', 'table', 'partitioned', 'foreign']),
          relation: { schema: 'unified', name: `old_${partitions.length}` },
        }),
      );
    reached = upper;
  }
  if (below(8) === 0) partitions.push(aPartition(formatInstant(reached), 'MAXVALUE'));
  if (below(4) === 0) partitions.push(aDefaultPartition());
  if (below(4) === 0) partitions.push(anOpaquePartition());
  return aTimeTable({ partitions: shuffled(partitions, below) }, key);
}

function shuffled<T>(list: readonly T[], below: (limit: number) => number): readonly T[] {
  const rest = [...list];
  const mixed: T[] = [];
  while (rest.length > 0) mixed.push(...rest.splice(below(rest.length), 1));
  return mixed;
}
