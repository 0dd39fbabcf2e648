/**
 * Takes a partition off its parent without anybody having to wait: SHARE UPDATE EXCLUSIVE on both, then, once every
 * transaction that could still see it is over, ACCESS EXCLUSIVE on the partition alone.
 *
 * It runs in two transactions of its own making. Whatever ends it between the two leaves the detach pending: the rows are no
 * longer seen through the parent, and nothing else can be detached before somebody finishes it. So it has no timeout; before
 * it is begun we look whether it would have to wait, and while it holds others up it is cancelled (`give-way.ts`).
 */
import { asMaintenanceError, MaintenanceError } from '../domain/errors.ts';
import type { OnPartition } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { ddl, identifier, literal, type Statement } from '../postgres/ddl.ts';
import { holdsLock, holdsStrongLock, readBlockers, refuseIfBlocked } from './blockers.ts';
import { readPartitionState } from './evidence.ts';
import type { Attempt } from './runner.ts';

type Detach = Pick<OnPartition, 'parent' | 'partition' | 'target' | 'relation' | 'actAs' | 'boundText'>;

/** Seen by a later run in `pg_stat_activity`: a server goes on with it although the client is gone. */
export const DETACHING = 'partkeeper detach';

const detach = ({ target, relation }: Detach): Statement =>
  ddl`alter table ${target} detach partition ${relation} concurrently`;

export const concurrentDetachStatements = (action: Detach): readonly Statement[] => [
  // For the session: there is no transaction that they could be local to.
  ...(action.actAs.how === 'set-role' ? [ddl`set role ${identifier(action.actAs.owner)}`] : []),
  detach(action),
];

/**
 * On a session of its own, which is not used for anything else afterwards.
 *
 * @throws MaintenanceError BLOCKED, and nothing was begun; RETIRE_UNFINISHED, and the detach is pending
 */
export async function detachConcurrently(action: Detach, attempt: Attempt): Promise<void> {
  const { session, budget, signal } = attempt;
  const what = `detach partition ${formatRelationName(action.relation)} concurrently`;
  const blockers = await readBlockers(session, [action.parent, action.partition], budget.deferOlderThanMs);
  refuseIfBlocked(
    blockers.filter(
      blocker => holdsStrongLock(blocker) || (holdsLock(blocker) && blocker.age_ms >= budget.deferOlderThanMs),
    ),
    what,
  );
  await session.execute(
    ddl`set application_name = ${literal(DETACHING)}; set lock_timeout = 0; set statement_timeout = 0`,
    'prepare the session for a detach',
  );
  try {
    for (const statement of concurrentDetachStatements(action)) await attempt.executeUnbounded(statement, what);
  } catch (thrown) {
    const error = asMaintenanceError(thrown);
    if (signal.aborted || error.code === 'CONNECTION_LOST') throw error;
    await session.execute(ddl`reset role`, 'become ourselves again');
    const state = await readPartitionState(session, action);
    if (state === 'attached') throw error;
    if (state === 'pending')
      throw new MaintenanceError('RETIRE_UNFINISHED', `${error.message}; the detach is pending`, { cause: error });
    // Somebody else has finished it, or the server has, although it could not say so.
    if (state !== 'detached') throw error;
  }
  if (action.actAs.how === 'set-role') await session.execute(ddl`reset role`, 'become ourselves again');
  await session.execute(
    ddl`set lock_timeout = ${literal(`${budget.lockTimeoutMs}ms`)}; set statement_timeout = ${literal(`${budget.statementTimeoutMs}ms`)}`,
    'give the session its limits back',
  );
}
