/** How long to wait before trying again. Chance is given, so that a test can foresee it. */

const FIRST_DELAY_MS = 300;
const LONGEST_DELAY_MS = 30_000;

/**
 * Exponential, 0.3 s to 30 s, with jitter from half to the whole, so that several replicas do not try in step.
 *
 * @param attempt the try that failed, from 1
 * @param random from 0 (included) to 1 (excluded)
 */
export const backoffMs = (attempt: number, random: () => number): number =>
  Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1)) * (0.5 + random() / 2);
