/** What was done last, in one shape: as the ledger has it, of all replicas, or as this process has seen it. */
import type { MaintenanceError } from '../domain/errors.ts';
import { decodeKeyTime } from '../domain/key-text.ts';
import type { Action } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import type { ActionRow } from '../ledger/reading.ts';
import type { ActionResult } from '../report/events.ts';
import { explainAction, explainError } from '../report/explain.ts';
import type { RecentAction } from './document.ts';
import { plain } from './text.ts';

/** How many are kept. */
export const MAX_ACTIONS = 50;

const subject = (action: Action, at: Instant) => ({
  at: formatInstant(at.round('millisecond')),
  target: formatRelationName(action.target),
  relation: formatRelationName(action.relation),
  kind: action.kind,
  why: plain(explainAction(action).why),
});

const whole = (value: number | null | undefined): number | null =>
  value === null || value === undefined ? null : Math.max(0, Math.round(value));

export const finishedAction = (action: Action, result: ActionResult, at: Instant): RecentAction => ({
  ...subject(action, at),
  outcome: result.outcome,
  durationMs: result.durationMs,
  rows: whole(result.rows),
  bytes: whole(result.bytes),
  error: null,
});

const undone = { rows: null, bytes: null } as const;

export const failedAction = (
  action: Action,
  error: MaintenanceError,
  durationMs: number,
  at: Instant,
): RecentAction => ({
  ...subject(action, at),
  ...undone,
  outcome: 'failed',
  durationMs,
  error: plain(explainError(error)),
});

export const deferredAction = (action: Action, error: MaintenanceError, at: Instant): RecentAction => ({
  ...subject(action, at),
  ...undone,
  outcome: 'deferred',
  durationMs: null,
  error: plain(explainError(error)),
});

export function recordedAction(row: ActionRow): RecentAction {
  const at = decodeKeyTime(row.finished_at ?? row.intended_at, 'timestamptz');
  return {
    at: at ? formatInstant(at.round('millisecond')) : row.intended_at,
    target: row.target,
    relation: row.relation,
    kind: row.kind,
    why: plain(row.why),
    outcome: row.outcome,
    durationMs: row.duration_ms,
    rows: whole(row.rows),
    bytes: whole(row.bytes),
    error: row.error_message === null ? null : plain(`${row.error_message} [${row.error_code}]`),
  };
}
