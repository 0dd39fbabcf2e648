/** Where an action is put on record: intended before it is done, concluded in its own transaction. */
import type { MaintenanceError } from '../domain/errors.ts';
import type { Action } from '../domain/plan.ts';
import type { Session } from '../postgres/session.ts';
import type { Done } from './runner.ts';

/** What an attempt has cost by the time it is put on record. */
export interface Cost {
  readonly durationMs: number;
  /** Spent in attempts that failed for want of a lock, and in LOCK statements. */
  readonly lockWaitMs: number;
  readonly attempts: number;
}

export interface ActionRecord {
  /** The last statement of the action's own transaction, so that deed and record are one; as ourselves, not as the owner. */
  conclude(
    session: Session,
    done: Done,
    statements: readonly string[],
    cost: Cost,
    isInTransaction: boolean,
  ): Promise<void>;
  /** After the last try. Never throws: the failure itself is what matters. */
  fail(error: MaintenanceError, cost: Cost): Promise<void>;
}

export interface ActionRecorder {
  /** Throws when a destructive action cannot be put on record first; others are then done without. */
  intend(action: Action, statements: readonly string[]): Promise<ActionRecord>;
}

export const NO_RECORD: ActionRecord = { conclude: async () => {}, fail: async () => {} };

/** For a database without partkeeper's own schema. */
export const unrecorded: ActionRecorder = { intend: async () => NO_RECORD };
