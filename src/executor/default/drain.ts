/**
 * Rows of the default partition become rows of the partition that they belong to, in the cheapest way that the facts allow: few
 * are moved in one transaction; a default partition that holds nothing else becomes the partition; else it is swapped for two
 * copies. No way hides a row from readers, fails an insert or keeps anybody waiting for longer than the budget.
 */
import { MaintenanceError } from '../../domain/errors.ts';
import type { BesideDefault, CreatePartition } from '../../domain/plan.ts';
import { formatRelationName } from '../../domain/relation.ts';
import type { Attempt, Done } from '../runner.ts';
import { describeRows, isScannedInTime, type Seen } from './look.ts';
import { isMovedInTime, moveFew } from './move-few.ts';
import { relabel } from './relabel.ts';
import { reads } from './statements.ts';
import { readOwnSwap } from './swap/record.ts';
import { swap } from './swap/swap.ts';
import { readKeys } from './swap/tables.ts';

interface Obstacle {
  readonly because: string;
  readonly moving: boolean;
  readonly relabelling: boolean;
  readonly swapping: boolean;
}

type Way = 'moving' | 'relabelling' | 'swapping';

export async function drain(
  action: CreatePartition,
  beside: BesideDefault,
  seen: Seen & { readonly rows: number },
  attempt: Attempt,
): Promise<Done> {
  const { budget, session } = attempt;
  const begun = await readOwnSwap(session, action, beside);
  if (begun) return swap(action, beside, begun, attempt);
  const obstacles = await readObstacles(action, beside, attempt);
  const isFree = (way: Way): boolean => !obstacles.some(obstacle => obstacle[way]);
  // Searched for the rows, for those to delete, and by ATTACH.
  if (isMovedInTime(seen.rows, budget) && isScannedInTime(seen, 3, budget) && isFree('moving'))
    return moveFew(action, beside, attempt);
  if (seen.isAllOfIt && isScannedInTime(seen, 1, budget) && isFree('relabelling'))
    return relabel(action, beside, attempt);
  const keys = await readKeys(session, action, beside);
  if (keys.length > 0 && isFree('swapping')) return swap(action, beside, undefined, attempt);
  const reasons = obstacles.map(({ because }) => because);
  if (keys.length === 0) reasons.push('it has no primary key or unique index of columns that are never null');
  throw refused(action, beside, seen.rows, reasons);
}

async function readObstacles(
  action: CreatePartition,
  beside: BesideDefault,
  { session }: Attempt,
): Promise<readonly Obstacle[]> {
  const found = await session.query<Obstacle>(
    reads.obstacles,
    [action.parent, beside.oid],
    `see what stands in the way of draining ${formatRelationName(beside.relation)}`,
  );
  // The owner may not write into a table whose row security is forced and that has no policy yet.
  const forced = { because: 'its row security is forced', moving: true, relabelling: false, swapping: true };
  return action.shape.forceRowSecurity && action.actAs.how !== 'superuser' ? [...found, forced] : found;
}

const refused = (
  action: CreatePartition,
  { relation }: BesideDefault,
  rows: number,
  reasons: readonly string[],
): MaintenanceError =>
  new MaintenanceError(
    'DRAIN_REFUSED',
    `did not create partition ${formatRelationName(action.relation)}: the default partition ${formatRelationName(relation)} holds ${describeRows(rows)} of its range, which cannot be moved without risk: ${reasons.join('; ')}`,
    { hint: 'Remove what stands in the way, or move the rows by hand while nobody writes.' },
  );
