/** Untrusted file, environment and flags → a trusted {@link Config}, or every problem at once. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { budgetOf, jobsOf, ledgerOf, queueOf, tablesOf, viewsOf } from './build.ts';
import { checkNotEmpty, checkTokens, crossCheck } from './checks.ts';
import type { Config } from './config.ts';
import { hasConnectionVariables, resolveConnection } from './connection.ts';
import { readDocument } from './document.ts';
import {
  type ConfigFlags,
  override,
  readSetting,
  type SettingName,
  type Supplied,
  type Surroundings,
  settingNames,
  settingOf,
} from './environment.ts';
import { findFile } from './files.ts';
import { problemsOf, withoutEchoes, wording } from './issues.ts';
import { DIRECT_URL_PATH, originsOf, URL_PATH, valueAt } from './origins.ts';
import { ConfigError, type ConfigProblem, isSamePath, type Path } from './problems.ts';
import { fileSchema } from './schema.ts';
import { OFF } from './schema-values.ts';
import { substitute } from './substitute.ts';
import { rereadingTokens } from './tokens.ts';

export interface ConfigInput {
  readonly flags: ConfigFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative names of files start, and where partkeeper.yaml is looked for. */
  readonly cwd: string;
  /** Whether the tokens have to be there: whoever only looks need not be able to read them. */
  readonly isService?: boolean;
  /** Decides the default format of the log. */
  readonly isTerminal: boolean;
  /** UTF-8 text of the file at an absolute path; throws as node:fs does. */
  readonly readFile?: (path: string) => string;
  /** Permission bits of the file at an absolute path; default: of the real one, unless `readFile` imagines another. */
  readonly modeOf?: (path: string) => number | undefined;
}

/**
 * Flags win over the environment, that over the file, that over the defaults. Without a file, the bundled policy is it.
 *
 * @throws ConfigError with everything that is wrong
 */
export function loadConfig(input: ConfigInput): Config {
  const { flags, env, cwd, isTerminal, readFile = path => readFileSync(path, 'utf8') } = input;
  const modeOf = input.modeOf ?? (input.readFile ? () => undefined : path => statSync(path).mode);
  const surroundings: Surroundings = {
    flags,
    env,
    readFile: path => readFile(resolve(cwd, path)),
    modeOf: path => modeOf(resolve(cwd, path)),
  };
  const problems: ConfigProblem[] = [];
  const report = (problem: ConfigProblem): void => void problems.push(problem);

  const supplied = readOverrides(surroundings, report);
  const source = findFile(surroundings, report);
  const document = source && readDocument(source.file, source.text, substitution(supplied, env));
  problems.push(...(document?.problems ?? []));

  // Without a readable file the rest is still looked at: flags and variables may be wrong as well.
  const raw = override(document?.value ?? {}, supplied);
  const origins = originsOf(source?.file ?? '', document, supplied, raw);
  const parsed = fileSchema.safeParse(raw, { error: wording });
  if (!parsed.success) problems.push(...problemsOf(parsed.error, origins));
  problems.push(...crossCheck(raw, origins));
  if (input.isService) problems.push(...checkTokens(raw, origins, surroundings));
  if (source && document?.value) problems.push(...checkNotEmpty(document.value, source.file));

  const connection = resolveConnection(valueAt(raw, URL_PATH), supplied.get('databaseUrl'), surroundings, report);
  const directUrl = valueAt(raw, DIRECT_URL_PATH);
  const direct =
    directUrl === undefined
      ? undefined
      : resolveConnection(directUrl, supplied.get('databaseDirectUrl'), surroundings, report);
  if (!parsed.success || !source || !connection || problems.length > 0) throw new ConfigError(withoutEchoes(problems));
  const file = parsed.data;
  const held = { pool: file.database.pool, connectTimeoutMs: file.database.connectTimeout };
  return {
    database: { ...connection, ...held },
    directDatabase: direct && { ...direct, ...held },
    budget: budgetOf(file),
    tables: tablesOf(file),
    views: viewsOf(file),
    jobs: jobsOf(file),
    queue: queueOf(file),
    ledger: ledgerOf(file),
    http: file.http === OFF ? undefined : file.http.listen,
    triggers:
      file.triggers === OFF
        ? undefined
        : {
            listen: file.triggers.listen,
            tokenFile: file.triggers.tokenFile,
            tokens: rereadingTokens(file.triggers.tokenFile, surroundings),
          },
    log: { level: file.log.level, format: file.log.format ?? (isTerminal ? 'pretty' : 'json') },
    origin: source.file,
  };
}

function readOverrides(
  surroundings: Surroundings,
  report: (problem: ConfigProblem) => void,
): ReadonlyMap<SettingName, Supplied> {
  const overriding = settingNames.filter(name => settingOf(name).key !== undefined);
  const found = overriding.map(name => [name, readSetting(name, surroundings, report)] as const);
  return new Map(found.flatMap(([name, value]) => (value ? [[name, value] as const] : [])));
}

/** A value that is overridden needs no variables; an address that only repeats DATABASE_URL gives way to `PG…`. */
const substitution =
  (supplied: ReadonlyMap<SettingName, Supplied>, env: ConfigInput['env']) => (text: string, path: Path) => {
    const isOverridden = [...supplied.keys()].some(name => isSamePath(settingOf(name).key ?? [], path));
    if (isOverridden) return { ok: true, value: text, changed: false } as const;
    const isPlainUrl = isSamePath(path, URL_PATH) && text.trim() === `\${${settingOf('databaseUrl').variable}}`;
    if (isPlainUrl && hasConnectionVariables(env)) return undefined;
    return substitute(text, env);
  };
