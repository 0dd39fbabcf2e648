/**
 * Takes an expired partition off its parent and, where the policy says so, drops it: one transaction, one partition. Both
 * tables are locked first and the evidence is read again under the locks, so nothing can change between proof and deed.
 *
 * DROP of a partition that is still attached would do as much; detaching first keeps the order that a kept table, a grace
 * period or an archive needs.
 */
import type { DetachPartition, DropPartition } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { ddl, literal, type Statement } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { isStillAsPlanned, lockParent, parentFound } from './evidence.ts';
import { type ActionKindDefinition, type Attempt, becomeOwner, type Done } from './runner.ts';

type RetirePartition = DropPartition | DetachPartition;

export const detachPartition: ActionKindDefinition<DetachPartition> = {
  statements: action => [...lock(action), detach(action)],
  run: (action, attempt) => retire(action, attempt, [detach(action)]),
};

export const dropPartition: ActionKindDefinition<DropPartition> = {
  statements: action => [...lock(action), detach(action), drop(action)],
  run: (action, attempt) => retire(action, attempt, [detach(action), drop(action)]),
};

/** About what the slowest insert takes when nobody is in its way. */
const WAIT_WITH_PARENT_LOCKED_MS = 20;

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

const retire = (
  action: RetirePartition,
  { session, transaction, execute }: Attempt,
  steps: readonly Statement[],
): Promise<Done> =>
  transaction(async () => {
    const what = `${action.kind === 'drop-partition' ? 'drop' : 'detach'} partition ${formatRelationName(action.relation)}`;
    await lockParent(session, action.parent);
    await parentFound(session, action);
    // Before locking by name as well: a partition that is gone has no name to lock.
    if (!(await isStillAsPlanned(session, action))) return { outcome: 'already-done' };
    for (const statement of lock(action)) await execute(statement, what);
    await parentFound(session, action);
    if (!(await isStillAsPlanned(session, action))) return { outcome: 'already-done' };
    const bytes = await sizeOf(session, action);
    for (const statement of steps) await execute(statement, what);
    return { outcome: 'done', bytes, rows: action.rowsEstimate };
  });

/** Exact, and without waiting: the lock on the partition is ours already. A subtree counts as a whole. */
async function sizeOf(session: Session, { partition, relation }: RetirePartition): Promise<number> {
  const [row] = await session.query<{ bytes: number }>(
    'select coalesce(sum(pg_total_relation_size(t.relid)), 0)::bigint as bytes from pg_partition_tree($1::oid::regclass) t',
    [partition],
    `measure ${formatRelationName(relation)}`,
  );
  return row?.bytes ?? 0;
}
