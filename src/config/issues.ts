/** What the schema objects to → problems with a place, in our words. */
import type { z } from 'zod';
import { propertiesOf, shapeAt } from './json-schema.ts';
import { type ConfigProblem, type Path, type Place, problemAt } from './problems.ts';
import { adviseWord, nearest } from './suggest.ts';

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** Looks up where a value of the merged configuration comes from. */
export interface Origins {
  placeOf(path: Path): Place;
  placeOfKey(path: Path): Place;
  /** The value's own text in the file; where it has variables in it, what it must not be shown as. */
  shown(path: Path): string | undefined;
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'is not a set of keys: write its keys below it, indented',
  record: 'is not a set of names: write schema.name: below it, indented',
  string: 'is not text: write it in quotes',
  int: 'is not a whole number: write digits alone',
  number: 'is not a number: write digits alone',
  boolean: 'is not true or false: write true or false',
  array: 'is not a list',
};

/** The wording of whatever the schema itself has no words for. */
export function wording(issue: RawIssue): string {
  const { input } = issue;
  if (input === undefined) return 'is missing';
  if (input === null) return 'has no value: write one, or remove the key';
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[String(issue.expected)] ?? `is not ${String(issue.expected)}`;
    case 'invalid_value': {
      const words = (issue.values as readonly unknown[]).map(String);
      return `is not one of ${words.join(', ')}: ${adviseWord(String(input), words)}`;
    }
    case 'too_small':
      return `is too small: use ${String(issue.minimum)} or more`;
    case 'too_big':
      return `is too large: use ${String(issue.maximum)} or less`;
    default:
      return 'is not valid';
  }
}

export const problemsOf = (error: z.ZodError, origins: Origins): readonly ConfigProblem[] =>
  error.issues.flatMap(issue => problemsOfIssue(issue, [], origins));

function problemsOfIssue(issue: Issue, base: Path, origins: Origins): readonly ConfigProblem[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKey([...path, key], origins));
  if (issue.code === 'invalid_union') {
    // The alternative that the value was meant as is the one that does not object to its kind.
    const meant = issue.errors.find(inner => inner.every(({ code, path: [first] }) => first !== undefined || code === 'unrecognized_keys'));
    if (meant) return meant.flatMap(inner => problemsOfIssue(inner, path, origins));
  }
  const shown = origins.shown(path);
  const about = [shown === undefined ? undefined : `'${shown}'`, issue.message].filter(Boolean).join(' ');
  const isMissing = issue.message === 'is missing';
  return [problemAt(origins.placeOf(path), path, about, isMissing ? adviseMissing(path) : undefined)];
}

const unknownKey = (path: Path, origins: Origins): ConfigProblem => {
  const key = String(path.at(-1));
  const known = Object.keys(propertiesOf(shapeAt(path.slice(0, -1)) ?? {}));
  const near = nearest(key, known);
  const advice = near === undefined ? `the keys here are ${known.join(', ')}` : `did you mean '${near}'?`;
  return problemAt(origins.placeOfKey(path), path, 'is not a known key', advice);
};

const adviseMissing = (path: Path): string => `write ${String(path.at(-1))}: ${String(shapeAt(path)?.examples?.[0] ?? '…')}`;
