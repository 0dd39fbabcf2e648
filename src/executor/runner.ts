/** What every kind of action needs to be run, and the shape of one. */

import type { Finding } from '../domain/findings.ts';
import type { ActAs, Action } from '../domain/plan.ts';
import type { StatementBudget } from '../domain/policy.ts';
import { ddl, identifier, type Statement } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';

/** What running an action once came to. */
export interface Done {
  readonly outcome: 'done' | 'already-done';
  /** Rows and bytes that were removed or rewritten, where known. */
  readonly rows?: number | undefined;
  readonly bytes?: number | undefined;
}

/** What an action is run with; see `execute.ts`. */
export interface Attempt {
  readonly session: Session;
  /** What earlier tries of the same action have come to, where it is more than nothing. */
  readonly progress: { isDetached: boolean };
  /** Aborted when the run is told to stop. */
  readonly signal: AbortSignal;
  readonly budget: StatementBudget;
  /** Runs `work` in one transaction, and puts what it came to on record as the last statement of the same transaction. */
  transaction(work: () => Promise<Done>): Promise<Done>;
  /** Runs `work` in a transaction of its own that is not the last one: of it the record says nothing. */
  step<T>(work: () => Promise<T>): Promise<T>;
  /** Such a transaction, tried again while its locks are not to be had, within this attempt. For tidying up. */
  insist<T>(work: () => Promise<T>): Promise<T>;
  /** After this one there is no further try, whatever goes wrong. */
  readonly isLast: boolean;
  /** Puts it on record, for what cannot run in a transaction. */
  conclude(done: Done): Promise<Done>;
  /** Runs one statement and keeps its text for the record. */
  execute(statement: Statement, attempted: string): Promise<void>;
  /** The same for a statement that may take as long as it takes. */
  executeUnbounded(statement: Statement, attempted: string): Promise<void>;
}

/** One try. Throws a MaintenanceError; whether it is tried again is decided by its code. */
export type Runner<A extends Action> = (action: A, attempt: Attempt) => Promise<Done>;

/** A kind of action: the statements it consists of, known before it runs, and how it runs. */
export interface ActionKindDefinition<A extends Action> {
  readonly statements: (action: A) => readonly Statement[];
  readonly run: Runner<A>;
  /** Does it leave its session in a state that nobody else should meet? Then it gets one of its own. */
  readonly needsOwnSession?: (action: A) => boolean;
  /** What is looked at once it is done and committed, for findings; should it throw, nothing is lost. */
  readonly confirm?: (session: Session, budget: StatementBudget, action: A) => Promise<readonly Finding[]>;
}

/** Whatever runs as a member of the owner runs as the owner: it alone may, and it alone shall own what is made. */
export const becomeOwner = ({ owner, how }: ActAs): readonly Statement[] =>
  how === 'set-role' ? [ddl`set local role ${identifier(owner)}`] : [];
