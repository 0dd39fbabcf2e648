/** Which file is the configuration. */
import { BUNDLED_ORIGIN, BUNDLED_POLICY } from './bundled-policy.ts';
import { errorCode, readSetting, type Surroundings, whyUnreadable } from './environment.ts';
import { type ConfigProblem, problemAt } from './problems.ts';

export const DEFAULT_FILES = ['partkeeper.yaml', 'partkeeper.yml'] as const;

export interface ConfigSource {
  /** As it was named, or `the bundled policy`. */
  readonly file: string;
  readonly text: string;
}

/** Undefined: the file that was asked for cannot be read, and that was reported. */
export function findFile(
  surroundings: Surroundings,
  report: (problem: ConfigProblem) => void,
): ConfigSource | undefined {
  const named = readSetting('config', surroundings, report);
  if (named) {
    try {
      return { file: named.value, text: surroundings.readFile(named.value) };
    } catch (error) {
      report(problemAt(named.place, [], `names '${named.value}', which ${whyUnreadable(error)}`));
      return undefined;
    }
  }
  for (const file of DEFAULT_FILES) {
    try {
      return { file, text: surroundings.readFile(file) };
    } catch (error) {
      // A file that is there but cannot be read was meant: the bundled policy in its place would be a surprise.
      if (errorCode(error) === 'ENOENT') continue;
      report(problemAt({ file }, [], whyUnreadable(error)));
      return undefined;
    }
  }
  return { file: BUNDLED_ORIGIN, text: BUNDLED_POLICY };
}
