/** Clears away what an interrupted run has left beside a default partition. */
import type { ClearLeftovers } from '../../domain/plan.ts';
import { lockParent } from '../evidence.ts';
import type { ActionKindDefinition } from '../runner.ts';
import { isCheckThere, lift, liftStatements } from './spare.ts';

export const clearLeftovers: ActionKindDefinition<ClearLeftovers> = {
  statements: action => (action.check ? liftStatements(action) : []),
  async run(action, attempt) {
    const { session, transaction } = attempt;
    return transaction(async () => {
      await lockParent(session, action.parent);
      if (!(await isCheckThere(session, action))) return { outcome: 'already-done' };
      await lift(action, action.relation, attempt);
      return { outcome: 'done' };
    });
  },
};
