/** Rows → facts. Pure. */

import type {
  Grant,
  MaterializedViewFacts,
  Ownership,
  PartitionedTableFacts,
  PartitionFacts,
  PartitionKey,
  PartitionShape,
  ReplicaIdentity,
  ServerFacts,
} from '../domain/facts.ts';
import { decodeKeyTime } from '../domain/key-text.ts';
import { newestPartition } from '../domain/newest-partition.ts';
import type { Instant, KeyType } from '../domain/time.ts';
import { decodeBound } from './decode-bound.ts';
import type { DrainRow, GrantRow, PartitionRow, ServerRow, TableRow, ViewRefreshRow, ViewRow } from './rows.ts';

export const decodeInstant = (text: string): Instant => {
  const at = decodeKeyTime(text, 'timestamptz');
  if (at === undefined) throw new TypeError(`not a timestamp in UTC and ISO style: ${text}`);
  return at;
};

export const instantOrNone = (text: string | null): Instant | undefined =>
  text === null ? undefined : decodeInstant(text);

export const decodeServer = (row: ServerRow, processNow: Instant): ServerFacts => ({
  versionNumber: row.version_number,
  version: row.version,
  database: row.database,
  systemIdentifier: row.system_identifier,
  user: row.user,
  isSuperuser: row.is_superuser,
  isInRecovery: row.is_in_recovery,
  isReadOnly: row.is_read_only,
  databaseNow: decodeInstant(row.now),
  processNow,
});

/** `pg_type.oid` of the key types; they are fixed by the server's source, whatever search_path or a domain calls them. */
const KEY_TYPE_OF: Readonly<Record<number, KeyType>> = { 1184: 'timestamptz', 1114: 'timestamp', 1082: 'date' };

function decodeKey(row: TableRow): PartitionKey {
  if (row.strategy !== 'r')
    return unsupported(`it is partitioned by ${row.strategy === 'l' ? 'list' : 'hash'}, not by range`);
  if (row.key_count !== 1) return unsupported(`its key has ${row.key_count} columns`);
  if (row.key_column === null || row.key_type === null) return unsupported('its key is an expression');
  const type = KEY_TYPE_OF[row.key_type];
  if (type === undefined) return unsupported(`its key ${row.key_column} is of type ${row.key_type_name}`);
  if (row.has_usual_order !== true)
    return unsupported(`its key ${row.key_column} is ordered by an operator class of its own`);
  return { kind: 'time', column: row.key_column, type };
}

const decodeOwnership = (row: Pick<TableRow, 'owner' | 'is_owner' | 'may_act_as_owner'>): Ownership => ({
  owner: row.owner,
  relation: row.is_owner ? 'self' : row.may_act_as_owner ? 'member' : 'none',
});

const unsupported = (because: string): PartitionKey => ({ kind: 'unsupported', because });

export function decodeTable(
  row: TableRow,
  rows: readonly PartitionRow[],
  takenNames: ReadonlySet<string>,
  drains: readonly DrainRow[] | undefined,
): PartitionedTableFacts {
  const key = decodeKey(row);
  const partitions = rows.map(partition => decodePartition(partition, key));
  const newest = newestPartition(partitions);
  return {
    oid: row.oid,
    relation: { schema: row.schema, name: row.name },
    key,
    partitions,
    shape: decodeShape(row, rows.find(({ oid }) => oid === newest?.oid)?.options ?? []),
    ownership: decodeOwnership(row),
    statistics: {
      changedRows: undefined,
      liveRows: row.live_rows,
      analyzedAt: instantOrNone(row.analyzed_at),
      autoAnalyzedAt: instantOrNone(row.auto_analyzed_at),
    },
    takenNames,
    retiring: new Set(),
    otherManager: undefined,
    structure: undefined,
    leftovers: {
      check: rows.some(({ left_check }) => left_check),
      drains: drains?.map(({ id, partition }) => ({ id, partition: partition ?? undefined })),
    },
  };
}

const decodePartition = (row: PartitionRow, key: PartitionKey): PartitionFacts => ({
  oid: row.oid,
  relation: { schema: row.schema, name: row.name },
  bound: decodeBound(row.bound, key),
  boundText: row.bound ?? '',
  kind: row.has_foreign ? 'foreign' : row.kind === 'p' ? 'partitioned' : 'table',
  isDetachPending: row.detach_pending,
  size: { bytesEstimate: row.bytes, rowsEstimate: row.rows ?? undefined },
  statistics: {
    // Of a subtree: the sum over its tables, for which alone PostgreSQL counts.
    changedRows: row.changed_rows ?? 0,
    liveRows: row.live_rows ?? 0,
    analyzedAt: instantOrNone(row.analyzed_at),
    autoAnalyzedAt: instantOrNone(row.auto_analyzed_at),
  },
});

export const decodeGrants = (grants: readonly GrantRow[]): readonly Grant[] =>
  grants.map(({ grantee, column, ...grant }) => ({
    ...grant,
    grantee: grantee ?? undefined,
    column: column ?? undefined,
  }));

const decodeShape = (row: TableRow, storageParameters: readonly string[]): PartitionShape => ({
  grants: decodeGrants(row.grants),
  defaultGrantees: row.default_grantees.map(grantee => grantee ?? undefined),
  rowSecurity: row.row_security,
  forceRowSecurity: row.force_row_security,
  replicaIdentity: decodeReplicaIdentity(row),
  storageParameters,
  tablespace: row.tablespace ?? undefined,
  statisticsTargets: row.statistics_targets,
  publications: [],
});

function decodeReplicaIdentity({ replica_identity, replica_identity_index }: TableRow): ReplicaIdentity {
  if (replica_identity === 'i' && replica_identity_index !== null)
    return { kind: 'index', parentIndex: replica_identity_index };
  if (replica_identity === 'f') return { kind: 'full' };
  return { kind: replica_identity === 'n' ? 'nothing' : 'default' };
}

export const decodeView = (row: ViewRow, refresh: ViewRefreshRow | undefined): MaterializedViewFacts => ({
  oid: row.oid,
  relation: { schema: row.schema, name: row.name },
  ownership: decodeOwnership(row),
  isPopulated: row.is_populated,
  concurrentIndex: row.concurrent_index ?? undefined,
  level: row.level,
  reads: row.reads,
  isTimeDependent: row.is_time_dependent,
  fingerprint: row.fingerprint ?? undefined,
  lastRefresh: refresh && { at: decodeInstant(refresh.refreshed_at), fingerprint: refresh.fingerprint ?? undefined },
  size: { bytesEstimate: row.bytes, rowsEstimate: row.rows < 0 ? undefined : row.rows },
});
