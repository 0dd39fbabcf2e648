/**
 * One transaction makes a table and attaches it. LIKE takes ACCESS SHARE on the parent and ATTACH takes SHARE UPDATE EXCLUSIVE,
 * which no reader or writer conflicts with. CREATE TABLE … PARTITION OF would take ACCESS EXCLUSIVE and make every insert queue
 * behind the longest reader.
 */
import { MaintenanceError } from '../domain/errors.ts';
import { formatKey } from '../domain/key-text.ts';
import type { CreatePartition } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { ddl, identifier, literal, type Statement } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { readBlockers, readInvolved, refuseIfBlocked, writes } from './blockers.ts';
import { lockParent, parentFound } from './evidence.ts';
import { makeTable, replicaIdentity } from './partition-table.ts';
import { joinPublications, unlessRefused } from './publications.ts';
import { type Attempt, becomeOwner, type Done } from './runner.ts';

/** What is done besides, in the same transaction and as the owner. */
export interface Besides {
  /** Once the table is there, and nothing of it is to be seen yet. */
  readonly before?: () => Promise<Pick<Done, 'rows'>>;
  /** Once it is attached. */
  readonly after?: () => Promise<void>;
}

/** The statements of it, when there is nothing besides. */
export const attachStatements = (action: CreatePartition): readonly Statement[] => [
  ...becomeOwner(action.actAs),
  ...makeTable({ ...action, like: action.target }),
  ...joinPublications(action),
  attach(action),
  ...replicaIdentity(action.relation, action.shape.replicaIdentity),
];

export async function makeAndAttach(
  action: CreatePartition,
  attempt: Attempt,
  { before, after }: Besides = {},
): Promise<Done> {
  const { session, transaction, execute } = attempt;
  const what = `create partition ${formatRelationName(action.relation)}`;
  await lookAtPartners(action, attempt, what);
  return transaction(async () => {
    await lockParent(session, action.parent);
    if (await isCovered(session, action)) return { outcome: 'already-done' };
    for (const statement of [...becomeOwner(action.actAs), ...makeTable({ ...action, like: action.target })])
      await execute(statement, what);
    for (const statement of joinPublications(action)) await unlessRefused(session, () => execute(statement, what));
    const done = await before?.();
    await execute(attach(action), attempted(action));
    await after?.();
    for (const statement of replicaIdentity(action.relation, action.shape.replicaIdentity))
      await execute(statement, what);
    await takeReplicaIndex(action, { session, execute });
    await confirmAttached(session, action);
    return { outcome: 'done', ...done };
  });
}

/**
 * ATTACH takes SHARE ROW EXCLUSIVE on the tables that foreign keys lead to: while it waits for a writer there, all writers there
 * would wait behind it.
 */
async function lookAtPartners(
  { parent, beside }: CreatePartition,
  { session, budget }: Attempt,
  what: string,
): Promise<void> {
  const involved = await readInvolved(session, parent, undefined);
  const partners = involved.filter(oid => oid !== parent && oid !== beside?.oid);
  if (partners.length === 0) return;
  const blockers = await readBlockers(session, partners, budget.passingMs);
  refuseIfBlocked(
    blockers.filter(blocker => writes(blocker) && blocker.age_ms >= budget.passingMs),
    what,
  );
}

const attempted = ({ relation, target }: CreatePartition): string =>
  `attach partition ${formatRelationName(relation)} to ${formatRelationName(target)}`;

export const attach = ({ target, relation, window, keyType }: CreatePartition): Statement =>
  ddl`alter table ${target} attach partition ${relation} for values from (${literal(formatKey(window.lower, keyType))}) to (${literal(formatKey(window.upper, keyType))})`;

/** Where the parent's replica identity is an index: of the partition's own, whose name the server has chosen. */
export async function takeReplicaIndex(
  action: CreatePartition,
  { session, execute }: Pick<Attempt, 'session' | 'execute'>,
): Promise<void> {
  const { replicaIdentity: identity } = action.shape;
  if (identity.kind !== 'index') return;
  const what = `create partition ${formatRelationName(action.relation)}`;
  await execute(await replicaIdentityIndex(session, action, identity.parentIndex), what);
}

/** The partition's own index has a name of the server's choosing; it is known once it is attached. */
async function replicaIdentityIndex(
  session: Session,
  { relation }: CreatePartition,
  parentIndex: number,
): Promise<Statement> {
  const [row] = await session.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_index x on x.indexrelid = i.inhrelid join pg_class c on c.oid = x.indexrelid
     join pg_class t on t.oid = x.indrelid join pg_namespace n on n.oid = t.relnamespace
     where i.inhparent = $1 and n.nspname = $2 and t.relname = $3`,
    [parentIndex, relation.schema, relation.name],
    `find the replica identity index of ${formatRelationName(relation)}`,
  );
  if (!row)
    throw new MaintenanceError(
      'SCHEMA_MISMATCH',
      `${formatRelationName(relation)} has no index for the parent's replica identity`,
    );
  return ddl`alter table ${relation} replica identity using index ${identifier(row.name)}`;
}

/** Two replicas, or two people, may have had the same plan. */
export async function isCovered(session: Session, action: CreatePartition): Promise<boolean> {
  await parentFound(session, action);
  const bound = `FOR VALUES FROM ('${formatKey(action.window.lower, action.keyType)}') TO ('${formatKey(action.window.upper, action.keyType)}')`;
  const rows = await session.query(
    'select from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1 and not i.inhdetachpending and pg_get_expr(c.relpartbound, 0) = $2',
    [action.parent, bound],
    `look for a partition of ${formatRelationName(action.target)} with the same bounds`,
  );
  return rows.length > 0;
}

/** Names were used to say what to attach to what; the OIDs must agree before it is committed. */
export async function confirmAttached(session: Session, action: CreatePartition): Promise<void> {
  const rows = await session.query(
    `select from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
     where i.inhparent = $1 and n.nspname = $2 and c.relname = $3`,
    [action.parent, action.relation.schema, action.relation.name],
    `confirm that ${formatRelationName(action.relation)} is attached`,
  );
  if (rows.length !== 1)
    throw new MaintenanceError(
      'STALE_PLAN',
      `${formatRelationName(action.target)} was replaced by another table while a partition was made for it`,
    );
}
