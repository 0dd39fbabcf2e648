/** Attaches again what we detached, without a scan under a lock: the CHECK of its range is there, or is validated first. */

import { formatKey } from '../domain/key-text.ts';
import type { RestorePartition } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { ddl, identifier, literal, type Statement } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { hasRangeCheck, lockParent, parentFound, readPartitionState, stale } from './evidence.ts';
import { finalizeStatements, lookBeforeFinalizing } from './finalize-detach.ts';
import { type ActionKindDefinition, type Attempt, becomeOwner, type Done } from './runner.ts';

/** One of ours, to be seen as such, and gone as soon as the partition's own bound says the same. */
const RANGE_CHECK = identifier('partkeeper_range');

export const restorePartition: ActionKindDefinition<RestorePartition> = {
  statements: action => [...prove(action), ...becomeOwner(action.actAs), attach(action), forget(action)],
  async run(action, attempt) {
    const { session } = attempt;
    const name = formatRelationName(action.relation);
    const state = await readPartitionState(session, { ...action, boundText: undefined });
    if (state === 'attached') return attempt.transaction(async () => ({ outcome: 'already-done' }));
    if (state === 'gone') throw stale(name, 'is gone, and cannot be attached again');
    if (state === 'elsewhere') throw stale(name, 'is a partition of another table now');
    await parentFound(session, action);
    if (state === 'pending') await finishDetach(action, attempt);
    if (!(await hasRangeCheck(session, action))) {
      // Nobody asked for it, and nothing proves that it was we who detached it: whoever did has a use for it.
      if (action.because.rule === 'not-expired-now')
        return attempt.transaction(async () => ({ outcome: 'already-done' }));
      await proveRange(action, attempt);
    }
    return attachAgain(action, attempt);
  },
};

const attach = ({ target, relation, window, key }: RestorePartition): Statement =>
  ddl`alter table ${target} attach partition ${relation} for values from (${literal(formatKey(window.lower, key.type))}) to (${literal(formatKey(window.upper, key.type))})`;

const forget = ({ relation }: RestorePartition): Statement =>
  ddl`alter table ${relation} drop constraint if exists ${RANGE_CHECK}`;

const prove = ({ relation, window, key }: RestorePartition): readonly Statement[] => {
  const column = identifier(key.column);
  const [lower, upper] = [literal(formatKey(window.lower, key.type)), literal(formatKey(window.upper, key.type))];
  return [
    ddl`alter table ${relation} add constraint ${RANGE_CHECK} check (${column} is not null and ${column} >= ${lower} and ${column} < ${upper}) not valid`,
    ddl`alter table ${relation} validate constraint ${RANGE_CHECK}`,
  ];
};

async function finishDetach(action: RestorePartition, attempt: Attempt): Promise<void> {
  const { session, budget, execute } = attempt;
  await lookBeforeFinalizing(attempt, action);
  await session.transaction(budget, async () => {
    await lockParent(session, action.parent);
    for (const statement of finalizeStatements(action))
      await execute(statement, `finish the detach of ${formatRelationName(action.relation)}`);
  });
}

/** Each in a transaction of its own, so that the scan holds no lock that anybody minds. */
async function proveRange(action: RestorePartition, { session, budget, execute }: Attempt): Promise<void> {
  const what = `prove the range of ${formatRelationName(action.relation)}`;
  const inTransaction = (...statements: readonly Statement[]): Promise<void> =>
    session.transaction(budget, async () => {
      for (const statement of [...becomeOwner(action.actAs), ...statements]) await execute(statement, what);
    });
  const [add, validate] = prove(action);
  // A leftover of an earlier try may not have been validated.
  if (add) await inTransaction(forget(action), add);
  if (validate) await inTransaction(validate);
}

const attachAgain = (action: RestorePartition, { session, transaction, execute }: Attempt): Promise<Done> =>
  transaction(async () => {
    const what = `attach ${formatRelationName(action.relation)} to ${formatRelationName(action.target)} again`;
    await lockParent(session, action.parent);
    await parentFound(session, action);
    for (const statement of [...becomeOwner(action.actAs), attach(action), forget(action)])
      await execute(statement, what);
    await confirm(session, action);
    return { outcome: 'done', rows: action.rowsEstimate, bytes: action.bytesEstimate };
  });

async function confirm(session: Session, action: RestorePartition): Promise<void> {
  const state = await readPartitionState(session, action);
  if (state !== 'attached') throw stale(formatRelationName(action.relation), 'was replaced by another table');
}
