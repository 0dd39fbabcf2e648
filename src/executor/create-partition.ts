/**
 * Creates a partition without stopping writers: a table of its own first (LIKE takes ACCESS SHARE on the parent), then
 * ATTACH (SHARE UPDATE EXCLUSIVE). CREATE TABLE … PARTITION OF would take ACCESS EXCLUSIVE and make every insert queue
 * behind the longest reader.
 */
import { MaintenanceError } from '../domain/errors.ts';
import type { Grant, PartitionShape, ReplicaIdentity } from '../domain/facts.ts';
import { formatKey } from '../domain/key-text.ts';
import type { CreatePartition } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { ddl, identifier, literal, type Statement } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { lockParent, parentFound } from './evidence.ts';
import { probeInsert } from './probe-insert.ts';
import { joinPublications, unlessRefused } from './publications.ts';
import { type ActionKindDefinition, becomeOwner } from './runner.ts';

export const createPartition: ActionKindDefinition<CreatePartition> = {
  statements: action => [
    ...prepare(action),
    ...joinPublications(action),
    attach(action),
    ...replicaIdentity(action.relation, action.shape.replicaIdentity),
  ],
  run: (action, { session, transaction, execute }) =>
    transaction(async () => {
      const what = `create partition ${formatRelationName(action.relation)}`;
      await lockParent(session, action.parent);
      if (await isCovered(session, action)) return { outcome: 'already-done' };
      for (const statement of prepare(action)) await execute(statement, what);
      for (const statement of joinPublications(action)) await unlessRefused(session, () => execute(statement, what));
      await execute(
        attach(action),
        `attach partition ${formatRelationName(action.relation)} to ${formatRelationName(action.target)}`,
      );
      for (const statement of replicaIdentity(action.relation, action.shape.replicaIdentity))
        await execute(statement, what);
      const { replicaIdentity: identity } = action.shape;
      if (identity.kind === 'index')
        await execute(await replicaIdentityIndex(session, action, identity.parentIndex), what);
      await confirmAttached(session, action);
      return { outcome: 'done' };
    }),
  confirm: probeInsert,
};

function prepare({ target, relation, shape, actAs }: CreatePartition): readonly Statement[] {
  const storage =
    shape.storageParameters.length > 0 ? ddl` with (${shape.storageParameters.map(storageParameter)})` : ddl``;
  const tablespace = shape.tablespace === undefined ? ddl`` : ddl` tablespace ${identifier(shape.tablespace)}`;
  return [
    ...becomeOwner(actAs),
    // PostgreSQL 17 refuses to attach a table that brought an identity of its own.
    ddl`create table ${relation} (like ${target} including all excluding identity)${storage}${tablespace}`,
    ...(actAs.how === 'superuser' ? [ddl`alter table ${relation} owner to ${identifier(actAs.owner)}`] : []),
    ...rowSecurity(relation, shape),
    ...shape.statisticsTargets.map(
      // A number: in quotes it would be a syntax error.
      ({ column, target: value }) =>
        ddl`alter table ${relation} alter column ${identifier(column)} set statistics ${value}`,
    ),
    ...shape.defaultGrantees.map(grantee => ddl`revoke all on table ${relation} from ${role(grantee)}`),
    ...shape.grants.map(grant => grantStatement(relation, grant)),
  ];
}

const attach = ({ target, relation, window, keyType }: CreatePartition): Statement =>
  ddl`alter table ${target} attach partition ${relation} for values from (${literal(formatKey(window.lower, keyType))}) to (${literal(formatKey(window.upper, keyType))})`;

/** `fillfactor=90` as the catalog keeps it. */
function storageParameter(option: string): Statement {
  const [name = '', ...value] = option.split('=');
  // A prefix such as `toast.` is an identifier of its own.
  const parts = name.split('.').map(part => ddl`${identifier(part)}`);
  const [first = ddl``, second] = parts;
  return second ? ddl`${first}.${second} = ${literal(value.join('='))}` : ddl`${first} = ${literal(value.join('='))}`;
}

const rowSecurity = (relation: RelationName, shape: PartitionShape): readonly Statement[] => [
  // The parent's row security does not protect a partition that is queried by its own name.
  ...(shape.rowSecurity ? [ddl`alter table ${relation} enable row level security`] : []),
  ...(shape.forceRowSecurity ? [ddl`alter table ${relation} force row level security`] : []),
];

const role = (name: string | undefined): Statement => (name === undefined ? ddl`public` : ddl`${identifier(name)}`);

const PRIVILEGES: Readonly<Record<string, Statement>> = {
  SELECT: ddl`select`,
  INSERT: ddl`insert`,
  UPDATE: ddl`update`,
  DELETE: ddl`delete`,
  TRUNCATE: ddl`truncate`,
  REFERENCES: ddl`references`,
  TRIGGER: ddl`trigger`,
  MAINTAIN: ddl`maintain`,
};

function grantStatement(relation: RelationName, { grantee, privilege, grantable, column }: Grant): Statement {
  const word = PRIVILEGES[privilege];
  if (word === undefined)
    throw new MaintenanceError(
      'SCHEMA_MISMATCH',
      `the right ${privilege} on ${formatRelationName(relation)} is unknown to this version`,
    );
  const columns = column === undefined ? ddl`` : ddl` (${identifier(column)})`;
  const option = grantable ? ddl` with grant option` : ddl``;
  return ddl`grant ${word}${columns} on table ${relation} to ${role(grantee)}${option}`;
}

const replicaIdentity = (relation: RelationName, identity: ReplicaIdentity): readonly Statement[] => {
  if (identity.kind === 'full') return [ddl`alter table ${relation} replica identity full`];
  return identity.kind === 'nothing' ? [ddl`alter table ${relation} replica identity nothing`] : [];
};

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
async function isCovered(session: Session, action: CreatePartition): Promise<boolean> {
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
async function confirmAttached(session: Session, action: CreatePartition): Promise<void> {
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
