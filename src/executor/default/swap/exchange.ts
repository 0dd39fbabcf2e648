/** The moment of a swap: everybody waits at the parent, the last changes are applied, and the copies take the place of the original. */
import { MaintenanceError } from '../../../domain/errors.ts';
import type { BesideDefault, CreatePartition } from '../../../domain/plan.ts';
import type { StatementBudget } from '../../../domain/policy.ts';
import { formatRelationName } from '../../../domain/relation.ts';
import { ddl, identifier, literal } from '../../../postgres/ddl.ts';
import type { Session } from '../../../postgres/session.ts';
import { attach, confirmAttached, takeReplicaIndex } from '../../attach-partition.ts';
import { lockParent, parentFound } from '../../evidence.ts';
import { replicaIdentity } from '../../partition-table.ts';
import type { Attempt, Done } from '../../runner.ts';
import { defaultFound } from '../look.ts';
import { WAIT_WITH_PARENT_LOCKED_MS } from '../move-few.ts';
import { reads } from '../statements.ts';
import { CHECK } from './begin.ts';
import { applyQueue, countQueue, ownerOf } from './copy.ts';
import { advanceSwap, type RecordedSwap } from './record.ts';
import { expectStructure, type SwapTables } from './tables.ts';

/** Few enough to be applied with everybody waiting: 1,000 take 30 ms, and 100 ms on a busy machine. */
export const fewChanges = ({ lockTimeoutMs }: StatementBudget): number => 10 + lockTimeoutMs * 5;

export const exchange = (
  action: CreatePartition,
  beside: BesideDefault,
  { structure }: RecordedSwap,
  tables: SwapTables,
  attempt: Attempt,
): Promise<Done> =>
  attempt.transaction(async () => {
    const { session, execute } = attempt;
    const { target } = action;
    const { old, aside, fresh, partition, queue, capture, id, shape } = tables;
    const what = `swap the default partition ${formatRelationName(old)} for its copies`;
    await lockParent(session, action.parent);
    await parentFound(session, action);
    await advanceSwap(session, id, 'proven', 'swapped');
    await ownerOf(action, attempt, what)();
    await execute(ddl`lock table only ${target} in access exclusive mode`, what);
    // With everybody waiting already: hardly a moment for who uses the default partition by its own name, rather another try.
    await execute(ddl`set local lock_timeout = ${literal(`${WAIT_WITH_PARENT_LOCKED_MS}ms`)}`, what);
    await execute(ddl`lock table only ${old} in access exclusive mode`, what);
    await parentFound(session, action);
    await defaultFound(session, action, beside);
    await expectStructure(session, action, beside, structure);
    const changes = await countQueue(tables, attempt);
    if (changes > fewChanges(attempt.budget))
      throw new MaintenanceError(
        'LOCK_UNAVAILABLE',
        `could not ${what}: ${changes} rows were changed since the last look, too many to keep everybody waiting for`,
      );
    await applyQueue(tables, attempt);
    for (const statement of [
      ddl`drop trigger ${identifier(capture.name)} on ${old}`,
      ddl`alter table ${target} detach partition ${old}`,
      ddl`alter table ${old} rename to ${identifier(aside.name)}`,
      ddl`alter table ${fresh} rename to ${identifier(old.name)}`,
      attach(action),
      ddl`alter table ${target} attach partition ${old} default`,
      ddl`alter table ${partition} drop constraint ${CHECK}`,
      ddl`alter table ${old} drop constraint ${CHECK}`,
      ...replicaIdentity(partition, action.shape.replicaIdentity),
      ...replicaIdentity(old, shape.replicaIdentity),
      ddl`drop function ${capture}()`,
      ddl`drop table ${queue}`,
    ])
      await execute(statement, what);
    for (const relation of [partition, old]) await takeReplicaIndex({ ...action, relation }, { session, execute });
    await confirmAttached(session, action);
    return { outcome: 'done' };
  });

interface OlderRow {
  readonly pid: number;
  readonly user: string | null;
  readonly application: string;
}

/** Whoever looks at the database as it was before the copies were made would not find their rows. */
export async function waitForOlder(session: Session, { older }: RecordedSwap, { old }: SwapTables): Promise<void> {
  const [found] = await session.query<OlderRow>(reads.older, [older ?? []], 'look for older transactions');
  if (found === undefined) return;
  throw new MaintenanceError(
    'LOCK_UNAVAILABLE',
    `could not swap the default partition ${formatRelationName(old)} for its copies: the transaction of ${found.user ?? 'somebody'} (${found.application}, pid ${found.pid}) is older than they are`,
  );
}
