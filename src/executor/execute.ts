/** The one table of action kinds, and the road that every action takes through it. */
import type { MaintenanceError } from '../domain/errors.ts';
import type { Action, ActionKind } from '../domain/plan.ts';
import type { StatementBudget } from '../domain/policy.ts';
import type { Database } from '../postgres/database.ts';
import type { Statement } from '../postgres/ddl.ts';
import { analyzeTable } from './analyze-table.ts';
import { createPartition } from './create-partition.ts';
import { refreshView } from './refresh-view.ts';
import { detachPartition, dropPartition } from './retire-partition.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import type { ActionKindDefinition, Done } from './runner.ts';

const kinds: { readonly [K in ActionKind]: ActionKindDefinition<Extract<Action, { kind: K }>> } = {
  'create-partition': createPartition,
  'drop-partition': dropPartition,
  'detach-partition': detachPartition,
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
  /** A clock that only goes forward, in milliseconds. */
  readonly monotonicMs: () => number;
  readonly onRetry: (attempt: number, delayMs: number, error: MaintenanceError) => void;
}

export interface Executed extends Done {
  readonly statements: readonly string[];
  readonly attempts: number;
  readonly durationMs: number;
}

/** Does it, trying again while locks are not to be had. Throws the MaintenanceError of the last try. */
export async function executeAction(action: Action, options: ExecutionOptions): Promise<Executed> {
  const { database, budget, signal, monotonicMs } = options;
  const started = monotonicMs();
  let statements: string[] = [];
  const { value, attempts } = await withRetries({ ...options, attempts: budget.lockAttempts }, () =>
    database.use(session => {
      statements = [];
      const execute = async (statement: Statement, attempted: string): Promise<void> => {
        statements.push(statement.text);
        await session.execute(statement, attempted);
      };
      return definitionOf(action).run(action, { session, budget, execute });
    }, signal),
  );
  return { ...value, statements, attempts, durationMs: monotonicMs() - started };
}
