/** Environment variables and flags: the one list of them, and how each is read. */
import { isKeys } from './keys.ts';
import { SSL_MODES } from './parsers.ts';
import { type ConfigProblem, type Path, type Place, problemAt } from './problems.ts';

export interface Setting {
  readonly variable: string;
  /** A variable that names a file with the value in it. */
  readonly fileVariable?: string;
  /** As the command line declares it. */
  readonly flag?: string;
  /** The key of the file that it overrides. */
  readonly key?: Path;
  readonly description: string;
}

/** In order of the documentation. A setting whose variable is set to nothing counts as not set. */
export const SETTINGS = {
  config: {
    variable: 'PARTKEEPER_CONFIG',
    flag: '--config <file>',
    description: 'The configuration file. Default: `partkeeper.yaml` or `partkeeper.yml` in the working directory.',
  },
  databaseUrl: {
    variable: 'DATABASE_URL',
    fileVariable: 'DATABASE_URL_FILE',
    flag: '--database-url <url>',
    key: ['database', 'url'],
    description: 'Where the database is. What the address lacks comes from the `PG…` variables.',
  },
  databaseDirectUrl: {
    variable: 'DATABASE_DIRECT_URL',
    fileVariable: 'DATABASE_DIRECT_URL_FILE',
    flag: '--database-direct-url <url>',
    key: ['database', 'directUrl'],
    description:
      'Where the database is without a transaction pooler in between, for locks and DDL. What the address lacks comes from the `PG…` variables.',
  },
  listen: {
    variable: 'PARTKEEPER_LISTEN',
    flag: '--listen <host:port>',
    key: ['http', 'listen'],
    description: 'Where probes and metrics are served, or `off`.',
  },
  logLevel: {
    variable: 'PARTKEEPER_LOG_LEVEL',
    flag: '--log-level <level>',
    key: ['log', 'level'],
    description: 'The least severe messages that are written.',
  },
  logFormat: {
    variable: 'PARTKEEPER_LOG_FORMAT',
    flag: '--log-format <format>',
    key: ['log', 'format'],
    description: '`json` or `pretty`.',
  },
  host: { variable: 'PGHOST', description: 'Host name, or folder of the socket.' },
  port: { variable: 'PGPORT', description: 'Port.' },
  user: { variable: 'PGUSER', description: 'Role to connect as.' },
  password: {
    variable: 'PGPASSWORD',
    fileVariable: 'PGPASSWORD_FILE',
    description: 'Password.',
  },
  database: { variable: 'PGDATABASE', description: 'Name of the database.' },
  sslMode: { variable: 'PGSSLMODE', description: `How the connection is encrypted: ${SSL_MODES.join(', ')}.` },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;

/** The settings that are flags as well. */
export type FlagName = {
  [K in SettingName]: (typeof SETTINGS)[K] extends { readonly flag: string } ? K : never;
}[SettingName];

/** The flags of the command line that every command has, named as commander names them. */
export type ConfigFlags = { readonly [K in FlagName]?: string | undefined };

export const settingOf = (name: SettingName): Setting => SETTINGS[name];
const isSettingName = (name: string): name is SettingName => Object.hasOwn(SETTINGS, name);
export const settingNames: readonly SettingName[] = Object.keys(SETTINGS).filter(isSettingName);

/** `--database-url` of `--database-url <url>`. */
export const flagWord = (flag: string): string => flag.split(' ')[0] ?? flag;

export interface Surroundings {
  readonly flags: ConfigFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file as UTF-8 text; a relative path is relative to the working directory. Throws as node:fs does. */
  readonly readFile: (path: string) => string;
  /** The permission bits of a file, undefined where there are none. Throws as node:fs does. */
  readonly modeOf: (path: string) => number | undefined;
}

/** A value that a flag or a variable gives. */
export interface Supplied {
  readonly value: string;
  readonly place: Place;
  /** Set where the value is in a file of its own: reads it again. */
  readonly reread?: () => string;
}

export const variableOf = (env: Surroundings['env'], name: string): string | undefined => env[name] || undefined;

/** What flag or environment say, the flag first. Undefined: nothing, or a problem that was reported. */
export function readSetting(
  name: SettingName,
  { flags, env, readFile }: Surroundings,
  report: (problem: ConfigProblem) => void,
): Supplied | undefined {
  const { flag, variable, fileVariable } = settingOf(name);
  const given = (flags as Readonly<Record<string, string | undefined>>)[name];
  if (flag !== undefined && given !== undefined) return { value: given, place: { file: `flag ${flagWord(flag)}` } };
  const value = variableOf(env, variable);
  const file = fileVariable === undefined ? undefined : variableOf(env, fileVariable);
  if (fileVariable === undefined || file === undefined)
    return value === undefined ? undefined : { value, place: { file: `environment ${variable}` } };
  const place = { file: `environment ${fileVariable}` };
  if (value !== undefined) {
    report(problemAt(place, [], `is set together with ${variable}: use only one of the two`));
    return undefined;
  }
  const reread = () => readFile(file).replace(/\r?\n$/, '');
  try {
    const content = reread();
    if (content !== '') return { value: content, place, reread };
    report(problemAt(place, [], `names '${file}', which is empty: write the value into it`));
  } catch (error) {
    report(problemAt(place, [], `names '${file}', which ${whyUnreadable(error)}`));
  }
  return undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder',
};

/** Why a file could not be read, as the end of a sentence. */
export function whyUnreadable(error: unknown): string {
  const code = errorCode(error);
  return REASONS[code ?? ''] ?? `cannot be read (${code ?? String(error)})`;
}

export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Puts what flags and variables say in place of the file's values, so that one validation sees what will be in force. */
export function override(raw: unknown, supplied: ReadonlyMap<SettingName, Supplied>): unknown {
  let result = raw;
  for (const [name, { value }] of supplied) {
    const { key } = settingOf(name);
    if (key !== undefined) result = withValue(result, key, value);
  }
  return result;
}

function withValue(raw: unknown, [section = '', key = '']: Path, value: string): unknown {
  const top = isKeys(raw) ? raw : {};
  // `--listen off` turns the whole section off, as `http: off` does.
  if (section === 'http' && value === 'off') return { ...top, http: value };
  const existing = top[section];
  return { ...top, [section]: { ...(isKeys(existing) && existing), [key]: value } };
}
