/** A plan is data. Every object that was considered is in it: as an action with its reason, or as a skip with its reason. */

import type { Oid, PartitionShape } from './facts.ts';
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

interface RetirePartition extends ActionOn {
  readonly parent: Oid;
  readonly partition: Oid;
  /** The evidence, read again in the transaction that destroys. */
  readonly boundText: string;
  readonly rowsEstimate: number | undefined;
  readonly bytesEstimate: number;
}
export interface DropPartition extends RetirePartition {
  readonly kind: 'drop-partition';
}
export interface DetachPartition extends RetirePartition {
  readonly kind: 'detach-partition';
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

export type Action = CreatePartition | ClearLeftovers | DropPartition | DetachPartition | RefreshView | AnalyzeTable;
export type ActionKind = Action['kind'];

/** Which job an action belongs to. */
export const JOB_OF = {
  'create-partition': 'provision',
  'clear-leftovers': 'provision',
  'drop-partition': 'retire',
  'detach-partition': 'retire',
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

export const SEVERITIES = ['info', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Problems that a person should know of: the closed list with its severities. */
export const FINDINGS = {
  TARGET_MISSING: { severity: 'error', title: 'A configured relation does not exist or is of another kind.' },
  KEY_UNSUPPORTED: { severity: 'error', title: 'A table is not partitioned by one column of time.' },
  INTERVAL_CONTRADICTED: {
    severity: 'error',
    title: 'The existing partitions have another interval than the configuration.',
  },
  COVERAGE_BROKEN: { severity: 'error', title: 'Rows written now, or soon, would find no partition.' },
  NAME_TAKEN: {
    severity: 'warning',
    title: 'Another relation has the name of a partition to be; it gets another name.',
  },
  DEFAULT_PARTITION: {
    severity: 'info',
    title: 'A default partition makes creating and detaching take stronger locks.',
  },
  DEFAULT_HAS_ROWS: {
    severity: 'error',
    title: 'Rows in the default partition keep the partition that they belong to from being made.',
  },
  DEFAULT_FORBIDDEN: { severity: 'error', title: 'There is a default partition, and the policy forbids it.' },
  DRAIN_REFUSED: {
    severity: 'error',
    title: 'Rows in the default partition cannot be moved to their partition without risk.',
  },
  DRAIN_UNRECORDED: {
    severity: 'warning',
    title: 'Rows in a default partition are not moved, because it could not be put on record.',
  },
  UNREADABLE_BOUND: {
    severity: 'warning',
    title: 'A bound is not a range of time that can be read; the partition is left alone.',
  },
  UNBOUNDED_PARTITION: {
    severity: 'warning',
    title: 'A partition without an end is never retired, so its rows stay for ever.',
  },
  FOREIGN_PARTITION: { severity: 'info', title: 'A partition is a foreign table and is left alone.' },
  DETACH_PENDING: {
    severity: 'error',
    title: 'A concurrent detach was begun and never finished; rows of it are invisible.',
  },
  CLOCK_SKEW: {
    severity: 'error',
    title: 'The clocks of this process and of the database disagree; nothing is destroyed.',
  },
  NOT_OWNER: { severity: 'error', title: 'The role may not act as the owner of a target.' },
  READ_ONLY: { severity: 'error', title: 'The server is a standby or read-only.' },
  VIEW_NOT_CONCURRENT: { severity: 'error', title: 'A view has no unique index that a concurrent refresh can use.' },
  VIEW_NOT_POPULATED: {
    severity: 'error',
    title: 'A view was never populated and may not be filled by a plain refresh.',
  },
  SCHEMA_INCOMPLETE: { severity: 'warning', title: 'An object of the bundled schema is missing or does not work.' },
  BOOKKEEPING_MISSING: {
    severity: 'info',
    title: "partkeeper's own schema is not installed; refreshes are not remembered.",
  },
} as const satisfies Record<string, { readonly severity: Severity; readonly title: string }>;
export type FindingCode = keyof typeof FINDINGS;

export interface Finding {
  readonly target: RelationName;
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly message: string;
  readonly hint: string;
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

export const finding = (code: FindingCode, target: RelationName, message: string, hint: string): Finding => ({
  target,
  code,
  severity: FINDINGS[code].severity,
  message,
  hint,
});

export const hasErrors = (plan: Pick<Plan, 'findings'>): boolean =>
  plan.findings.some(({ severity }) => severity === 'error');
