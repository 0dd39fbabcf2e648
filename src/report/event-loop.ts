/** Notices when the event loop stands still, because then nothing else in the process can. */

/** A delay of at least this is a stall. Milliseconds. */
export const STALL_MS = 1_000;

export interface WatchOptions {
  readonly everyMs?: number;
  readonly clock?: { now(): number };
}

/**
 * Calls `onStall` once per stall, after it. Does not keep the process alive.
 *
 * @returns stops watching
 */
export function watchEventLoop(onStall: (delayMs: number) => void, options: WatchOptions = {}): () => void {
  const { everyMs = 500, clock = performance } = options;
  let expected = clock.now() + everyMs;
  const timer = setInterval(() => {
    const delay = clock.now() - expected;
    expected = clock.now() + everyMs;
    if (delay >= STALL_MS) onStall(delay);
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
