/** A plan is data. Every object that was considered is in it: as an action with its reason, or as a skip with its reason. */

import type { Oid, PartitionShape } from './facts.ts';
import type { Finding } from './findings.ts';
import type { Window } from './interval.ts';
import type { RelationName } from './relation.ts';
import type { Instant, KeyType } from './time.ts';

/** The jobs, in the order in which one round runs them: creating never waits for anything else. */
export const JOB_NAMES = ['provision', 'retire', 'refresh', 'analyze'] as const;
export type JobName = (typeof JOB_NAMES)[number];

/** Why something is to be done. */
export type Because =
  | { readonly rule: 'current-window'; readonly window: Window }
  | { readonly rule: 'premake'; readonly window: Window; readonly ahead: number; readonly premake: number }
  | { readonly rule: 'gap'; readonly window: Window }
  | { readonly rule: 'left-behind'; readonly check: boolean; readonly drains: number }
  | { readonly rule: 'expired'; readonly upper: Instant; readonly cutoff: Instant; readonly retention: string }
  | { readonly rule: 'interrupted'; readonly intendedAt: Instant; readonly found: 'pending' | 'detached' }
  | { readonly rule: 'in-the-way' }
  | { readonly rule: 'grace-over'; readonly dropAfter: Instant }
  | { readonly rule: 'restore-asked'; readonly askedAt: Instant }
  | { readonly rule: 'not-expired-now'; readonly intendedAt: Instant }
  | { readonly rule: 'never-populated' }
  | { readonly rule: 'never-refreshed' }
  | { readonly rule: 'window-moved'; readonly lastRefresh: Instant }
  | { readonly rule: 'bases-changed'; readonly lastRefresh: Instant }
  | { readonly rule: 'asked-for' }
  | { readonly rule: 'reads-refreshed'; readonly view: RelationName }
  | { readonly rule: 'never-analyzed' }
  | { readonly rule: 'rows-changed'; readonly changed: number; readonly live: number }
  | { readonly rule: 'partitions-changed' };

/**
 * As whom it is done. `self`: we are the owner. `set-role`: become the owner for the time of the transaction.
 * `superuser`: nothing is needed, but what is created has to be given to the owner.
 */
export interface ActAs {
  readonly owner: string;
  readonly how: 'self' | 'set-role' | 'superuser';
}

interface ActionOn {
  /** The configured relation on whose behalf it is done. */
  readonly target: RelationName;
  /** The relation that is made, changed or removed. */
  readonly relation: RelationName;
  readonly because: Because;
  readonly actAs: ActAs;
}

/** The default partition beside a partition to be. Whether it holds rows of the window shows only when it is made. */
export interface BesideDefault {
  readonly oid: Oid;
  readonly relation: RelationName;
  /** The parent's key. */
  readonly column: string;
  readonly onRows: 'report' | 'drain';
  /** The whole window lies in the future: hardly a row is on its way to it. */
  readonly isAhead: boolean;
}

export interface CreatePartition extends ActionOn {
  readonly kind: 'create-partition';
  readonly parent: Oid;
  /** In key time. */
  readonly window: Window;
  readonly keyType: KeyType;
  readonly shape: PartitionShape;
  /** Whether to try, once it is there, that a row lands in it. */
  readonly probe: boolean;
  readonly beside?: BesideDefault | undefined;
}

/** Takes away what an interrupted run has left beside the default partition: before anything else, for it may refuse rows. */
export interface ClearLeftovers extends ActionOn {
  readonly kind: 'clear-leftovers';
  readonly parent: Oid;
  /** Whether the CHECK of ours is on `relation`, the default partition. */
  readonly check: boolean;
  readonly drains: readonly number[];
}

/** A partition, or what was one until we detached it, and the evidence that is read again before anything is done to it. */
export interface OnPartition extends ActionOn {
  readonly parent: Oid;
  readonly partition: Oid;
  /** As the catalog prints it, or as the ledger kept it: the catalog forgets the bound of what is detached. */
  readonly boundText: string;
  /** The same, in key time. */
  readonly window: Window;
  readonly key: { readonly column: string; readonly type: KeyType };
  readonly rowsEstimate: number | undefined;
  readonly bytesEstimate: number;
}

/**
 * How a partition is taken off its parent. `concurrently`: nobody waits, but it cannot be rolled back, so it needs the
 * ledger. `blocking`: in one transaction that keeps everybody from the parent for a moment, within the lock budget.
 */
export type DetachWay = 'concurrently' | 'blocking';

interface RetirePartition extends OnPartition {
  /** What the plan found; anything but `attached` was begun by an earlier run. */
  readonly from: 'attached' | 'pending' | 'detached';
  readonly way: DetachWay;
}
export interface DropPartition extends RetirePartition {
  readonly kind: 'drop-partition';
}
export interface DetachPartition extends RetirePartition {
  readonly kind: 'detach-partition';
  /** Undefined: it is kept. Otherwise a later run drops it, no earlier than this. */
  readonly dropAfter: Instant | undefined;
}
/** Ends a detach that somebody else began, because nothing else can be detached before. The table stays. */
export interface FinalizeDetach extends ActionOn {
  readonly kind: 'finalize-detach';
  readonly parent: Oid;
  readonly partition: Oid;
}
/** Attaches again what we detached. */
export interface RestorePartition extends OnPartition {
  readonly kind: 'restore-partition';
  /** Retention passes it over from then on, until somebody releases it. */
  readonly isLeftAlone: boolean;
}

export interface RefreshView extends ActionOn {
  readonly kind: 'refresh-view';
  readonly view: Oid;
  readonly concurrently: boolean;
  /** Read before the refresh, remembered after it. */
  readonly fingerprint: string | undefined;
  /** Whether partkeeper's own schema is there to remember it in. */
  readonly remember: boolean;
}

export interface AnalyzeTable extends ActionOn {
  readonly kind: 'analyze-table';
  readonly table: Oid;
  /** `ANALYZE ONLY`, from PostgreSQL 18: the parent's own statistics without those of its partitions. */
  readonly only: boolean;
}

export type Action =
  | CreatePartition
  | ClearLeftovers
  | DropPartition
  | DetachPartition
  | FinalizeDetach
  | RestorePartition
  | RefreshView
  | AnalyzeTable;
export type ActionKind = Action['kind'];

/** Which job an action belongs to. */
export const JOB_OF = {
  'create-partition': 'provision',
  'clear-leftovers': 'provision',
  'drop-partition': 'retire',
  'detach-partition': 'retire',
  'finalize-detach': 'retire',
  'restore-partition': 'retire',
  'refresh-view': 'refresh',
  'analyze-table': 'analyze',
} as const satisfies Record<ActionKind, JobName>;

/** Why something is left alone: a closed list, for people and for metrics. */
export const SKIP_REASONS = {
  covered: 'A partition for this window exists.',
  'beyond-retention': 'The hole lies before the retention cutoff; rows there would be expired on arrival.',
  'interval-contradicted': 'The existing partitions have another interval than the configuration.',
  'later-round': 'More holes than one run fills; the oldest come first.',
  'within-retention': 'Its upper bound is after the retention cutoff.',
  'keep-forever': 'The policy keeps every partition.',
  'default-partition': 'A default partition is never retired.',
  unbounded: 'A partition without a lower or upper bound is never retired.',
  'unreadable-bound': 'A bound that cannot be read proves nothing.',
  'foreign-table': 'Foreign tables are not ours to retire.',
  'detach-pending': 'A detach of it, or of a sibling, was begun and is not finished.',
  'in-grace': 'It is detached and is dropped when its grace is over.',
  renamed: 'It was renamed since it was detached, so somebody may have a use for it; it is left alone.',
  kept: 'It is detached and kept, as the policy says.',
  restored: 'It was attached again on request, and is left alone until it is released.',
  'max-per-run': 'More partitions than one run retires; the oldest go first.',
  'not-acknowledged': 'Much more than usual would be retired; somebody has to acknowledge that first.',
  'view-not-refreshed': 'A view that still needs its rows has not been refreshed since its end.',
  'wrong-database': 'The ledger belongs to another database than this one.',
  'last-partition': 'The last partition of a table is never retired.',
  'clock-skew': 'The clocks of this process and of the database disagree.',
  'coverage-broken':
    'The table lacks partitions for now or for the time to come; nothing is retired until it has them.',
  'not-owner': 'The role may not act as the owner.',
  'read-only': 'The server accepts no changes.',
  missing: 'The configured relation does not exist or is of another kind.',
  'unsupported-key': 'The partition key is not one column of time.',
  fresh: 'It was refreshed since its last due time.',
  unchanged: 'Nothing that it reads has changed since its last refresh.',
  'not-concurrent': 'It could be refreshed only under a lock that stops its readers, and the policy forbids that.',
  'not-populated': 'It was never populated, and the policy forbids a plain refresh.',
  'hardly-changed': 'Too few rows changed since the last ANALYZE.',
  'not-configured': 'The policy does not ask for it.',
} as const satisfies Record<string, string>;
export type SkipReason = keyof typeof SKIP_REASONS;

export interface Skip {
  readonly job: JobName;
  readonly target: RelationName;
  readonly relation: RelationName;
  readonly reason: SkipReason;
  /** The figures behind the reason, for a person. */
  readonly detail?: string | undefined;
}

export interface Plan {
  /** The database's clock when the facts were read, or the instant asked for. */
  readonly now: Instant;
  readonly actions: readonly Action[];
  readonly skips: readonly Skip[];
  readonly findings: readonly Finding[];
}

/** What one decision contributes to a plan. */
export type PlanPart = Omit<Plan, 'now'>;

export const NOTHING: PlanPart = { actions: [], skips: [], findings: [] };

export const joinParts = (parts: readonly PlanPart[]): PlanPart => ({
  actions: parts.flatMap(part => part.actions),
  skips: parts.flatMap(part => part.skips),
  findings: distinctFindings(parts.flatMap(part => part.findings)),
});

// Two jobs that look at the same table find the same fault; a person wants to read it once.
const distinctFindings = (findings: readonly Finding[]): readonly Finding[] => [
  ...new Map(
    findings.map(finding => [JSON.stringify([finding.target, finding.code, finding.message]), finding]),
  ).values(),
];
