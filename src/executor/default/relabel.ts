/**
 * A default partition that holds rows of one range only becomes the partition of that range, and an empty copy of it the default
 * partition. No row moves. ATTACH searches it, with everybody waiting; a CHECK could spare that, but it would have to be there
 * beforehand, and refuse the rows of every other range that come meanwhile. Hence only where the search is over in time.
 */
import { withSuffix } from '../../domain/naming.ts';
import type { BesideDefault, CreatePartition } from '../../domain/plan.ts';
import { formatRelationName, type RelationName } from '../../domain/relation.ts';
import { ddl, identifier, literal } from '../../postgres/ddl.ts';
import { attach, confirmAttached, isCovered, takeReplicaIndex } from '../attach-partition.ts';
import { lockParent, parentFound } from '../evidence.ts';
import { makeTable, replicaIdentity } from '../partition-table.ts';
import { type Attempt, becomeOwner, type Done } from '../runner.ts';
import { defaultFound } from './look.ts';
import { WAIT_WITH_PARENT_LOCKED_MS } from './move-few.ts';
import { readShape } from './shape.ts';

export const relabel = (
  action: CreatePartition,
  beside: BesideDefault,
  { session, transaction, execute }: Attempt,
): Promise<Done> =>
  transaction(async () => {
    const { target, relation, actAs } = action;
    const old = beside.relation;
    const what = `make the default partition ${formatRelationName(old)} the partition ${formatRelationName(relation)}`;
    await lockParent(session, action.parent);
    if (await isCovered(session, action)) return { outcome: 'already-done' };
    await defaultFound(session, action, beside);
    const { shape } = await readShape(session, action, beside);
    const fresh: RelationName = { schema: old.schema, name: withSuffix(old.name, `_${beside.oid}`) };
    for (const statement of [...becomeOwner(actAs), ...makeTable({ relation: fresh, like: old, shape, actAs })])
      await execute(statement, what);

    await execute(ddl`lock table only ${target} in access exclusive mode`, what);
    await execute(ddl`set local lock_timeout = ${literal(`${WAIT_WITH_PARENT_LOCKED_MS}ms`)}`, what);
    await execute(ddl`lock table only ${old} in access exclusive mode`, what);
    await parentFound(session, action);
    await defaultFound(session, action, beside);
    await execute(ddl`alter table ${target} detach partition ${old}`, what);
    if (old.schema !== relation.schema)
      await execute(ddl`alter table ${old} set schema ${identifier(relation.schema)}`, what);
    const moved = { schema: relation.schema, name: old.name };
    await execute(ddl`alter table ${moved} rename to ${identifier(relation.name)}`, what);
    await execute(ddl`alter table ${fresh} rename to ${identifier(old.name)}`, what);
    await execute(attach(action), what);
    await execute(ddl`alter table ${target} attach partition ${old} default`, what);
    for (const statement of replicaIdentity(old, shape.replicaIdentity)) await execute(statement, what);
    await takeReplicaIndex({ ...action, relation: old }, { session, execute });
    await confirmAttached(session, action);
    return { outcome: 'done' };
  });
