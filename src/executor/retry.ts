/** Bounded, abortable retries of what failed for want of a lock. `sleep` and `random` are given, so tests decide time. */
import { asMaintenanceError, type MaintenanceError, retryOf } from '../domain/errors.ts';

export interface RetryOptions {
  readonly attempts: number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onRetry: (attempt: number, delayMs: number, error: MaintenanceError) => void;
}

const FIRST_DELAY_MS = 300;
const LONGEST_DELAY_MS = 30_000;

/** Exponential, with jitter from half to the whole, so that several replicas do not try in step. */
export const backoffMs = (attempt: number, random: () => number): number =>
  Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1)) * (0.5 + random() / 2);

/** @returns what `work` returned, and at which try */
export async function withRetries<T>(
  options: RetryOptions,
  work: (attempt: number) => Promise<T>,
): Promise<{ value: T; attempts: number }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { value: await work(attempt), attempts: attempt };
    } catch (thrown) {
      const error = asMaintenanceError(thrown);
      if (attempt >= options.attempts || retryOf(error.code) !== 'same-run' || options.signal.aborted) throw error;
      const delayMs = backoffMs(attempt, options.random);
      options.onRetry(attempt, delayMs, error);
      await options.sleep(delayMs, options.signal);
    }
  }
}
