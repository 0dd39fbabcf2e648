/** Which line, variable or flag each value of the merged configuration comes from, and how much of it may be shown. */
import type { ConfigDocument } from './document.ts';
import { type SettingName, type Supplied, settingOf } from './environment.ts';
import { isSamePath, type Path, type Place, withoutPasswords } from './problems.ts';

export interface Origins {
  placeOf(path: Path): Place;
  placeOfKey(path: Path): Place;
  /** `'90' has no unit` of `has no unit`: the problem after the value it is about, secrets left out. */
  about(path: Path, problem: string): string;
}

export const URL_PATH: Path = settingOf('databaseUrl').key ?? [];
export const DIRECT_URL_PATH: Path = settingOf('databaseDirectUrl').key ?? [];

const isAddress = (path: Path): boolean => [URL_PATH, DIRECT_URL_PATH].some(address => isSamePath(address, path));

/** `raw` is what was read from `document`, with `supplied` put in its place. */
export function originsOf(
  file: string,
  document: ConfigDocument | undefined,
  supplied: ReadonlyMap<SettingName, Supplied>,
  raw: unknown,
): Origins {
  const outside = (path: Path): Place | undefined =>
    [...supplied].find(([name]) => isSamePath(settingOf(name).key ?? [], path))?.[1].place;
  return {
    placeOf: path => outside(path) ?? document?.placeOf(path) ?? { file },
    placeOfKey: path => document?.placeOfKey(path) ?? { file },
    about: (path, problem) => {
      const value = valueAt(raw, path);
      // An address holds the password, and so may whatever stands where its section should be.
      if (!isScalar(value) || isAddress(path) || path.length < 2) return problem;
      const written = outside(path) ? undefined : document?.written(path);
      const text = `'${shorten(written?.source ?? String(value))}'`;
      // Nobody knows what a variable may hold, so its name is shown instead.
      return `${text} ${written?.isSubstituted && value !== '' ? problem.replaceAll(String(value), written.source) : problem}`;
    },
  };
}

export const valueAt = (raw: unknown, path: Path): unknown =>
  path.reduce(
    (inner, segment) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, segment) : undefined),
    raw,
  );

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

const LONGEST_SHOWN = 60;
const shorten = (text: string): string => {
  const shown = withoutPasswords(text);
  return shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}…` : shown;
};
