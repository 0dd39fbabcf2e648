/** Problems that a person should know of: the closed list, and the shape of one. */
import type { RelationName } from './relation.ts';

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
  OTHER_MANAGER: { severity: 'warning', title: 'Another tool manages the partitions of the same table.' },
  PARTITION_DIFFERS: {
    severity: 'warning',
    title: 'A partition is not made like its table and its siblings: rights, row security, triggers, indexes, storage.',
  },
  INVALID_INDEX: {
    severity: 'warning',
    title: 'An index is invalid, because building it failed or because partitions lack theirs; no query uses it.',
  },
  PROBE_FAILED: {
    severity: 'error',
    title: 'A row for a new partition, inserted and rolled back, did not land in it.',
  },
  PROBE_REFUSED: {
    severity: 'info',
    title: 'Whether rows land in a new partition could not be tried: no row that the table accepts could be made up.',
  },
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
  BLOCKED: {
    severity: 'warning',
    title: "Somebody's transaction stands in the way; it is tried again at the next tick.",
  },
  RETIRE_LIMITED: { severity: 'info', title: 'More partitions have expired than one run retires.' },
  RETIRE_UNUSUAL: {
    severity: 'error',
    title: 'A large share of a table would be retired at once; nothing is, until it is acknowledged.',
  },
  RETENTION_SHORTENED: {
    severity: 'error',
    title: 'A shorter retention than before would retire much more than usual; nothing is, until it is acknowledged.',
  },
  CLOCK_JUMPED: {
    severity: 'error',
    title: "The database's clock does not go on from where the ledger ends; nothing is destroyed.",
  },
  WRONG_DATABASE: {
    severity: 'error',
    title: 'The ledger was written in another database, so it proves nothing here; nothing is destroyed.',
  },
  RETIRE_WAITS_FOR_VIEW: {
    severity: 'warning',
    title: 'Expired partitions wait for the refresh of a view that still needs their rows.',
  },
  CLOCK_SKEW: {
    severity: 'error',
    title: 'The clocks of this process and of the database disagree; nothing is destroyed.',
  },
  NOT_OWNER: { severity: 'error', title: 'The role may not act as the owner of a target.' },
  SUPERUSER: {
    severity: 'warning',
    title: 'partkeeper is connected as a superuser, whom no missing right would stop.',
  },
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
  /** Where nothing is done until somebody agrees: the name under which they do, as the hint has it too. */
  readonly acknowledge?: string;
}

export const finding = (code: FindingCode, target: RelationName, message: string, hint: string): Finding => ({
  target,
  code,
  severity: FINDINGS[code].severity,
  message,
  hint,
});

export const hasErrors = (plan: { readonly findings: readonly Finding[] }): boolean =>
  plan.findings.some(({ severity }) => severity === 'error');
