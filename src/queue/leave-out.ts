/**
 * Leaves a tick out, for good: its id is taken from the queue, and the reason put on record, in one transaction. Otherwise one
 * replica could say that a tick is left out while another, a moment later, finds the way free and sends it.
 */
import { readFileSync } from 'node:fs';
import { asMaintenanceError, type ErrorCode } from '../domain/errors.ts';
import type { JobName } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import { ddl, identifier } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import type { Runner } from '../run-job.ts';
import { singletonKey } from './payload.ts';

const LEAVE_OUT = readFileSync(new URL('../../sql/queue/leave-out.sql', import.meta.url), 'utf8');

const AWAY: ReadonlySet<ErrorCode> = new Set(['CONNECTION_FAILED', 'CONNECTION_LOST', 'READ_ONLY']);

export interface LeftOut {
  readonly id: string;
  readonly job: JobName;
  readonly target: RelationName;
  readonly tick: Instant;
  readonly reason: string;
}

/**
 * Throws only when the database is away. A ledger that cannot be written does not keep the tick from being left out; then it is
 * told as if it had been the first.
 *
 * @returns whether it was this call that left the tick out
 */
export type LeaveOut = (tick: LeftOut, how?: { readonly isQueued: boolean }) => Promise<boolean>;

/** With `isQueued`, the id is that of a job which the caller is about to end. */
export function leaveOutOf({ ledger, emit }: Pick<Runner, 'ledger' | 'emit'>, schema: string): LeaveOut {
  const text = LEAVE_OUT.replaceAll('{{schema}}', ddl`${identifier(schema)}`.text);
  return async ({ id, job, target, tick, reason }, { isQueued } = { isQueued: false }) => {
    const takeId = async (session: Session): Promise<boolean> => {
      if (isQueued) return true;
      const data = JSON.stringify({ job, target: formatRelationName(target), tick: formatInstant(tick) });
      const output = JSON.stringify({ outcome: 'skipped', reason });
      const rows = await session.query(text, [id, singletonKey(job, target), data, output], 'leave out a tick');
      return rows.length > 0;
    };
    const isFirst = await ledger.skipTick(id, job, target, tick, reason, takeId).catch(thrown => {
      const error = asMaintenanceError(thrown);
      if (AWAY.has(error.code)) throw error;
      emit({ kind: 'ledger-troubled', error });
      return true;
    });
    if (isFirst) emit({ kind: 'tick-skipped', job, target, tick, reason });
    return isFirst;
  };
}
