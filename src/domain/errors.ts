/** One error class with a closed list of codes; what to do about an error is decided by its code alone. */

export const ERROR_CODES = {
  CONFIG_INVALID: 'The configuration file, the environment or a flag is not valid.',
  USAGE: 'The command line, or a request, names something that does not exist or does not go together.',
  CONNECTION_FAILED: 'The database could not be reached or refused the connection.',
  CONNECTION_LOST: 'The connection broke while something was under way.',
  TRANSACTION_POOLER: 'A transaction pooler stands between us and the server, and no direct address is given.',
  READ_ONLY: 'The server is a standby or read-only; nothing can be changed there.',
  LOCK_UNAVAILABLE: 'A lock was not to be had within the lock budget.',
  DEADLOCK: 'The server ended the transaction to resolve a deadlock.',
  BLOCKED: "Somebody's transaction stands in the way; nothing was begun.",
  RETIRE_UNFINISHED: 'A partition is half retired; what is left to do is taken up again from fresh facts.',
  NEWER_ROWS: 'A table that was to be destroyed holds rows that its bound does not allow.',
  STALE_PLAN: 'What the plan was based on has changed meanwhile.',
  PERMISSION_DENIED: 'The role lacks a right.',
  STATEMENT_TIMEOUT: 'A statement ran longer than its budget.',
  CANCELLED: 'Stopped on request.',
  BOUND_CONFLICT: 'A partition would overlap another one.',
  DEFAULT_HAS_ROWS: 'The default partition holds rows of the range that a new partition is for.',
  DRAIN_REFUSED: 'Rows of the default partition cannot be moved to their partition without risk.',
  NAME_TAKEN: 'Another relation already has the name.',
  STILL_REFERENCED: 'Rows or objects still depend on what was to be removed.',
  RELATION_MISSING: 'A relation does not exist, or is not of the expected kind.',
  VIEW_NOT_CONCURRENT:
    'A view cannot be refreshed concurrently: no usable unique index, not populated, or duplicate rows.',
  LEDGER_UNAVAILABLE: 'What was to be destroyed could not be put on record first.',
  RESOURCES_EXHAUSTED: 'The server is out of disk, memory, lock space or connections.',
  SCHEMA_MISMATCH: 'The definition of a partition does not fit its parent.',
  UNEXPECTED: 'Anything else.',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof ERROR_CODES;

// The keys of a record that is `as const` are these and no others.
export const ERROR_CODE_NAMES = Object.keys(ERROR_CODES) as readonly ErrorCode[];

/** `same-run`: the executor tries again, within its bounds. `next-run`: the next run starts from fresh facts. Absent: a person must act. */
export type Retry = 'same-run' | 'next-run';

export const RETRY = {
  LOCK_UNAVAILABLE: 'same-run',
  DEADLOCK: 'same-run',
  BLOCKED: 'same-run',
  RETIRE_UNFINISHED: 'next-run',
  STALE_PLAN: 'next-run',
  BOUND_CONFLICT: 'next-run',
  NAME_TAKEN: 'next-run',
  RELATION_MISSING: 'next-run',
  CONNECTION_FAILED: 'next-run',
  CONNECTION_LOST: 'next-run',
  CANCELLED: 'next-run',
  LEDGER_UNAVAILABLE: 'next-run',
  RESOURCES_EXHAUSTED: 'next-run',
} as const satisfies Partial<Record<ErrorCode, Retry>>;

export const retryOf = (code: ErrorCode): Retry | undefined => (RETRY as Partial<Record<ErrorCode, Retry>>)[code];

/** The process's exit codes, in the order in which the most important one wins. */
export const EXIT_CODES = {
  done: 0,
  unexpected: 1,
  changesPending: 2,
  findings: 3,
  configuration: 4,
  connection: 5,
  usage: 64,
} as const;

export const EXIT_MEANINGS: { readonly [K in keyof typeof EXIT_CODES]: string } = {
  done: 'done, or nothing to do',
  unexpected: 'something failed',
  changesPending: 'there are changes to make (plan --check)',
  findings: 'there are findings of severity error',
  configuration: 'the configuration is not valid',
  connection: 'the database could not be reached',
  usage: 'the command line is not understood',
};

/** Every exit code with its meaning, in ascending order. */
export const exitCodes = (): readonly { readonly code: number; readonly meaning: string }[] =>
  Object.entries(EXIT_CODES).map(([name, code]) => ({ code, meaning: EXIT_MEANINGS[name as keyof typeof EXIT_CODES] }));

const EXIT_OF: Partial<Record<ErrorCode, number>> = {
  CONFIG_INVALID: EXIT_CODES.configuration,
  TRANSACTION_POOLER: EXIT_CODES.configuration,
  USAGE: EXIT_CODES.usage,
  CONNECTION_FAILED: EXIT_CODES.connection,
  CONNECTION_LOST: EXIT_CODES.connection,
};

export class MaintenanceError extends Error {
  readonly code: ErrorCode;
  /** What a person can do about it. */
  readonly hint: string | undefined;
  /** The server's five characters, where it was the server that objected. */
  readonly sqlstate: string | undefined;

  /** `message` says what was attempted, on what, and what stood in the way. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; hint?: string | undefined; sqlstate?: string | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MaintenanceError';
    this.code = code;
    this.hint = options.hint;
    this.sqlstate = options.sqlstate;
  }
}

export const asMaintenanceError = (error: unknown): MaintenanceError =>
  error instanceof MaintenanceError
    ? error
    : new MaintenanceError('UNEXPECTED', error instanceof Error ? error.message : String(error), { cause: error });

export const exitCodeOf = (error: unknown): number => EXIT_OF[asMaintenanceError(error).code] ?? EXIT_CODES.unexpected;
