/** Two configurations, compared: which keys say something else, and which of them a running service cannot follow. */
import type { DatabaseOptions } from '../domain/database.ts';
import type { Config } from './config.ts';
import { redactDatabaseUrl } from './database-url.ts';
import { isKeys } from './keys.ts';
import { describeConfig } from './print.ts';
import { ConfigError, type ConfigProblem, formatPath, type Path, problemAt } from './problems.ts';

/** The keys whose values differ, in the file's order, those that are gone last. Never the values: they may be secrets. */
export const changedKeys = (before: Config, after: Config): readonly string[] =>
  differences(describeConfig(before), describeConfig(after), []).map(formatPath);

function differences(before: unknown, after: unknown, path: Path): readonly Path[] {
  if (!isKeys(before) || !isKeys(after)) return JSON.stringify(before) === JSON.stringify(after) ? [] : [path];
  const keys = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return keys.flatMap(key => differences(before[key], after[key], [...path, key]));
}

/** Sockets and sessions that outlive a reload were opened with these. What `of` gives may be secret. */
const FIXED: readonly { readonly path: Path; readonly of: (config: Config) => unknown }[] = [
  { path: ['database', 'url'], of: ({ database }) => reachedBy(database) },
  { path: ['database', 'directUrl'], of: ({ directDatabase }) => reachedBy(directDatabase) },
  { path: ['queue', 'schema'], of: ({ queue }) => queue.schema },
  { path: ['http', 'listen'], of: ({ http }) => http },
  { path: ['triggers', 'listen'], of: ({ triggers }) => triggers?.listen },
  { path: ['log', 'format'], of: ({ log }) => log.format },
];

/** The keys that a running service cannot follow. */
export const NEED_RESTART: readonly Path[] = FIXED.map(({ path }) => path);

/**
 * What was read anew, held against what is in force.
 *
 * @throws ConfigError with everything that only a restart can change
 */
export function refuseWhatNeedsRestart(current: Config, next: Config): void {
  const place = { file: next.origin };
  const refuse = (path: Path, message: string): ConfigProblem =>
    problemAt(place, path, message, 'undo that, or restart the service');
  // A file that is away for a moment must not make the bundled policy take its place.
  if (next.origin !== current.origin) throw new ConfigError([refuse([], `has taken the place of ${current.origin}`)]);
  const problems = FIXED.filter(({ of }) => JSON.stringify(of(current)) !== JSON.stringify(of(next))).map(({ path }) =>
    refuse(path, 'changes with a restart only'),
  );
  if (problems.length > 0) throw new ConfigError(problems);
}

/** A password that comes from a file is read again at each connection, so it may change at any time. */
function reachedBy(database: DatabaseOptions | undefined): unknown {
  if (!database) return null;
  const { connectionString, password, pool: _pool, connectTimeoutMs: _timeout, ...rest } = database;
  const isReread = typeof password === 'function';
  return {
    ...rest,
    connectionString: isReread && connectionString ? redactDatabaseUrl(connectionString) : connectionString,
    password: isReread ? { isReread } : password,
  };
}
