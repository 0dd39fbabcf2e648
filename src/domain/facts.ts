/** What the catalog says, and nothing else: facts carry no opinion and no policy. */
import type { PartitionBound } from './bound.ts';
import type { RelationName } from './relation.ts';
import type { LedgerFacts } from './retirement.ts';
import type { TableStructure } from './structure.ts';
import type { Instant, KeyType } from './time.ts';

/** An object identifier. Names change hands, OIDs do not. */
export type Oid = number;

export interface ServerFacts {
  /** `server_version_num`, such as 170010. */
  readonly versionNumber: number;
  readonly version: string;
  readonly database: string;
  /** `pg_control_system()`: one for every `initdb`, kept by replicas and base backups, changed by `pg_upgrade`. */
  readonly systemIdentifier: string;
  readonly user: string;
  readonly isSuperuser: boolean;
  readonly isInRecovery: boolean;
  readonly isReadOnly: boolean;
  /** The database's clock, and this process's clock at the middle of the round trip that asked for it. */
  readonly databaseNow: Instant;
  readonly processNow: Instant;
}

/** The key of a partitioned table, as far as a policy of time can be applied to it. */
export type PartitionKey =
  | { readonly kind: 'time'; readonly column: string; readonly type: KeyType }
  | { readonly kind: 'unsupported'; readonly because: string };

/** Read only where the catalog has it: never-analysed relations have no row estimate. */
export interface SizeFacts {
  /** `pg_class.relpages` of the table, its indexes and its TOAST table, in bytes: an estimate that waits for no lock. */
  readonly bytesEstimate: number;
  /** `pg_class.reltuples`; undefined until the first ANALYZE or VACUUM. */
  readonly rowsEstimate: number | undefined;
}

export interface StatisticsFacts {
  /** Rows changed since the last ANALYZE; undefined for the table itself, where PostgreSQL does not count. */
  readonly changedRows: number | undefined;
  readonly liveRows: number;
  readonly analyzedAt: Instant | undefined;
  /** The last ANALYZE that autovacuum did: its trigger is change, so a parent older than it is out of date. */
  readonly autoAnalyzedAt: Instant | undefined;
}

export interface PartitionFacts {
  readonly oid: Oid;
  readonly relation: RelationName;
  readonly bound: PartitionBound;
  /** The bound exactly as the catalog prints it in UTC and ISO style: the evidence that is read again before destroying. */
  readonly boundText: string;
  /** `partitioned`: it has partitions of its own. `foreign`: a foreign table, or a subtree that contains one. */
  readonly kind: 'table' | 'partitioned' | 'foreign';
  readonly isDetachPending: boolean;
  readonly size: SizeFacts;
  readonly statistics: StatisticsFacts;
}

/** A right on a table, as one entry of its access control list. */
export interface Grant {
  /** A role's name, or `PUBLIC` as undefined. */
  readonly grantee: string | undefined;
  readonly privilege: string;
  readonly grantable: boolean;
  /** For rights on single columns. */
  readonly column: string | undefined;
}

export type ReplicaIdentity =
  | { readonly kind: 'default' | 'full' | 'nothing' }
  | { readonly kind: 'index'; readonly parentIndex: Oid };

/** What a new partition takes over from its parent and siblings, because CREATE TABLE (LIKE …) does not. */
export interface PartitionShape {
  /** The owner's own rights are not among them. */
  readonly grants: readonly Grant[];
  /** Those to whom default privileges would give rights on a new table; undefined stands for PUBLIC. */
  readonly defaultGrantees: readonly (string | undefined)[];
  readonly rowSecurity: boolean;
  readonly forceRowSecurity: boolean;
  readonly replicaIdentity: ReplicaIdentity;
  /** `fillfactor=90`, from the newest sibling: a partitioned table itself cannot have storage parameters. */
  readonly storageParameters: readonly string[];
  readonly tablespace: string | undefined;
  readonly statisticsTargets: readonly { readonly column: string; readonly target: number }[];
  /** Those that the newest sibling is named in, and that the table's owner may add it to. */
  readonly publications: readonly string[];
}

/** `self`: the session's role is the owner. `member`: it may SET ROLE to the owner. `none`: neither. */
export interface Ownership {
  readonly owner: string;
  readonly relation: 'self' | 'member' | 'none';
}

/** What a run that was interrupted beside a default partition has left behind. */
export interface Leftovers {
  /** The CHECK of ours is still on the default partition: it refuses rows, for which there may be no other place. */
  readonly check: boolean;
  /** Drains on record that were not finished; undefined where there is no record of them, so that none may be begun. */
  readonly drains: readonly LeftDrain[] | undefined;
}

export interface LeftDrain {
  readonly id: number;
  /** The table that was to become a partition, while it is none: its name is not taken. */
  readonly partition: string | undefined;
}

export interface PartitionedTableFacts {
  readonly oid: Oid;
  readonly relation: RelationName;
  readonly key: PartitionKey;
  readonly partitions: readonly PartitionFacts[];
  readonly shape: PartitionShape;
  readonly ownership: Ownership;
  readonly statistics: StatisticsFacts;
  /** Names in the parent's schema that a new partition could want and that something else already has. */
  readonly takenNames: ReadonlySet<string>;
  /** Partitions whose retirement is on record and not over: a detach of theirs that is pending is ours, and is finished by us. */
  readonly retiring: ReadonlySet<Oid>;
  /** The table in which another tool has it down as its own to manage. */
  readonly otherManager: RelationName | undefined;
  /** Undefined where nobody has looked, as in a plan that is carried out in thought. */
  readonly structure: TableStructure | undefined;
  readonly leftovers: Leftovers;
}

export interface MaterializedViewFacts {
  readonly oid: Oid;
  readonly relation: RelationName;
  readonly ownership: Ownership;
  readonly isPopulated: boolean;
  /** A valid, immediate, unique index on plain columns without a predicate: the server's own test for CONCURRENTLY. */
  readonly concurrentIndex: string | undefined;
  /** 0 reads no other materialized view; refresh in ascending order. */
  readonly level: number;
  /** OIDs of the materialized views it reads, also through plain views. */
  readonly reads: readonly Oid[];
  /** Does it change with the clock alone, or at random? Then its bases cannot tell whether it is stale. */
  readonly isTimeDependent: boolean;
  /** Moves whenever a base relation changes (and sometimes when none does); void after a reset of the statistics. */
  readonly fingerprint: string | undefined;
  readonly lastRefresh: { readonly at: Instant; readonly fingerprint: string | undefined } | undefined;
  readonly size: SizeFacts;
}

/** A configured name that is not what the configuration takes it for. */
export type MissingReason = 'absent' | 'not-partitioned' | 'not-a-materialized-view' | 'is-a-partition';

export interface Facts {
  readonly server: ServerFacts;
  readonly tables: readonly PartitionedTableFacts[];
  readonly views: readonly MaterializedViewFacts[];
  readonly missing: readonly { readonly relation: RelationName; readonly reason: MissingReason }[];
  /** Is partkeeper's own schema installed (`partkeeper migrate up`)? Without it, refreshes cannot be remembered. */
  readonly hasBookkeeping: boolean;
  /** Undefined where retirements cannot be put on record: then nothing is done that needs the record. */
  readonly ledger: LedgerFacts | undefined;
}
