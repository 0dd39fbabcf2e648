/** What callers saw: an insert's latency counts from the moment it was due, not from when its turn came. */

export interface Sample {
  /** When it was scheduled, on the clock of `nowMs`. */
  readonly dueMs: number;
  readonly tookMs: number;
}

export interface Figures {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

/** The system's monotonic clock, which all processes of a machine share. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Of what was due from `fromMs` (included) to `toMs` (excluded). NaN where nothing was. */
export function figuresOf(samples: readonly Sample[], fromMs: number, toMs: number): Figures {
  const took = samples
    .filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs)
    .map(({ tookMs }) => tookMs)
    .sort((a, b) => a - b);
  return {
    count: took.length,
    p50Ms: percentile(took, 0.5),
    p99Ms: percentile(took, 0.99),
    longestMs: percentile(took, 1),
  };
}

/** Nearest rank: the smallest value that at least this share of all is no larger than. */
export const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN;

export const median = (values: readonly number[]): number => {
  const ascending = values.toSorted((a, b) => a - b);
  const half = ascending.length / 2;
  const upper = ascending[Math.floor(half)] ?? Number.NaN;
  return Number.isInteger(half) ? ((ascending[half - 1] ?? Number.NaN) + upper) / 2 : upper;
};
