/** What is wrong with a configuration: all of it at once, each with its place and what to do about it. */
import { MaintenanceError } from '../domain/errors.ts';

/** Where in the configuration, from the top: `['tables', 'unified.events', 'retention']`. */
export type Path = readonly (string | number)[];

/** `file` may also be `environment NAME` or `flag --name`, which have no lines. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** One mistake, as data: the shape that `--json` prints. */
export interface ConfigProblem extends Place {
  /** `tables."unified.events".retention`; empty when the whole file, or no key at all, is meant. */
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

export const isSamePath = (a: Path, b: Path): boolean =>
  a.length === b.length && a.every((segment, index) => segment === b[index]);

const isPlain = (segment: string): boolean => /^[A-Za-z_][\w-]*$/.test(segment);

export const formatPath = (path: Path): string =>
  path.reduce<string>((text, segment) => {
    if (typeof segment === 'number') return `${text}[${segment}]`;
    const name = isPlain(segment) ? segment : JSON.stringify(segment);
    return text === '' ? name : `${text}.${name}`;
  }, '');

// Addresses carry passwords, and people paste them under the wrong key.
export const withoutPasswords = (text: string): string => text.replaceAll(/:\/\/[^\s/@]*:\S*@/g, '://***@');

/** `text` as `what is wrong: what to do`, the way the domain's parsers word it, or with the advice apart. */
export function problemAt(place: Place, path: Path, text: string, advice?: string): ConfigProblem {
  const [message = text, ...rest] =
    advice === undefined ? text.split(/: (?=write |use |it needs |did you mean )/) : [text];
  const suggestion = advice ?? (rest.length > 0 ? rest.join(': ') : undefined);
  return {
    ...place,
    path: withoutPasswords(formatPath(path)),
    message: withoutPasswords(message),
    ...(suggestion !== undefined && { suggestion: withoutPasswords(suggestion) }),
  };
}

/** `partkeeper.yaml:7:16: tables."unified.events".retention: '90' has no unit: write '90 days'` */
export function formatProblem({ file, line, column, path, message, suggestion }: ConfigProblem): string {
  const place = [file, line, column].filter(part => part !== undefined).join(':');
  return [place, path, message, suggestion].filter(part => part !== undefined && part !== '').join(': ');
}

const byPlace = (a: ConfigProblem, b: ConfigProblem): number =>
  a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);

/** Code CONFIG_INVALID. The message lists every problem, one a line; `problems` has them as data, in the file's order. */
export class ConfigError extends MaintenanceError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const sorted = [...problems].sort(byPlace);
    const count = sorted.length === 1 ? 'a problem' : `${sorted.length} problems`;
    super('CONFIG_INVALID', [`${count} in the configuration`, ...sorted.map(formatProblem)].join('\n'));
    this.name = 'ConfigError';
    this.problems = sorted;
  }
}
