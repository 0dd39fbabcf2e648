/** Bounded, abortable retries of what failed for want of a lock. `sleep` and `random` are given, so tests decide time. */
import { backoffMs } from '../domain/backoff.ts';
import { asMaintenanceError, MaintenanceError, retryOf } from '../domain/errors.ts';

export interface RetryOptions {
  readonly attempts: number;
  /** Ends early, either way, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onRetry: (attempt: number, delayMs: number, error: MaintenanceError) => void;
}

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
      await options.sleep(delayMs, options.signal).catch((reason: unknown) => {
        if (!options.signal.aborted) throw reason;
      });
      if (options.signal.aborted)
        throw new MaintenanceError('CANCELLED', `stopped on request before another try; so far: ${error.message}`, {
          cause: error,
        });
    }
  }
}
