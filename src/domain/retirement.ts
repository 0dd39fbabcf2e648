/**
 * The life of a partition that is on its way out, as the ledger keeps it: once a partition is detached, the catalog no longer
 * knows that it was one, so what may be done to the table is proven by what was written down before.
 */
import type { PartitionBound } from './bound.ts';
import type { Oid } from './facts.ts';
import type { RelationName } from './relation.ts';
import type { Instant } from './time.ts';

/**
 * `intended`: on record, and nothing is known to have come of it. `detached`: it waits to be dropped. `kept`: detached, and it
 * stays. `restoring`: somebody asked for it back. `restored`: attached again and left alone. The others are the ends of the
 * story: `dropped`, `released` (retention applies again), `abandoned` (the intention came to nothing, or the table is gone).
 */
export const RETIREMENT_STATES = [
  'intended',
  'detached',
  'kept',
  'restoring',
  'restored',
  'dropped',
  'released',
  'abandoned',
] as const;
export type RetirementState = (typeof RETIREMENT_STATES)[number];

/** Those that say something about a table that may still be there. */
export type OpenState = Exclude<RetirementState, 'dropped' | 'released' | 'abandoned'>;

/** An open retirement, and what the catalog says about its table now. */
export interface RetirementFacts {
  readonly partition: Oid;
  /** The name that it had when it was put on record. */
  readonly recorded: RelationName;
  readonly boundText: string;
  readonly bound: PartitionBound;
  readonly state: OpenState;
  readonly intendedAt: Instant;
  /** When somebody asked for it back. */
  readonly askedAt: Instant | undefined;
  /** Of a table that waits to be dropped. */
  readonly dropAfter: Instant | undefined;
  /** Undefined: the table is gone. */
  readonly found:
    | {
        readonly relation: RelationName;
        /** Whose partition it is now. */
        readonly parent: Oid | undefined;
        readonly isPending: boolean;
        readonly size: { readonly rowsEstimate: number | undefined; readonly bytesEstimate: number };
      }
    | undefined;
}

/** What the ledger knows beyond single partitions; undefined where there is no ledger. */
export interface LedgerFacts {
  /** Where it was written first; undefined before that. */
  readonly pinned: { readonly systemIdentifier: string; readonly database: string } | undefined;
  /** When each table was last found in order by `retire`, and the retention that it had then (`90 days`, or `forever`). */
  readonly accepted: ReadonlyMap<Oid, { readonly retention: string; readonly at: Instant }>;
  readonly retirements: ReadonlyMap<Oid, readonly RetirementFacts[]>;
}
