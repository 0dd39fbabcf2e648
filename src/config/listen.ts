/** Where the service listens, and nothing else of the configuration. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readDocument } from './document.ts';
import { override, readSetting, type Surroundings, settingOf } from './environment.ts';
import { findFile } from './files.ts';
import { problemsOf, wording } from './issues.ts';
import type { ConfigInput } from './load.ts';
import { originsOf, valueAt } from './origins.ts';
import type { Listen } from './parsers.ts';
import { ConfigError, type ConfigProblem, formatPath, isSamePath } from './problems.ts';
import { fileSchema } from './schema.ts';
import { OFF } from './schema-values.ts';
import { substitute } from './substitute.ts';

const PATH = settingOf('listen').key ?? [];
const KEY = formatPath(PATH);

/**
 * Read as {@link loadConfig} reads it, but whatever else is wrong does not matter: whoever asks a service how it is must get
 * an answer also while somebody edits the file, or rotates the secret, of a service that works on what it has read before.
 *
 * @returns undefined where the service serves nothing
 * @throws ConfigError when that one value is not to be had
 */
export function readListen(input: Omit<ConfigInput, 'isTerminal'>): Listen | undefined {
  const { flags, env, cwd, readFile = path => readFileSync(path, 'utf8') } = input;
  const surroundings: Surroundings = {
    flags,
    env,
    readFile: path => readFile(resolve(cwd, path)),
    modeOf: () => undefined,
  };
  const problems: ConfigProblem[] = [];
  const report = (problem: ConfigProblem): void => void problems.push(problem);

  const given = readSetting('listen', surroundings, report);
  const supplied = new Map(given && [['listen', given] as const]);
  // What flag or variable say needs no file.
  const source = given ? undefined : findFile(surroundings, report);
  const document =
    source &&
    readDocument(source.file, source.text, (text, path) =>
      isSamePath(path, PATH) ? substitute(text, env) : { ok: true, value: text, changed: false },
    );
  problems.push(...(document?.problems ?? []).filter(({ path }) => document?.value === undefined || path === KEY));

  const raw = override({ http: valueAt(document?.value, ['http']) }, supplied);
  const listen = valueAt(raw, PATH);
  const http = valueAt(raw, ['http']) === OFF ? OFF : listen === undefined ? undefined : { listen };
  const parsed = fileSchema.safeParse({ http }, { error: wording });
  if (!parsed.success)
    problems.push(...problemsOf(parsed.error, originsOf(source?.file ?? '', document, supplied, raw)));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return parsed.data.http === OFF ? undefined : parsed.data.http.listen;
}
