/** How tables and partitions are made: which of them to look at, and rows → facts. Pure. */
import type { PartitionedTableFacts, PartitionFacts } from '../domain/facts.ts';
import { newestPartition } from '../domain/newest-partition.ts';
import type { IdentityOf, InvalidIndex, Structure, TriggerFacts } from '../domain/structure.ts';
import { type Instant, isAfter } from '../domain/time.ts';
import { decodeGrants } from './decode-facts.ts';
import type { StructureRow } from './rows.ts';

/** Key time may be a wall clock's anywhere on earth. */
const ZONES = { hours: 24 };

/** Partitions that can hold rows of today or later, and the newest one, which new ones are made like. */
export function relevantPartitions({ partitions }: PartitionedTableFacts, now: Instant): readonly PartitionFacts[] {
  const since = now.subtract(ZONES);
  const newest = newestPartition(partitions);
  return partitions.filter(partition => {
    const { bound, kind, isDetachPending } = partition;
    if (bound.kind !== 'range' || kind === 'foreign' || isDetachPending) return false;
    const { upper } = bound;
    return partition === newest || upper.kind === 'unbounded' || (upper.kind === 'at' && isAfter(upper.at, since));
  });
}

/** The table with what was read about it, and with what a new partition takes over from it. */
export function withStructure(table: PartitionedTableFacts, rows: readonly StructureRow[]): PartitionedTableFacts {
  const own = rows.find(({ oid }) => oid === table.oid);
  if (!own) return table;
  const partitions = new Map(
    rows.filter(({ parent }) => parent === table.oid).map(row => [row.oid, decodeStructure(row)]),
  );
  const structure = { table: decodeStructure(own), partitions, invalidIndexes: decodeInvalid(own) };
  const newest = newestPartition(table.partitions);
  // Where the table itself is published, its partitions are.
  const inherited = new Set(structure.table.publications.map(({ name }) => name));
  const publications = (newest && partitions.get(newest.oid)?.publications) ?? [];
  const open = publications.filter(({ name, isOpen }) => isOpen && !inherited.has(name)).map(({ name }) => name);
  return { ...table, structure, shape: { ...table.shape, publications: open } };
}

const decodeStructure = (row: StructureRow): Structure => ({
  owner: row.owner,
  grants: decodeGrants(row.grants),
  rowSecurity: row.row_security,
  forceRowSecurity: row.force_row_security,
  replicaIdentity: decodeIdentity(row),
  triggers: row.triggers.map(({ parent, firing, ...trigger }) => ({
    ...trigger,
    parent: parent ?? undefined,
    firing: FIRING[firing] ?? 'origin',
  })),
  indexes: row.indexes.map(({ parent, ...index }) => ({ ...index, parent: parent ?? undefined })),
  storageParameters: row.options,
  tablespace: row.tablespace ?? undefined,
  statisticsTargets: row.statistics_targets,
  publications: row.publications.map(({ name, open }) => ({ name, isOpen: open })),
});

/** `pg_trigger.tgenabled` */
const FIRING: Readonly<Record<string, TriggerFacts['firing']>> = {
  O: 'origin',
  D: 'disabled',
  R: 'replica',
  A: 'always',
};

function decodeIdentity({ replica_identity, replica_identity_index }: StructureRow): IdentityOf {
  if (replica_identity === 'i' && replica_identity_index) return { kind: 'index', ...replica_identity_index };
  if (replica_identity === 'f') return { kind: 'full' };
  // By an index that was dropped since: nothing identifies a row.
  return { kind: replica_identity === 'd' ? 'default' : 'nothing' };
}

const decodeInvalid = ({ invalid_indexes }: StructureRow): readonly InvalidIndex[] =>
  (invalid_indexes ?? []).map(({ partitioned, ...index }) => ({ ...index, isPartitioned: partitioned }));
