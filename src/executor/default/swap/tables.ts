/** What a swap works with: the tables, and the columns by which rows are told apart. */
import { MaintenanceError } from '../../../domain/errors.ts';
import { withSuffix } from '../../../domain/naming.ts';
import type { BesideDefault, CreatePartition } from '../../../domain/plan.ts';
import { formatRelationName, type RelationName } from '../../../domain/relation.ts';
import { ddl, identifier, literal, type Statement } from '../../../postgres/ddl.ts';
import type { Session } from '../../../postgres/session.ts';
import { boundsOf, isInWindow } from '../range.ts';
import { type DefaultShape, readShape } from '../shape.ts';
import { reads } from '../statements.ts';

export interface SwapTables extends DefaultShape {
  readonly id: number;
  /** The default partition that is drained, and its name once it is set aside. */
  readonly old: RelationName;
  readonly aside: RelationName;
  /** The copies: rows of the window, and all others. */
  readonly partition: RelationName;
  readonly fresh: RelationName;
  /** Keys of rows that were changed since the copying began. */
  readonly queue: RelationName;
  /** The function and the trigger that fill it. */
  readonly capture: RelationName;
  readonly keys: readonly string[];
  readonly inWindow: Statement;
}

export async function tablesOfSwap(
  session: Session,
  action: CreatePartition,
  beside: BesideDefault,
  id: number,
): Promise<SwapTables> {
  const old = beside.relation;
  const inSchema = (name: string): RelationName => ({ schema: old.schema, name });
  return {
    ...(await readShape(session, action, beside)),
    id,
    old,
    aside: inSchema(`partkeeper_old_${id}`),
    partition: action.relation,
    // Its indexes are called after it, and keep that name.
    fresh: inSchema(withSuffix(old.name, `_${id}`)),
    queue: inSchema(`partkeeper_queue_${id}`),
    capture: inSchema(`partkeeper_capture_${id}`),
    keys: await readKeys(session, action, beside),
    inWindow: isInWindow(action, beside),
  };
}

/** None: rows cannot be told apart. */
export async function readKeys(
  session: Session,
  { parent }: CreatePartition,
  { oid, relation }: BesideDefault,
): Promise<readonly string[]> {
  const what = `look for a key of ${formatRelationName(relation)}`;
  const rows = await session.query<{ name: string }>(reads.keyColumns, [parent, oid], what);
  return rows.map(({ name }) => name);
}

export async function readStructure(
  session: Session,
  action: CreatePartition,
  { oid }: BesideDefault,
): Promise<string> {
  const what = `read the structure of ${formatRelationName(action.target)}`;
  const [row] = await session.query<{ structure: string }>(reads.structure, [action.parent, oid], what);
  return row?.structure ?? '';
}

/** Throws when anything is different from what it was when the copying began. */
export async function expectStructure(
  session: Session,
  action: CreatePartition,
  beside: BesideDefault,
  begun: string | null,
): Promise<void> {
  if ((await readStructure(session, action, beside)) !== begun)
    throw new MaintenanceError(
      'STALE_PLAN',
      `${formatRelationName(action.target)} or its default partition was altered while that was copied`,
    );
}

/** As a list of SQL, each column with the alias before it. */
export const keysOf = (keys: readonly string[], alias: string): readonly Statement[] =>
  keys.map(key => ddl`${identifier(alias)}.${identifier(key)}`);

interface SiblingRow {
  readonly is_range: boolean;
  readonly lower: string | null;
  readonly upper: string | null;
}

/**
 * What ATTACH … DEFAULT would search the new default partition for, in exactly the server's form, and what it would search the
 * new partition for: as CHECKs they spare both searches. Another form of the same is not recognised.
 */
export async function readChecks(
  session: Session,
  action: CreatePartition,
  { column }: BesideDefault,
  inWindow: Statement,
): Promise<{ readonly partition: Statement; readonly fresh: Statement }> {
  const name = formatRelationName(action.target);
  const { lower, upper } = boundsOf(action);
  const ranges = await session.query<SiblingRow>(
    reads.siblings,
    [action.parent, lower, upper],
    `read the bounds of ${name}`,
  );
  if (ranges.some(({ is_range }) => !is_range))
    throw new MaintenanceError(
      'DRAIN_REFUSED',
      `could not drain the default partition of ${name}: one of its partitions is no range of time`,
    );
  const key = identifier(column);
  const sideOf = (side: string | null, operator: Statement): readonly Statement[] =>
    side === null ? [] : [ddl`${key} ${operator} ${literal(side)}`];
  const rangeOf = (range: SiblingRow): Statement =>
    joined([...sideOf(range.lower, ddl`>=`), ...sideOf(range.upper, ddl`<`)], ddl`and`);
  return {
    partition: ddl`${key} is not null and ${inWindow}`,
    fresh: ddl`not (${key} is not null and (${joined(ranges.map(rangeOf), ddl`or`)}))`,
  };
}

const joined = (parts: readonly Statement[], word: Statement): Statement =>
  parts.map(part => ddl`(${part})`).reduce((all, part) => ddl`${all} ${word} ${part}`);
