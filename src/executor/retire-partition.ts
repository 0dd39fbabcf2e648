/**
 * Takes an expired partition off its parent and, where the policy says so, drops it. One partition at a time, from whatever
 * state it is found in: attached, half detached by a run that was interrupted, or detached.
 *
 * What destroys reads its evidence again, by OID, under the lock that keeps anybody from changing it.
 */
import type { DetachPartition, DropPartition } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { ddl, literal, type Statement } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { holdsLock, readBlockers, readInvolved, refuseIfBlocked } from './blockers.ts';
import { concurrentDetachStatements, detachConcurrently } from './detach-concurrently.ts';
import {
  hasRangeCheck,
  lockParent,
  type PartitionState,
  parentFound,
  readPartitionState,
  refuseIfNeeded,
  refuseIfNewerRows,
  stale,
} from './evidence.ts';
import { finalizeStatements, lookBeforeFinalizing } from './finalize-detach.ts';
import { type ActionKindDefinition, type Attempt, becomeOwner, type Done } from './runner.ts';

type RetirePartition = DropPartition | DetachPartition;

const wasInterrupted = ({ because }: RetirePartition): boolean => because.rule === 'interrupted';
const isAlone = ({ from, way }: RetirePartition): boolean => from === 'attached' && way === 'concurrently';

export const detachPartition: ActionKindDefinition<DetachPartition> = {
  statements: action => (action.from === 'detached' ? hold(action) : takeOff(action)),
  run: (action, attempt) => retire(action, attempt),
  needsOwnSession: isAlone,
};

export const dropPartition: ActionKindDefinition<DropPartition> = {
  statements: action => [
    ...takeOff(action),
    ...(isAlone(action) || action.from === 'detached' ? [...hold(action), drop(action)] : [drop(action)]),
  ],
  run: (action, attempt) => retire(action, attempt),
  needsOwnSession: isAlone,
};

/** About what the slowest insert takes when nobody is in its way. */
const WAIT_WITH_PARENT_LOCKED_MS = 20;

function takeOff(action: RetirePartition): readonly Statement[] {
  if (action.from === 'detached') return [];
  if (action.from === 'pending') return finalizeStatements(action);
  return isAlone(action) ? concurrentDetachStatements(action) : [...lock(action), detach(action)];
}

const lock = ({ actAs, target, relation }: RetirePartition): readonly Statement[] => [
  ...becomeOwner(actAs),
  ddl`lock table only ${target} in access exclusive mode`,
  // Not a moment's wait with the parent already locked: writers would wait for this partition's reader.
  ddl`lock table ${relation} in access exclusive mode nowait`,
  // DETACH also locks the default partition and the tables that refer to this one, each for a budget of its own.
  ddl`set local lock_timeout = ${literal(`${WAIT_WITH_PARENT_LOCKED_MS}ms`)}`,
];
const detach = ({ target, relation }: RetirePartition): Statement =>
  ddl`alter table ${target} detach partition ${relation}`;
// Never CASCADE: what depends on the partition is somebody's, and they should decide.
const drop = ({ relation }: RetirePartition): Statement => ddl`drop table ${relation}`;
const hold = ({ actAs, relation }: RetirePartition): readonly Statement[] => [
  ...becomeOwner(actAs),
  // Whoever reads it may go on while its rows are looked at; nobody adds any.
  ddl`lock table ${relation} in share mode`,
];

async function retire(action: RetirePartition, attempt: Attempt): Promise<Done> {
  const { session } = attempt;
  const state = await readPartitionState(session, action);
  if (!(state === 'detached' && attempt.progress.isDetached)) refuseIfOtherwise(action, state);
  if (state === 'gone') return attempt.transaction(async () => ({ outcome: 'already-done' }));
  if (action.kind === 'drop-partition') await refuseIfNeeded(session, action, wordsFor(action));
  if (state === 'detached') return finishDetached(action, attempt);
  if (state === 'pending') return finishPending(action, attempt);
  if (action.way === 'blocking') return retireAtOnce(action, attempt);
  await parentFound(session, action);
  await detachConcurrently(action, attempt);
  // Another try, because the lock for the drop was not to be had, goes on from here.
  attempt.progress.isDetached = true;
  return finishDetached(action, attempt);
}

const wordsFor = ({ kind, relation }: RetirePartition): string =>
  `${kind === 'drop-partition' ? 'drop' : 'detach'} partition ${formatRelationName(relation)}`;

/** What the plan found half done may have been finished by now; what it found whole may not have become less. */
function refuseIfOtherwise({ from, relation }: RetirePartition, state: PartitionState): void {
  const name = formatRelationName(relation);
  if (state === 'elsewhere') throw stale(name, 'is no longer a partition of the same table');
  if (state === 'attached' && from !== 'attached') throw stale(name, 'is attached again');
  if (state === 'pending' && from === 'attached') throw stale(name, 'has a detach pending');
  if (state === 'detached' && from === 'attached') throw stale(name, 'is no longer a partition of the same table');
}

/** In one transaction: nothing can come between proof, detaching and dropping, and nothing is ever half done. */
async function retireAtOnce(
  action: RetirePartition,
  { session, budget, transaction, execute }: Attempt,
): Promise<Done> {
  const what = wordsFor(action);
  const involved = await readInvolved(session, action.parent, action.partition);
  const blockers = await readBlockers(session, involved, budget.passingMs);
  refuseIfBlocked(
    blockers.filter(blocker => holdsLock(blocker) && blocker.age_ms >= budget.passingMs),
    what,
  );
  return transaction(async () => {
    await lockParent(session, action.parent);
    await parentFound(session, action);
    // Before locking by name as well: a partition that is gone has no name to lock.
    if ((await attachedOrGone(session, action)) === 'gone') return { outcome: 'already-done' };
    for (const statement of lock(action)) await execute(statement, what);
    await parentFound(session, action);
    if ((await attachedOrGone(session, action)) === 'gone') return { outcome: 'already-done' };
    const done = await measure(session, action);
    await execute(detach(action), what);
    if (action.kind === 'drop-partition') await execute(drop(action), what);
    return done;
  });
}

async function attachedOrGone(session: Session, action: RetirePartition): Promise<PartitionState> {
  const state = await readPartitionState(session, action);
  refuseIfOtherwise(action, state);
  return state;
}

async function finishPending(action: RetirePartition, attempt: Attempt): Promise<Done> {
  const { session, transaction, execute } = attempt;
  await lookBeforeFinalizing(attempt, action);
  return transaction(async () => {
    await lockParent(session, action.parent);
    await parentFound(session, action);
    const state = await readPartitionState(session, action);
    if (state !== 'pending') throw stale(formatRelationName(action.relation), 'has no detach pending any more');
    for (const statement of finalizeStatements(action)) await execute(statement, wordsFor(action));
    const done = await measure(session, action);
    if (action.kind === 'drop-partition') {
      await refuseIfNewerRows(session, action);
      await execute(drop(action), wordsFor(action));
    }
    return done;
  });
}

const finishDetached = (action: RetirePartition, { session, transaction, execute }: Attempt): Promise<Done> =>
  transaction(async () => {
    await lockParent(session, action.parent);
    // We have just detached it ourselves, and no row of it is going to be touched.
    if (action.kind === 'detach-partition' && !wasInterrupted(action)) return measure(session, action);
    for (const statement of hold(action)) await execute(statement, wordsFor(action));
    const state = await readPartitionState(session, action);
    if (state !== 'detached') throw stale(formatRelationName(action.relation), 'is attached again');
    // An intent alone does not say who detached it. Our way leaves the CHECK of its range behind; without it the table is
    // somebody else's now, and the intent has come to nothing.
    if (wasInterrupted(action) && !(await hasRangeCheck(session, action))) return { outcome: 'already-done' };
    if (action.kind === 'detach-partition') return measure(session, action);
    await refuseIfNewerRows(session, action);
    const done = await measure(session, action);
    await execute(drop(action), wordsFor(action));
    return done;
  });

/** Exact, and without waiting: the lock on the partition is ours, or nobody else knows it any more. A subtree counts as a whole. */
async function measure(session: Session, { partition, relation, rowsEstimate }: RetirePartition): Promise<Done> {
  const [row] = await session.query<{ bytes: number }>(
    // What is neither a partition nor partitioned has no tree at all.
    'select coalesce(sum(pg_total_relation_size(t.relid)), pg_total_relation_size($1::oid), 0)::bigint as bytes from pg_partition_tree($1::oid::regclass) t',
    [partition],
    `measure ${formatRelationName(relation)}`,
  );
  return { outcome: 'done', bytes: row?.bytes ?? 0, rows: rowsEstimate };
}
