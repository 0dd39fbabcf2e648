/** What the driver and the server say when something fails, brought to our closed list of codes. */
import { type ErrorCode, MaintenanceError } from '../domain/errors.ts';

const BY_STATE: Readonly<Record<string, ErrorCode>> = {
  '55P03': 'LOCK_UNAVAILABLE',
  '40P01': 'DEADLOCK',
  '40001': 'DEADLOCK',
  '57014': 'STATEMENT_TIMEOUT',
  '42501': 'PERMISSION_DENIED',
  '25006': 'READ_ONLY',
  '42P17': 'BOUND_CONFLICT',
  '42P07': 'NAME_TAKEN',
  '42710': 'NAME_TAKEN',
  '23514': 'DEFAULT_HAS_ROWS',
  '23503': 'STILL_REFERENCED',
  '2BP01': 'STILL_REFERENCED',
  '42P01': 'RELATION_MISSING',
  '3F000': 'RELATION_MISSING',
  '42809': 'RELATION_MISSING',
  '42804': 'SCHEMA_MISMATCH',
  '53100': 'RESOURCES_EXHAUSTED',
  '53200': 'RESOURCES_EXHAUSTED',
  '53400': 'RESOURCES_EXHAUSTED',
  '53300': 'CONNECTION_FAILED',
  '3D000': 'CONNECTION_FAILED',
  '28000': 'CONNECTION_FAILED',
  '28P01': 'CONNECTION_FAILED',
  '57P01': 'CONNECTION_LOST',
  '57P02': 'CONNECTION_LOST',
  '57P03': 'CONNECTION_FAILED',
  '57P05': 'CONNECTION_LOST',
  '25P03': 'CONNECTION_LOST',
};

const HINTS: Partial<Record<ErrorCode, string>> = {
  LOCK_UNAVAILABLE:
    "Look for long transactions: select * from pg_stat_activity where xact_start < now() - interval '5 s'.",
  PERMISSION_DENIED: 'Attaching, detaching and dropping need ownership: make the role a member of the owner.',
  READ_ONLY: 'Connect to the primary, or see where default_transaction_read_only is set.',
  STILL_REFERENCED: 'Nothing is ever dropped with CASCADE: remove what depends on it first.',
  RESOURCES_EXHAUSTED: 'See the server log; nothing was changed by the statement that failed.',
};

/** No usable index, not populated, duplicate rows: elsewhere than in the source of REFRESH they mean something else. */
const OF_A_REFRESH = ['55000', '0A000', '21000'];

/** Some states mean several things; the server's message, or the source file that raised it, tells which. */
function codeOf(sqlstate: string, { message, file }: DriverError): ErrorCode {
  if (sqlstate === '57014' && message.includes('user request')) return 'CANCELLED';
  if (OF_A_REFRESH.includes(sqlstate) && file === 'matview.c') return 'VIEW_NOT_CONCURRENT';
  if (sqlstate.startsWith('08')) return 'CONNECTION_LOST';
  return BY_STATE[sqlstate] ?? 'UNEXPECTED';
}

interface DriverError extends Error {
  readonly code?: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly file?: string;
  readonly errors?: readonly unknown[];
}

/** `attempted` completes the sentence "could not …", and names the object. */
export function classify(error: unknown, attempted: string): MaintenanceError {
  if (error instanceof MaintenanceError) return error;
  const driver = asDriverError(error);
  const { code, message, detail, hint } = driver;
  const sqlstate = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? code : undefined;
  const kind = sqlstate === undefined ? codeOfSocket(code, message) : codeOf(sqlstate, driver);
  const text = `could not ${attempted}: ${message}${detail === undefined ? '' : ` (${detail})`}`;
  return new MaintenanceError(kind, text, {
    cause: error,
    sqlstate,
    hint: HINT_OF[code ?? ''] ?? HINTS[kind] ?? hint ?? hintByWords(driver),
  });
}

// Node reports several addresses' failures as an AggregateError without a message of its own.
export function asDriverError(error: unknown): DriverError {
  if (!(error instanceof Error)) return new Error(String(error));
  const driver: DriverError = error;
  const [first] = driver.errors ?? [];
  return driver.message === '' && first instanceof Error ? first : driver;
}

const SOCKET_CODES = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'];

function codeOfSocket(code: string | undefined, message: string): ErrorCode {
  if (code !== undefined && SOCKET_CODES.includes(code)) return 'CONNECTION_FAILED';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'CONNECTION_LOST';
  if (/timeout exceeded when trying to connect|timeout expired|does not support SSL|SASL|certificate/i.test(message))
    return 'CONNECTION_FAILED';
  // The driver's own words when the socket goes away; they carry no code.
  if (/connection terminated|connection ended|not queryable|client was closed|query read timeout/i.test(message))
    return 'CONNECTION_LOST';
  return 'UNEXPECTED';
}

const WRONG_ADDRESS = 'Check host and port in DATABASE_URL or PGHOST and PGPORT, and that the server is running.';
const WRONG_CREDENTIALS =
  'Check the user and the password (DATABASE_URL, PGUSER, PGPASSWORD or their *_FILE forms) and pg_hba.conf.';

/** By SQLSTATE, or by the code of the socket. */
const HINT_OF: Readonly<Record<string, string>> = {
  '28P01': WRONG_CREDENTIALS,
  '28000': WRONG_CREDENTIALS,
  '3D000': 'Check the database name in DATABASE_URL or PGDATABASE.',
  '53300': 'The server or the role has no connection left: lower database.pool or raise the limit.',
  '57P03': 'The server is starting or stopping; it will be tried again.',
  ECONNREFUSED: WRONG_ADDRESS,
  ENOTFOUND: WRONG_ADDRESS,
  EAI_AGAIN: WRONG_ADDRESS,
};

/** For the driver's own objections, which carry no code. */
const hintByWords = ({ message }: DriverError): string | undefined => {
  if (/SASL/.test(message)) return WRONG_CREDENTIALS;
  if (/SSL|certificate/.test(message))
    return 'Check sslmode in DATABASE_URL, or PGSSLMODE, and the server’s certificate.';
  return /timeout/.test(message) ? WRONG_ADDRESS : undefined;
};
