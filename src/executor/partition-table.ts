/** The table that a partition is before it is attached: with everything that LIKE does not take over. */
import { MaintenanceError } from '../domain/errors.ts';
import type { Grant, PartitionShape, ReplicaIdentity } from '../domain/facts.ts';
import type { ActAs } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { ddl, identifier, literal, type Statement } from '../postgres/ddl.ts';

export interface TableToMake {
  readonly relation: RelationName;
  readonly like: RelationName;
  readonly shape: PartitionShape;
  readonly actAs: ActAs;
}

/** To be run as the owner, see `becomeOwner`. */
export function makeTable({ relation, like, shape, actAs }: TableToMake): readonly Statement[] {
  const storage =
    shape.storageParameters.length > 0 ? ddl` with (${shape.storageParameters.map(storageParameter)})` : ddl``;
  const tablespace = shape.tablespace === undefined ? ddl`` : ddl` tablespace ${identifier(shape.tablespace)}`;
  return [
    // PostgreSQL 17 refuses to attach a table that brought an identity of its own.
    ddl`create table ${relation} (like ${like} including all excluding identity)${storage}${tablespace}`,
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

export const replicaIdentity = (relation: RelationName, identity: ReplicaIdentity): readonly Statement[] => {
  if (identity.kind === 'full') return [ddl`alter table ${relation} replica identity full`];
  return identity.kind === 'nothing' ? [ddl`alter table ${relation} replica identity nothing`] : [];
};
