/** Finishes a concurrent detach that was begun and interrupted, in a transaction: so that the record of it is part of it. */
import type { ActAs, FinalizeDetach } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { ddl, type Statement } from '../postgres/ddl.ts';
import { holdsLock, readBlockers, refuseIfBlocked } from './blockers.ts';
import { lockParent, parentFound, readPartitionState, stale } from './evidence.ts';
import { type ActionKindDefinition, type Attempt, becomeOwner } from './runner.ts';

interface Pending {
  readonly parent: number;
  readonly partition: number;
  readonly target: RelationName;
  readonly relation: RelationName;
  readonly actAs: ActAs;
}

// SHARE UPDATE EXCLUSIVE on the parent, ACCESS EXCLUSIVE on the partition; and it waits for older snapshots.
export const finalizeStatements = ({ actAs, target, relation }: Pending): readonly Statement[] => [
  ...becomeOwner(actAs),
  ddl`alter table ${target} detach partition ${relation} finalize`,
];

/** Throws BLOCKED while it would have to wait for a transaction that will not be over in a moment. */
export async function lookBeforeFinalizing(
  { session, budget }: Pick<Attempt, 'session' | 'budget'>,
  pending: Pending,
): Promise<void> {
  const blockers = await readBlockers(session, [pending.partition], budget.passingMs);
  refuseIfBlocked(
    blockers.filter(blocker => holdsLock(blocker) || blocker.has_snapshot),
    `finish the detach of ${formatRelationName(pending.relation)}`,
  );
}

export const finalizeDetach: ActionKindDefinition<FinalizeDetach> = {
  statements: finalizeStatements,
  async run(action, attempt) {
    const { session, transaction, execute } = attempt;
    await lookBeforeFinalizing(attempt, action);
    return transaction(async () => {
      await lockParent(session, action.parent);
      await parentFound(session, action);
      const state = await readPartitionState(session, action);
      if (state === 'gone' || state === 'detached') return { outcome: 'already-done' };
      if (state !== 'pending') throw stale(formatRelationName(action.relation), 'has no detach pending');
      for (const statement of finalizeStatements(action))
        await execute(statement, `finish the detach of ${formatRelationName(action.relation)}`);
      return { outcome: 'done' };
    });
  },
};
