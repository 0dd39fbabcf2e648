/** Tells a trouble that is news from one that merely lasts, where several who meet it describe it in different words. */

export interface TroubleTracker {
  /** Was it not told before, since all was well? */
  readonly isNews: (problem: string) => boolean;
  /** To be called now and then. @returns true once when what was told is over: nothing was heard of it since the call before */
  readonly isOver: () => boolean;
}

/** Of words that never come again, as with a number in them, not all are kept. */
const MANY = 100;

export function trackTroubles(): TroubleTracker {
  const told = new Set<string>();
  let isHeardOf = false;
  return {
    isNews(problem) {
      isHeardOf = true;
      if (told.has(problem)) return false;
      if (told.size === MANY) told.clear();
      told.add(problem);
      return true;
    },
    isOver() {
      const isOver = told.size > 0 && !isHeardOf;
      isHeardOf = false;
      if (isOver) told.clear();
      return isOver;
    },
  };
}
