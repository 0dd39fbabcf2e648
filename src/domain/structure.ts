/** How a table is made, beyond its columns: what a partition should have in common with its parent and its siblings. */
import type { Grant, Oid } from './facts.ts';

/** `index`: by the parent's index that it belongs to, so that a partition's and its parent's can be told to be the same. */
export type IdentityOf =
  | { readonly kind: 'default' | 'full' | 'nothing' }
  | { readonly kind: 'index'; readonly of: Oid; readonly name: string };

/** A trigger that people made; those of foreign keys are not among them. */
export interface TriggerFacts {
  readonly oid: Oid;
  readonly name: string;
  /** The parent's trigger that it was cloned from. */
  readonly parent: Oid | undefined;
  readonly firing: 'origin' | 'disabled' | 'replica' | 'always';
}

export interface IndexFacts {
  readonly oid: Oid;
  readonly name: string;
  /** The parent's index that it is attached to. */
  readonly parent: Oid | undefined;
  /** In words, such as `unique btree (id, at)`: equal for equal indexes, as far as that can be seen without waiting for a lock. */
  readonly definition: string;
}

export interface PublicationFacts {
  readonly name: string;
  /** Named itself, all its rows and columns, and the table's owner may add tables: a new partition can join as well. */
  readonly isOpen: boolean;
}

export interface Structure {
  readonly owner: string;
  /** The owner's own rights are not among them. */
  readonly grants: readonly Grant[];
  readonly rowSecurity: boolean;
  readonly forceRowSecurity: boolean;
  readonly replicaIdentity: IdentityOf;
  readonly triggers: readonly TriggerFacts[];
  readonly indexes: readonly IndexFacts[];
  readonly storageParameters: readonly string[];
  readonly tablespace: string | undefined;
  /** Only the columns that have one. */
  readonly statisticsTargets: readonly { readonly column: string; readonly target: number }[];
  /** Those that name it, or its schema. */
  readonly publications: readonly PublicationFacts[];
}

/** An index that queries do not use, and that nobody is building at the moment. */
export interface InvalidIndex {
  readonly name: string;
  /** The table or partition that it is on. */
  readonly on: { readonly schema: string; readonly name: string };
  readonly isPartitioned: boolean;
  /** Of a partitioned index: how many partitions have no valid index attached to it. */
  readonly lacking: number;
}

export interface TableStructure {
  readonly table: Structure;
  /** Of partitions that can hold rows of today or later, and of the newest one: others change no more. */
  readonly partitions: ReadonlyMap<Oid, Structure>;
  /** Of the table and of all its partitions. */
  readonly invalidIndexes: readonly InvalidIndex[];
}
