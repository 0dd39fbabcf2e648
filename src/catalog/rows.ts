/** The rows that the queries of `sql/catalog` return, column by column. */

export interface ServerRow {
  readonly version_number: number;
  readonly version: string;
  readonly database: string;
  readonly system_identifier: string;
  readonly user: string;
  readonly is_superuser: boolean;
  readonly is_in_recovery: boolean;
  readonly is_read_only: boolean;
  readonly now: string;
  readonly has_bookkeeping: boolean;
  readonly has_retirements: boolean;
  readonly partman_schema: string | null;
  readonly has_drains: boolean;
}

interface OwnedRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** `pg_class.relkind` */
  readonly kind: string;
  readonly owner: string;
  readonly is_owner: boolean;
  readonly may_act_as_owner: boolean;
}

export interface GrantRow {
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
  readonly column: string | null;
}

export interface TableRow extends OwnedRow {
  readonly is_partition: boolean;
  readonly strategy: string | null;
  readonly key_count: number | null;
  readonly key_column: string | null;
  readonly key_type: number | null;
  readonly key_type_name: string | null;
  readonly has_usual_order: boolean | null;
  readonly row_security: boolean;
  readonly force_row_security: boolean;
  readonly replica_identity: string;
  readonly replica_identity_index: number | null;
  readonly tablespace: string | null;
  readonly has_grants: boolean;
  readonly grants: readonly GrantRow[];
  readonly default_grantees: readonly (string | null)[];
  readonly statistics_targets: readonly { column: string; target: number }[];
  readonly live_rows: number;
  readonly analyzed_at: string | null;
  readonly auto_analyzed_at: string | null;
}

export interface PartitionRow {
  readonly parent: number;
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly bound: string | null;
  readonly detach_pending: boolean;
  readonly has_foreign: boolean;
  readonly options: readonly string[] | null;
  readonly bytes: number;
  readonly rows: number | null;
  readonly changed_rows: number | null;
  readonly live_rows: number | null;
  readonly analyzed_at: string | null;
  readonly auto_analyzed_at: string | null;
  readonly left_check: boolean;
}

export interface DrainRow {
  readonly parent: number;
  readonly id: number;
  readonly partition: string | null;
}

export interface StructureRow {
  readonly oid: number;
  /** Null for the tables themselves. */
  readonly parent: number | null;
  readonly owner: string;
  readonly grants: readonly GrantRow[];
  readonly row_security: boolean;
  readonly force_row_security: boolean;
  readonly replica_identity: string;
  readonly replica_identity_index: { readonly of: number; readonly name: string } | null;
  readonly triggers: readonly { oid: number; name: string; parent: number | null; firing: string }[];
  readonly indexes: readonly { oid: number; name: string; parent: number | null; definition: string }[];
  readonly options: readonly string[];
  readonly tablespace: string | null;
  readonly statistics_targets: readonly { column: string; target: number }[];
  readonly publications: readonly { name: string; open: boolean }[];
  /** Null for partitions. */
  readonly invalid_indexes:
    | readonly { name: string; on: { schema: string; name: string }; partitioned: boolean; lacking: number }[]
    | null;
}

export interface TakenNameRow {
  readonly schema: string;
  readonly parent: string;
  readonly taken: string;
}

export interface ViewRow extends OwnedRow {
  readonly is_populated: boolean;
  readonly concurrent_index: string | null;
  readonly level: number;
  readonly reads: readonly number[];
  readonly is_time_dependent: boolean;
  readonly fingerprint: string | null;
  readonly rows: number;
  readonly bytes: number;
}

export interface ViewRefreshRow {
  readonly view: number;
  readonly refreshed_at: string;
  readonly fingerprint: string | null;
}

export interface LedgerRow {
  readonly pinned: { readonly system: string; readonly database: string } | null;
  readonly retentions: readonly { readonly parent: number; readonly retention: string; readonly accepted_at: string }[];
}

export interface RetirementRow {
  readonly parent: number;
  readonly partition: number;
  readonly schema_name: string;
  readonly relation_name: string;
  readonly bound: string;
  readonly state: string;
  readonly intended_at: string;
  readonly drop_after: string | null;
  readonly asked_at: string | null;
  /** Null, and what follows with it, when the table is gone. */
  readonly schema: string | null;
  readonly name: string | null;
  readonly current_parent: number | null;
  readonly is_pending: boolean;
  readonly rows: number | null;
  readonly bytes: number | null;
}
