/** Waiting for a server no longer than makes sense: one that hangs never says so. */
import { setTimeout as delay } from 'node:timers/promises';

/** The promise's outcome, unless the signal is aborted first: then its reason is thrown. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The promise's outcome; `destroy`, which has to make it fail, is called after `ms` or when the signal is aborted. */
export async function orDestroyed<T>(
  promise: Promise<T>,
  { ms, signal, destroy }: { readonly ms: number; readonly signal?: AbortSignal | undefined; destroy(): void },
): Promise<T> {
  const timer = setTimeout(destroy, ms);
  signal?.addEventListener('abort', destroy, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', destroy);
  }
}

/** Waits for the promise, for `ms` at most. */
export async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  const settled = new AbortController();
  try {
    await Promise.race([promise, delay(ms, undefined, { signal: settled.signal }).catch(() => {})]);
  } finally {
    settled.abort();
  }
}
