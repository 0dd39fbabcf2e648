/** What the schema objects to → problems with a place, in our words. */
import type { z } from 'zod';
import { propertiesOf, shapeAt } from './json-schema.ts';
import type { Origins } from './origins.ts';
import { type ConfigProblem, formatProblem, type Path, problemAt } from './problems.ts';
import { didYouMean, refuseWord } from './suggest.ts';

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  object: 'is not a set of keys: write its keys below it, indented',
  record: 'is not a set of names: write schema.name: below it, indented',
  string: 'is not text: write it in quotes',
  int: 'is not a whole number: write digits alone',
  number: 'is not a number: write digits alone',
  boolean: 'is not true or false: write true or false',
};

const MISSING = 'is missing';

/** The wording of whatever the schema itself has no words for. */
export function wording(issue: RawIssue): string {
  if (issue.input === undefined) return MISSING;
  if (issue.input === null)
    return `has no value: write ${isAboutKeys(issue) ? '{} for the defaults' : 'one'}, or remove the key`;
  if (issue.code === 'invalid_type') return KINDS[issue.expected ?? ''] ?? 'is of another kind than expected';
  if (issue.code === 'invalid_value')
    return refuseWord(typeof issue.input === 'string' ? issue.input : '', (issue.values ?? []).map(String));
  if (issue.code === 'too_small') return `is too small: use ${issue.minimum} or more`;
  if (issue.code === 'too_big') return `is too large: use ${issue.maximum} or less`;
  return 'is not valid';
}

const isAboutKeys = (issue: RawIssue): boolean =>
  issue.code === 'invalid_type' && (issue.expected === 'object' || issue.expected === 'record');

export const problemsOf = (error: z.ZodError, origins: Origins): readonly ConfigProblem[] =>
  error.issues.flatMap(issue => problemsOfIssue(issue, [], origins));

function problemsOfIssue(issue: Issue, base: Path, origins: Origins): readonly ConfigProblem[] {
  const path = [...base, ...issue.path.map(segment => (typeof segment === 'symbol' ? String(segment) : segment))];
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKey([...path, key], origins));
  if (issue.code === 'invalid_union') {
    // The alternative that the value was meant as is the one that does not object to its kind.
    const meant = issue.errors.find(inner =>
      inner.every(({ code, path: [first] }) => first !== undefined || code === 'unrecognized_keys'),
    );
    if (meant) return meant.flatMap(inner => problemsOfIssue(inner, path, origins));
  }
  const advice = issue.message === MISSING ? adviseMissing(path) : undefined;
  return [problemAt(origins.placeOf(path), path, origins.about(path, issue.message), advice)];
}

const unknownKey = (path: Path, origins: Origins): ConfigProblem => {
  const known = Object.keys(propertiesOf(shapeAt(path.slice(0, -1)) ?? {}));
  const advice = didYouMean(String(path.at(-1)), known) ?? `the keys here are ${known.join(', ')}`;
  return problemAt(origins.placeOfKey(path), path, 'is not a known key', advice);
};

const adviseMissing = (path: Path): string => `write ${path.at(-1)}: ${shapeAt(path)?.examples?.[0] ?? '…'}`;

/** A value that is missing because its variable is, a variable that both addresses lack: each is one problem, not two. */
export const withoutEchoes = (problems: readonly ConfigProblem[]): readonly ConfigProblem[] =>
  [...new Map(problems.map(problem => [formatProblem(problem), problem])).values()].filter(
    problem => problem.message !== MISSING || !problems.some(other => other !== problem && other.path === problem.path),
  );
