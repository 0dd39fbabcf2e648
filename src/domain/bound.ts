/** Partition bounds as PostgreSQL means them: half-open, and `opaque` wherever we cannot read them with certainty. */
import type { Window } from './interval.ts';
import { type Instant, isAfter } from './time.ts';

/** `at` is in key time, see `time.ts`. `unbounded` is MINVALUE, MAXVALUE and the infinities. */
export type Bound =
  | { readonly kind: 'at'; readonly at: Instant }
  | { readonly kind: 'unbounded' }
  | { readonly kind: 'opaque'; readonly text: string };

export interface BoundRange {
  readonly lower: Bound;
  readonly upper: Bound;
}

/** `opaque`: a list, a hash, several columns, another key type, or anything else that is not proven to be a range of time. */
export type PartitionBound =
  | ({ readonly kind: 'range' } & BoundRange)
  | { readonly kind: 'default' }
  | { readonly kind: 'opaque'; readonly because: string };

/** Is every key that `range` can hold before `cutoff`? Only a readable upper bound can prove it. */
export const endsBy = (range: BoundRange, cutoff: Instant): boolean =>
  range.upper.kind === 'at' && !isAfter(range.upper.at, cutoff);

/** The range as a window, when both ends are readable moments. */
export const asWindow = (bound: PartitionBound): Window | undefined =>
  bound.kind === 'range' && bound.lower.kind === 'at' && bound.upper.kind === 'at'
    ? { lower: bound.lower.at, upper: bound.upper.at }
    : undefined;
