/** "Did you mean": the nearest of the words that would have been right. */

/** Edits from `a` to `b`, where two swapped neighbours are one edit (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + cost,
        isSwap ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** The word of `words` that `wrong` is most likely meant to be, or undefined when none is near. */
export function nearest(wrong: string, words: readonly string[]): string | undefined {
  const lower = wrong.toLowerCase();
  // A third of the letters may be wrong; beyond that a guess misleads more than a list helps.
  const limit = Math.max(1, Math.floor(wrong.length / 3));
  const ranked = words
    .filter(word => Math.abs(word.length - wrong.length) <= limit)
    .map(word => ({ word, distance: editDistance(lower, word.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.word;
}

/** The question by itself, or undefined when nothing is near. */
export function didYouMean(wrong: string, words: readonly string[]): string | undefined {
  const near = nearest(wrong, words);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}

/** Why a word is none of `words`, with the one it resembles, else all of them. */
export function refuseWord(wrong: string, words: readonly string[]): string {
  const list = words.join(', ');
  const question = didYouMean(wrong, words);
  return question === undefined ? `is not known here: use one of ${list}` : `is not one of ${list}: ${question}`;
}
