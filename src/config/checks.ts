/** Checks across keys. They look at unvalidated values, so that a mistake elsewhere does not hide theirs. */
import { INTERVALS } from '../domain/interval.ts';
import { DEFAULT_NAME, problemOfTemplate } from '../domain/naming.ts';
import { formatRelationName, parseRelationName } from '../domain/relation.ts';
import { checkCoverage } from './coverage-checks.ts';
import { namedTwice } from './document.ts';
import type { Surroundings } from './environment.ts';
import { type Keys, keysOf } from './keys.ts';
import type { Origins } from './origins.ts';
import { type ConfigProblem, type Path, problemAt } from './problems.ts';
import { checkRetirement } from './retire-checks.ts';
import { checkJitter, checkRunTimeout } from './run-checks.ts';
import { nearest } from './suggest.ts';
import { readTokens } from './tokens.ts';

export function crossCheck(raw: unknown, origins: Origins): readonly ConfigProblem[] {
  const { tables, views } = keysOf(raw);
  return [
    ...checkNames(keysOf(tables), keysOf(views), origins),
    ...Object.entries(keysOf(tables)).flatMap(([name, table]) =>
      checkTemplate(['tables', name], keysOf(table), origins),
    ),
    ...checkCoverage(raw, origins),
    ...checkJitter(raw, origins),
    ...checkRunTimeout(raw, origins),
    ...checkRetirement(raw, origins),
  ];
}

/** Nothing to do is a mistake: the file was meant to say something. */
export const checkNotEmpty = (raw: unknown, file: string): readonly ConfigProblem[] => {
  const { tables, views } = keysOf(raw);
  const isEmpty = [tables, views].every(
    names => names === undefined || (typeof names === 'object' && names !== null && Object.keys(names).length === 0),
  );
  return isEmpty ? [problemAt({ file }, [], 'names nothing to maintain: write at least one table or view')] : [];
};

/** A token that cannot be read is a mistake at the start, not at the first request. */
export function checkTokens(raw: unknown, origins: Origins, surroundings: Surroundings): readonly ConfigProblem[] {
  const { tokenFile } = keysOf(keysOf(raw).triggers);
  if (typeof tokenFile !== 'string' || tokenFile === '') return [];
  const tokens = readTokens(tokenFile, surroundings);
  const path = ['triggers', 'tokenFile'];
  return tokens.ok ? [] : [problemAt(origins.placeOf(path), path, origins.about(path, tokens.problem))];
}

function checkNames(tables: Keys, views: Keys, origins: Origins): readonly ConfigProblem[] {
  const seen = new Map<string, Path>();
  const names = [
    ...Object.keys(tables).map(name => ['tables', name]),
    ...Object.keys(views).map(name => ['views', name]),
  ];
  return names.flatMap(path => {
    const place = origins.placeOfKey(path);
    const relation = parseRelationName(path[1] ?? '');
    if ('problem' in relation) return [problemAt(place, path, relation.problem)];
    const first = seen.get(formatRelationName(relation));
    if (first === undefined) {
      seen.set(formatRelationName(relation), path);
      return [];
    }
    const isSameKind = first[0] === path[0];
    return [
      problemAt(
        place,
        path,
        isSameKind ? namedTwice(origins.placeOfKey(first)) : 'is named as a table as well: use one of the two',
      ),
    ];
  });
}

function checkTemplate(path: Path, table: Keys, origins: Origins): readonly ConfigProblem[] {
  // A misspelt interval is told apart from this; the template is held against what it will be corrected to.
  const word = nearest(String(table.interval), INTERVALS);
  const interval = INTERVALS.find(known => known === word);
  if (typeof table.name !== 'string' || interval === undefined) return [];
  const problem = problemOfTemplate(table.name, interval);
  if (problem === undefined) return [];
  const at = [...path, 'name'];
  return [
    problemAt(
      origins.placeOf(at),
      at,
      origins.about(at, problem),
      `write a template such as '${DEFAULT_NAME[interval]}'`,
    ),
  ];
}
