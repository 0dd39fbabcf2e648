/** What the default partition is and holds, seen before any lock is taken that others would notice. */
import { MaintenanceError } from '../../domain/errors.ts';
import type { BesideDefault, CreatePartition } from '../../domain/plan.ts';
import type { StatementBudget } from '../../domain/policy.ts';
import { formatRelationName } from '../../domain/relation.ts';
import { ddl } from '../../postgres/ddl.ts';
import type { Session } from '../../postgres/session.ts';
import { parentFound } from '../evidence.ts';
import { type Attempt, becomeOwner } from '../runner.ts';
import { isInWindow } from './range.ts';
import { reads } from './statements.ts';

/** Beyond this a count is of no use: that there are more is all that matters. */
export const MAX_COUNTED = 10_000;

export interface Seen {
  /** Rows of the window, counted up to one more than {@link MAX_COUNTED}; undefined where row security hides rows from us. */
  readonly rows: number | undefined;
  readonly bytes: number;
  /** Whether it holds no row of any other window, either. */
  readonly isAllOfIt: boolean;
}

export const describeRows = (rows: number): string =>
  rows > MAX_COUNTED ? `more than ${MAX_COUNTED} rows` : `${rows} ${rows === 1 ? 'row' : 'rows'}`;

interface LookRow {
  readonly kind: string;
  readonly bytes: number;
  readonly hides_rows: boolean;
}

/** The default partition is still the one that was planned beside. Under the lock on the parent, nobody of us changes that. */
export async function defaultFound(
  session: Session,
  { parent, target }: Pick<CreatePartition, 'parent' | 'target'>,
  { oid, relation }: Pick<BesideDefault, 'oid' | 'relation'>,
): Promise<LookRow> {
  const what = `look at the default partition ${formatRelationName(relation)} again`;
  const [row] = await session.query<LookRow>(reads.look, [parent, oid, relation.schema, relation.name], what);
  if (!row)
    throw new MaintenanceError(
      'STALE_PLAN',
      `${formatRelationName(relation)} is no longer the default partition of ${formatRelationName(target)}`,
    );
  return row;
}

/** Reads as the owner, who alone is sure to have the right to. */
export const look = (
  action: CreatePartition,
  beside: BesideDefault,
  { session, step, execute }: Attempt,
): Promise<Seen> =>
  step(async () => {
    const name = formatRelationName(beside.relation);
    await parentFound(session, action);
    for (const statement of becomeOwner(action.actAs)) await execute(statement, `look at ${name}`);
    const { kind, bytes, hides_rows } = await defaultFound(session, action, beside);
    // A partitioned or foreign default partition is the server's to search.
    if (hides_rows || kind !== 'r') return { rows: undefined, bytes, isAllOfIt: false };
    const inWindow = isInWindow(action, beside);
    const [counted] = await session.query<{ rows: number }>(
      ddl`select count(*) as rows from (select from only ${beside.relation} where ${inWindow} limit ${MAX_COUNTED + 1}) r`
        .text,
      [],
      `count the rows of the new range in ${name}`,
    );
    const rows = counted?.rows ?? 0;
    if (rows === 0) return { rows, bytes, isAllOfIt: false };
    const others = await session.query(
      ddl`select from only ${beside.relation} where (${inWindow}) is not true limit 1`.text,
      [],
      `look for other rows in ${name}`,
    );
    return { rows, bytes, isAllOfIt: others.length === 0 };
  });

/**
 * Whether so many scans of the default partition are over before anybody has waited longer than for a lock: 54 to 94 ms per
 * million rows were measured, which is about 1 MB in a millisecond where the pages are in memory; looking has just read them.
 */
export const isScannedInTime = (
  { bytes }: Pick<Seen, 'bytes'>,
  scans: number,
  { lockTimeoutMs }: StatementBudget,
): boolean => bytes * scans <= lockTimeoutMs * BYTES_PER_MS;

const BYTES_PER_MS = 500_000;
