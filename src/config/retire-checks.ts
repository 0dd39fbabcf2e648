/** What a table's retirement names and combines, held against what else the file says. */
import { formatRelationName, parseRelationName } from '../domain/relation.ts';
import { type Keys, keysOf } from './keys.ts';
import type { Origins } from './origins.ts';
import { type ConfigProblem, problemAt } from './problems.ts';
import { nearest } from './suggest.ts';

export function checkRetirement(raw: unknown, origins: Origins): readonly ConfigProblem[] {
  const { tables, views } = keysOf(raw);
  const known = Object.keys(keysOf(views)).flatMap(nameOf);
  return Object.entries(keysOf(tables)).flatMap(([name, table]) => [
    ...checkViews(['tables', name, 'retireAfter'], keysOf(table), known, origins),
    ...checkGrace(['tables', name, 'grace'], keysOf(table), origins),
  ]);
}

const nameOf = (text: string): readonly string[] => {
  const relation = parseRelationName(text);
  return 'problem' in relation ? [] : [formatRelationName(relation)];
};

/** A view that is refreshed by nobody would be waited for in vain. */
function checkViews(
  at: readonly string[],
  { retireAfter }: Keys,
  known: readonly string[],
  origins: Origins,
): readonly ConfigProblem[] {
  if (!Array.isArray(retireAfter)) return [];
  return retireAfter.flatMap((entry, index) => {
    const [view] = typeof entry === 'string' ? nameOf(entry) : [];
    if (view === undefined || known.includes(view)) return [];
    const near = nearest(view, known);
    const path = [...at, index];
    const advice = near === undefined ? 'add it to views' : `did you mean '${near}'?`;
    return [problemAt(origins.placeOf(path), path, origins.about(path, 'is not among the views'), advice)];
  });
}

function checkGrace(at: readonly string[], { grace, retire }: Keys, origins: Origins): readonly ConfigProblem[] {
  if (retire !== 'detach' || grace === undefined || grace === 'none') return [];
  const problem = 'is for partitions that are dropped in the end, and retire: detach keeps them';
  return [problemAt(origins.placeOf(at), at, origins.about(at, problem), 'leave it out, or write retire: drop')];
}
