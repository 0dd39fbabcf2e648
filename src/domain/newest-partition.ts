/** The sibling that new partitions are made like, in what a partitioned table itself cannot have. */
import { asWindow } from './bound.ts';
import type { PartitionFacts } from './facts.ts';
import { type Instant, isAfter } from './time.ts';

/** The table with the latest end; undefined where no partition is a table of its own with two readable ends. */
export function newestPartition(partitions: readonly PartitionFacts[]): PartitionFacts | undefined {
  let newest: { readonly upper: Instant; readonly partition: PartitionFacts } | undefined;
  for (const partition of partitions) {
    const window = asWindow(partition.bound);
    if (window && partition.kind === 'table' && (newest === undefined || isAfter(window.upper, newest.upper)))
      newest = { upper: window.upper, partition };
  }
  return newest?.partition;
}
