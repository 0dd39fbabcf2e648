/** Addresses of databases. They hold secrets: no message here repeats any part of the text. */
import type { Parsed } from '../domain/duration.ts';
import { isPort, SSL_MODES } from './parsers.ts';
import { refuseWord } from './suggest.ts';

/** The parts that an address names. Whatever it does not name is undefined. */
export interface DatabaseUrl {
  readonly text: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly database: string | undefined;
  readonly password: string | undefined;
  readonly sslMode: string | undefined;
}

const SHAPE = "write 'postgres://user@host:5432/database'";

// `user@/database` is a socket's address for PostgreSQL, but no URL: the driver, too, reads it with a stand-in host.
const STAND_IN = 'stand-in.invalid';
const withHost = (text: string): string => text.replace('@/', `@${STAND_IN}/`);

const SECRET_PARAMETERS = ['password', 'sslpassword'];

export function parseDatabaseUrl(text: string): Parsed<DatabaseUrl> {
  const trimmed = text.trim();
  if (!/^postgres(?:ql)?:\/\//i.test(trimmed))
    return { ok: false, problem: `is not an address of a PostgreSQL database: ${SHAPE}` };
  const url = URL.parse(withHost(trimmed));
  const parts = url && decodeParts(url);
  if (!parts)
    return {
      ok: false,
      problem: `cannot be read: ${SHAPE}, and percent-encode special characters in the password (@ is %40, / is %2F)`,
    };
  const query = (name: string): string | undefined => url.searchParams.get(name) || undefined;
  const port = query('port') ?? (url.port || undefined);
  if (port !== undefined && !isPort(Number(port)))
    return { ok: false, problem: 'has a port that is none: use a number from 1 to 65535' };
  const sslMode = query('sslmode');
  if (sslMode !== undefined && !SSL_MODES.some(mode => mode === sslMode))
    return { ok: false, problem: `has an sslmode that ${refuseWord(sslMode, SSL_MODES)}` };
  return {
    ok: true,
    value: {
      text: trimmed,
      host: query('host') ?? parts.host,
      port: port === undefined ? undefined : Number(port),
      user: query('user') ?? parts.user,
      database: parts.database,
      password: query('password') ?? parts.password,
      sslMode,
    },
  };
}

const decode = (text: string): string | undefined => (text === '' ? undefined : decodeURIComponent(text));

function decodeParts(url: URL): Pick<DatabaseUrl, 'host' | 'user' | 'database' | 'password'> | undefined {
  try {
    return {
      host: url.hostname === STAND_IN ? undefined : decode(url.hostname),
      user: decode(url.username),
      database: decode(url.pathname.slice(1)),
      password: decode(url.password),
    };
  } catch {
    return undefined; // a stray percent sign
  }
}

/** The address with `***` for every secret: for printouts. */
export function redactDatabaseUrl(text: string): string {
  const url = URL.parse(withHost(text));
  if (!url) return 'postgres://***';
  if (url.password !== '') url.password = '***';
  for (const name of SECRET_PARAMETERS) if (url.searchParams.has(name)) url.searchParams.set(name, '***');
  return url.href.replace(`@${STAND_IN}/`, '@/');
}
