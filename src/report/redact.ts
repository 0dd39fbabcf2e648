/** Keeps passwords out of whatever is written down, wherever in a message or a nested object they turn up. */

const MASK = '[redacted]';

const PATTERNS: readonly RegExp[] = [
  // Greedy up to the last @, and users may hold one (Azure): a password with an unescaped @ or / is the very text that
  // no parser accepts and that therefore ends up in an error message. Tokens that stand in for passwords reach 2 kB.
  /(?<kept>\bpostgres(?:ql)?:\/\/[^\s:/?#]*:)\S{0,4096}(?=@)/gi,
  // The same with blanks in the password, unless what follows the colon is a port.
  /(?<kept>\bpostgres(?:ql)?:\/\/[^\s:/?#]*:)(?!\d+(?:[/?,]|\s*$)|\[redacted\])[^\n@]{0,4096}(?=@)/gi,
  // Other services' addresses, of a proxy for example.
  /(?<kept>\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/?#@]*:)(?!\[redacted\])[^\s/@]+(?=@)/gi,
  // PASSWORD 'x' of SQL.
  /(?<kept>password\s+)E?'(?:[^'\\]|''|\\.)*'/gi,
  // Of a request, or of whoever quotes one.
  /(?<kept>\bBearer\s+)(?!\[redacted\])[A-Za-z0-9._~+/-]{16,}=*/gi,
  // password=x, PGPASSWORD='x', "password": "x", password: x.
  /(?<kept>(?:password|passwd|secret)["']?\s*[=:]\s*)(?!\[redacted\])(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S+)/gi,
];

/** `text` with every password in it replaced; rather too much than too little. */
export const redact = (text: string): string =>
  PATTERNS.reduce((masked, pattern) => masked.replaceAll(pattern, `$<kept>${MASK}`), text);

const SECRET_KEY = /passw(?:or)?d|secret|token|authorization/i;
// Deep enough for any event; an object that contains itself ends here.
const MAX_DEPTH = 8;

/** A copy of `value` that is fit for JSON: secrets masked, errors spelled out with their causes, moments as text. */
export function redactDeep(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[too deep]';
  if (Array.isArray(value)) return value.map(item => redactDeep(item, depth + 1));
  if (value instanceof Error) return redactDeep(errorFields(value), depth + 1);
  if (value instanceof Set) return redactDeep([...value], depth + 1);
  if ('toJSON' in value && typeof value.toJSON === 'function') return redactDeep(value.toJSON(), depth + 1);
  return redactFields(value, depth);
}

/** The same for a plain object, which stays one. */
export const redactFields = (fields: object, depth = 0): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [
      key,
      SECRET_KEY.test(key) && field !== undefined ? MASK : redactDeep(field, depth + 1),
    ]),
  );

const errorFields = (error: Error): Record<string, unknown> => ({
  type: error.name,
  message: error.message,
  // What a class of errors adds: code, sqlstate, hint; the driver's detail, table, constraint.
  ...Object.fromEntries(Object.entries(error).filter(([, field]) => field !== undefined)),
  stack: error.stack,
  ...(error.cause === undefined ? {} : { cause: error.cause }),
});
