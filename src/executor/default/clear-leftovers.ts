/** Clears away what an interrupted run has left beside a default partition: first the CHECK, which refuses rows. */
import type { ClearLeftovers } from '../../domain/plan.ts';
import { lockParent } from '../evidence.ts';
import type { ActionKindDefinition, Attempt } from '../runner.ts';
import { isCheckThere, lift, liftStatements } from './spare.ts';
import { clearSwap } from './swap/clear.ts';

export const clearLeftovers: ActionKindDefinition<ClearLeftovers> = {
  statements: action => (action.check ? liftStatements(action) : []),
  async run(action, attempt) {
    let found = action.check && (await liftLeft(action, attempt));
    for (const id of action.drains) found = (await clearSwap(action, id, attempt)) || found;
    return attempt.conclude({ outcome: found ? 'done' : 'already-done' });
  },
};

const liftLeft = (action: ClearLeftovers, attempt: Attempt): Promise<boolean> =>
  attempt.step(async () => {
    await lockParent(attempt.session, action.parent);
    if (!(await isCheckThere(attempt.session, action))) return false;
    await lift(action, action.relation, attempt);
    return true;
  });
