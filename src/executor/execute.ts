/** The one table of action kinds, and the road that every action takes through it. */
import { asMaintenanceError, type MaintenanceError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { Action, ActionKind } from '../domain/plan.ts';
import type { StatementBudget } from '../domain/policy.ts';
import type { Database } from '../postgres/database.ts';
import { ddl } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { analyzeTable } from './analyze-table.ts';
import { naming } from './blockers.ts';
import { createPartition } from './create-partition.ts';
import { clearLeftovers } from './default/clear-leftovers.ts';
import { finalizeDetach } from './finalize-detach.ts';
import { givingWay } from './give-way.ts';
import type { ActionRecorder, Cost } from './record.ts';
import { refreshView } from './refresh-view.ts';
import { restorePartition } from './restore-partition.ts';
import { detachPartition, dropPartition } from './retire-partition.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import type { ActionKindDefinition, Attempt, Done } from './runner.ts';

const kinds: { readonly [K in ActionKind]: ActionKindDefinition<Extract<Action, { kind: K }>> } = {
  'create-partition': createPartition,
  'clear-leftovers': clearLeftovers,
  'drop-partition': dropPartition,
  'detach-partition': detachPartition,
  'finalize-detach': finalizeDetach,
  'restore-partition': restorePartition,
  'refresh-view': refreshView,
  'analyze-table': analyzeTable,
};

// The table above pairs each kind with its own action; TypeScript cannot follow that pairing through an index.
const definitionOf = (action: Action): ActionKindDefinition<Action> =>
  kinds[action.kind] as ActionKindDefinition<Action>;

/** The statements that an action consists of, as they would be sent. */
export const statementsOf = (action: Action): readonly string[] =>
  definitionOf(action)
    .statements(action)
    .map(({ text }) => text);

export interface ExecutionOptions extends Omit<RetryOptions, 'attempts' | 'onRetry'> {
  readonly database: Database;
  readonly budget: StatementBudget;
  readonly recorder: ActionRecorder;
  /** A clock that only goes forward, in milliseconds. */
  readonly monotonicMs: () => number;
  readonly onRetry: (attempt: number, delayMs: number, error: MaintenanceError) => void;
  /** Called after each try that has waited for locks, with how long, granted or not. */
  readonly onLockWait: (waitMs: number) => void;
}

/** What takes locks and does hardly anything more, so that how long it took is how long it waited. */
const WAITS_FOR_LOCKS = /^(lock|alter) table /;

export interface Executed extends Done {
  readonly statements: readonly string[];
  readonly attempts: number;
  readonly durationMs: number;
  readonly lockWaitMs: number;
  /** Of a look at what was done. */
  readonly findings: readonly Finding[];
}

/** Does it, trying again while locks are not to be had. Throws the MaintenanceError of the last try. */
export async function executeAction(action: Action, options: ExecutionOptions): Promise<Executed> {
  const { database, budget, signal, monotonicMs, recorder } = options;
  const definition = definitionOf(action);
  const started = monotonicMs();
  const record = await recorder.intend(action, statementsOf(action));
  let statements: string[] = [];
  const progress = { isDetached: false };
  let lockWaitMs = 0;
  let attempts = 0;
  let waits: number[] = [];
  const cost = (): Cost => ({ durationMs: monotonicMs() - started, lockWaitMs, attempts });

  const once = (session: Session): Promise<Done> => {
    statements = [];
    const concludeIn = async (isInTransaction: boolean, done: Done): Promise<Done> => {
      if (action.actAs.how === 'set-role') await session.execute(ddl`reset role`, 'become ourselves again');
      await record.conclude(session, done, statements, cost(), isInTransaction);
      return done;
    };
    const attempt: Attempt = {
      session,
      budget,
      signal,
      progress,
      async executeUnbounded(statement, attempted) {
        statements.push(statement.text);
        await session.executeUnbounded(statement, attempted);
      },
      async execute(statement, attempted) {
        statements.push(statement.text);
        const before = monotonicMs();
        await session.execute(statement, attempted);
        const tookMs = monotonicMs() - before;
        if (statement.text.startsWith('lock ')) lockWaitMs += tookMs;
        if (WAITS_FOR_LOCKS.test(statement.text)) waits.push(tookMs);
      },
      conclude: done => concludeIn(false, done),
      step: work => session.transaction(budget, work),
      insist: async work => {
        const { value } = await withRetries({ ...options, attempts: budget.lockAttempts, onRetry: () => {} }, () =>
          session.transaction(budget, work),
        );
        return value;
      },
      isLast: attempts >= budget.lockAttempts,
      transaction: work => session.transaction(budget, async () => concludeIn(true, await work())),
    };
    return definition.run(action, attempt);
  };

  const isAlone = definition.needsOwnSession?.(action) ?? false;
  const lend = isAlone ? database.useOnce : database.use;
  const watched = (session: Session): Promise<Done> =>
    givingWay(database, session, { signal, patienceMs: isAlone ? budget.patienceMs : undefined }, once);

  try {
    const { value } = await withRetries({ ...options, attempts: budget.lockAttempts }, async () => {
      attempts += 1;
      waits = [];
      const before = monotonicMs();
      try {
        return await lend(watched, signal);
      } catch (error) {
        if (asMaintenanceError(error).code === 'LOCK_UNAVAILABLE') {
          lockWaitMs += monotonicMs() - before;
          waits = [monotonicMs() - before];
        }
        throw error;
      } finally {
        if (waits.length > 0) options.onLockWait(waits.reduce((total, ms) => total + ms, 0));
      }
    });
    const spent = cost();
    return { ...value, statements, ...spent, findings: value.outcome === 'done' ? await confirm(action, options) : [] };
  } catch (thrown) {
    const error = await naming(database, asMaintenanceError(thrown), action);
    await record.fail(error, cost());
    throw error;
  }
}

/** It is done whatever comes of this; a connection that broke, or a stop, is for the next action to find out. */
const confirm = async (action: Action, { database, budget, signal }: ExecutionOptions): Promise<readonly Finding[]> => {
  const look = definitionOf(action).confirm;
  return look ? database.use(session => look(session, budget, action), signal).catch(() => []) : [];
};
