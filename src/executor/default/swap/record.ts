/**
 * A swap as `partkeeper.drains` has it: intended before anything is made, with the OIDs of whatever was made. They alone prove
 * that a table is ours to drop.
 */
import { MaintenanceError } from '../../../domain/errors.ts';
import type { Oid } from '../../../domain/facts.ts';
import type { BesideDefault, CreatePartition } from '../../../domain/plan.ts';
import { formatRelationName, type RelationName } from '../../../domain/relation.ts';
import type { Session } from '../../../postgres/session.ts';
import { boundsOf } from '../range.ts';
import { drains } from '../statements.ts';

export type SwapState = 'intended' | 'capturing' | 'copied' | 'proven' | 'swapped';

interface DrainRow {
  readonly id: number;
  readonly state: SwapState;
  readonly lower: string;
  readonly upper: string;
  readonly structure: string | null;
  readonly older: readonly string[] | null;
  readonly old_oid: Oid;
  readonly old: RelationName | null;
  readonly old_is_partition: boolean | null;
  readonly partition: RelationName | null;
  readonly partition_is_partition: boolean | null;
  readonly new_default: RelationName | null;
  readonly new_default_is_partition: boolean | null;
  readonly queue: RelationName | null;
  readonly capture: RelationName | null;
  readonly trigger: string | null;
}

/** What is on record, with the names of today; whatever is gone has none. */
export type RecordedSwap = DrainRow;

/** @param id undefined for whichever there is of this parent */
export async function readSwap(session: Session, parent: Oid, id?: number): Promise<RecordedSwap | undefined> {
  const [row] = await session.query<DrainRow>(drains.read, [parent, id ?? null], 'look for a drain on record');
  return row;
}

/** The one that is under way for this partition, begun at an earlier try. */
export async function readOwnSwap(
  session: Session,
  action: CreatePartition,
  { oid }: BesideDefault,
): Promise<RecordedSwap | undefined> {
  const { lower, upper } = boundsOf(action);
  const found = await readSwap(session, action.parent);
  return found?.old_oid === oid && found.lower === lower && found.upper === upper && found.state !== 'swapped'
    ? found
    : undefined;
}

export async function intendSwap(
  session: Session,
  action: CreatePartition,
  { oid, relation }: BesideDefault,
): Promise<number> {
  const { lower, upper } = boundsOf(action);
  const [row] = await session.query<{ id: number }>(
    drains.begin,
    [action.parent, formatRelationName(action.target), oid, lower, upper],
    `put the drain of ${formatRelationName(relation)} on record`,
  );
  if (row === undefined)
    throw new MaintenanceError(
      'STALE_PLAN',
      `another drain of ${formatRelationName(action.target)} is on record, which has to be cleared first`,
    );
  return row.id;
}

/** Throws when somebody else has cleared it or taken it on. */
export async function advanceSwap(session: Session, id: number, from: SwapState, to: SwapState): Promise<void> {
  const rows = await session.query(drains.advance, [id, from, to], 'put the state of a drain on record');
  if (rows.length !== 1) throw new MaintenanceError('STALE_PLAN', `the drain ${id} is no longer on record as ${from}`);
}

export const forgetSwap = async (session: Session, id: number): Promise<void> =>
  void (await session.query(drains.forget, [id], 'take a finished drain off the record'));
