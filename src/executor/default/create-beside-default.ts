/**
 * Creating beside a default partition. ATTACH locks it with ACCESS EXCLUSIVE and searches it for rows of the new range, so the
 * rows are counted first, before any lock, and the cheapest way is taken that the facts allow.
 */
import { asMaintenanceError, MaintenanceError } from '../../domain/errors.ts';
import type { BesideDefault, CreatePartition } from '../../domain/plan.ts';
import { formatRelationName } from '../../domain/relation.ts';
import { ddl } from '../../postgres/ddl.ts';
import { makeAndAttach } from '../attach-partition.ts';
import type { Attempt, Done } from '../runner.ts';
import { drain } from './drain.ts';
import { describeRows, isScannedInTime, look } from './look.ts';
import { boundsOf } from './range.ts';
import { attachSpared } from './spare.ts';

/** Rows may arrive between counting and attaching; writers that keep doing so are left alone until the next run. */
const LOOKS = 3;

export async function createBesideDefault(
  action: CreatePartition,
  beside: BesideDefault,
  attempt: Attempt,
): Promise<Done> {
  for (let looks = 1; ; looks += 1) {
    try {
      return await once(action, beside, attempt);
    } catch (error) {
      // By the server's word, not by our count: rows have arrived since.
      const { code, sqlstate } = asMaintenanceError(error);
      if (code !== 'DEFAULT_HAS_ROWS' || sqlstate === undefined || looks >= LOOKS) throw error;
    }
  }
}

async function once(action: CreatePartition, beside: BesideDefault, attempt: Attempt): Promise<Done> {
  const seen = await look(action, beside, attempt);
  if (seen.rows !== undefined && seen.rows > 0) {
    if (beside.onRows === 'report') throw hasRows(action, beside, seen.rows);
    return drain(action, beside, { ...seen, rows: seen.rows }, attempt);
  }
  if (!beside.isAhead) return attachInMidst(action, attempt);
  return isScannedInTime(seen, 1, attempt.budget)
    ? makeAndAttach(action, attempt)
    : attachSpared(action, beside, attempt);
}

/**
 * Rows of this window may be on their way. An insert that was routed to the default partition and waits for its lock would fail
 * with 23514 once the partition is there, so writers wait at the parent instead, where they are routed anew. However large the
 * default partition is, it is searched under the lock: a CHECK that spares the search would refuse those very rows.
 */
const attachInMidst = (action: CreatePartition, attempt: Attempt): Promise<Done> =>
  makeAndAttach(action, attempt, {
    before: async () => {
      const what = `keep writers of ${formatRelationName(action.target)} waiting for a moment`;
      await attempt.execute(ddl`lock table only ${action.target} in share row exclusive mode`, what);
      return {};
    },
  });

const hasRows = (action: CreatePartition, { relation }: BesideDefault, rows: number): MaintenanceError => {
  const { lower, upper } = boundsOf(action);
  return new MaintenanceError(
    'DEFAULT_HAS_ROWS',
    `did not create partition ${formatRelationName(action.relation)}: the default partition ${formatRelationName(relation)} holds ${describeRows(rows)} of its range, ${lower} to ${upper}`,
    { hint: 'Set `default: drain` for the table to have them moved, or move or delete them by hand.' },
  );
};
