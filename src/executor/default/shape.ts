/** What the default partition is like, for the new one that takes its place. */
import type { Grant, PartitionShape } from '../../domain/facts.ts';
import type { BesideDefault, CreatePartition } from '../../domain/plan.ts';
import { formatRelationName } from '../../domain/relation.ts';
import { ddl, identifier, type Statement } from '../../postgres/ddl.ts';
import type { Session } from '../../postgres/session.ts';
import { reads } from './statements.ts';

interface ShapeRow {
  readonly row_security: boolean;
  readonly force_row_security: boolean;
  readonly replica_identity: string;
  readonly tablespace: string | null;
  readonly options: readonly string[] | null;
  readonly grants: readonly { grantee: string | null; privilege: string; grantable: boolean; column: string | null }[];
  readonly statistics_targets: readonly { column: string; target: number }[];
  readonly columns: readonly string[];
}

export interface DefaultShape {
  readonly shape: PartitionShape;
  /** Every column that has to be written, as a list of SQL. */
  readonly columns: readonly Statement[];
}

export async function readShape(
  session: Session,
  { shape: { defaultGrantees } }: CreatePartition,
  { oid, relation }: BesideDefault,
): Promise<DefaultShape> {
  const [row] = await session.query<ShapeRow>(reads.shape, [oid], `read the shape of ${formatRelationName(relation)}`);
  if (row === undefined) throw new TypeError('the default partition has no row in the catalog');
  return {
    columns: row.columns.map(name => ddl`${identifier(name)}`),
    shape: {
      grants: row.grants.map(
        ({ grantee, column, ...grant }): Grant => ({
          ...grant,
          grantee: grantee ?? undefined,
          column: column ?? undefined,
        }),
      ),
      defaultGrantees,
      rowSecurity: row.row_security,
      forceRowSecurity: row.force_row_security,
      // Of an index it is the parent's, taken when it is attached; see `takeReplicaIndex`.
      replicaIdentity: { kind: IDENTITIES[row.replica_identity] ?? 'default' },
      storageParameters: row.options ?? [],
      tablespace: row.tablespace ?? undefined,
      statisticsTargets: row.statistics_targets,
      // A table that is published by name is not drained.
      publications: [],
    },
  };
}

const IDENTITIES: Readonly<Record<string, 'full' | 'nothing'>> = { f: 'full', n: 'nothing' };
