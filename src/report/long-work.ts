/** Says of an action that takes long that it still goes on, so that nobody who watches takes it for dead. */
import type { Action } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import type { Emit, RunIdentity } from './events.ts';

export interface LongWorkOptions {
  /** Calls `tick` again and again, so many milliseconds apart, until what it returns is called. */
  readonly every: (ms: number, tick: () => void) => () => void;
  readonly tell: (run: RunIdentity, action: Action, elapsedMs: number) => void;
}

/** The first time after this, then each time after as long again: minutes of waiting are not minutes of reading. */
export const FIRST_AFTER_MS = 10_000;

/** A subscriber; what it tells is no news for anybody who keeps records. */
export function watchLongWork({ every, tell }: LongWorkOptions): Emit {
  const stops = new Map<string, () => void>();
  const keyOf = (run: RunIdentity, { kind, relation }: Action): string =>
    `${run.runId} ${kind} ${formatRelationName(relation)}`;
  const end = (key: string): void => {
    stops.get(key)?.();
    stops.delete(key);
  };
  return event => {
    if (event.kind === 'action-started') {
      const { run, action } = event;
      let elapsedMs = 0;
      let nextMs = FIRST_AFTER_MS;
      const stop = every(FIRST_AFTER_MS, () => {
        elapsedMs += FIRST_AFTER_MS;
        if (elapsedMs < nextMs) return;
        nextMs = elapsedMs * 2;
        tell(run, action, elapsedMs);
      });
      end(keyOf(run, action));
      stops.set(keyOf(run, action), stop);
    } else if (event.kind === 'action-finished' || event.kind === 'action-failed' || event.kind === 'action-deferred')
      end(keyOf(event.run, event.action));
  };
}
