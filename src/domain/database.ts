/** Where the database is. Whatever is undefined is left to the driver's defaults. */
export interface DatabaseOptions {
  /** `postgres://user@host:5432/name?sslmode=…`; the single fields below win over its parts. */
  readonly connectionString: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly database: string | undefined;
  /** A function is asked at every connect, so that a rotated secret file is noticed. */
  readonly password: string | (() => string) | undefined;
  /** libpq's word: disable, prefer, require, verify-ca, verify-full. */
  readonly sslMode: string | undefined;
  /** The most connections held at once. */
  readonly pool: number;
  readonly connectTimeoutMs: number;
}

/** Why a connection could not be made. */
export const CONNECT_FAILURES = ['refused', 'timeout', 'dns', 'tls', 'auth', 'too_many', 'starting', 'other'] as const;
export type ConnectFailure = (typeof CONNECT_FAILURES)[number];
