/** Each job on each of its targets: its last run, its next tick, what is wrong with it, and whether it rests. Pure. */
import type { JobName } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { OUTCOMES } from '../report/events.ts';
import type { JobStatus } from './document.ts';
import { type Kept, slotOf } from './keep.ts';
import { momentText, orNull, plain } from './text.ts';
import type { Ticks } from './views.ts';

export function jobStatus(
  job: JobName,
  target: RelationName,
  { runs, pauses }: Pick<Kept, 'runs' | 'pauses'>,
  ticks: Ticks | undefined,
): JobStatus {
  const slot = slotOf(job, target);
  const known = runs.get(slot);
  const pause = pauses.get(slot);
  const error = known?.error;
  return {
    job,
    target: formatRelationName(target),
    schedule: ticks?.schedule ?? null,
    next: orNull(ticks?.next),
    runningSince: orNull(known?.runningSince),
    lastFinished: orNull(known?.lastFinished),
    lastOutcome: outcomeOf(known?.lastOutcome),
    lastSuccess: orNull(known?.lastSuccess),
    lastDurationMs: known?.lastDurationMs ?? null,
    consecutiveFailures: known?.consecutiveFailures ?? 0,
    error: error
      ? { code: error.code, message: plain(error.message), hint: error.hint === undefined ? null : plain(error.hint) }
      : null,
    paused: pause?.isPaused
      ? {
          by: pause.pause ? plain(pause.pause.by) : null,
          reason: pause.pause?.reason === undefined ? null : plain(pause.pause.reason),
          since: pause.pause?.since ? momentText(pause.pause.since) : null,
        }
      : null,
  };
}

const KNOWN_OUTCOMES = [...OUTCOMES, 'interrupted'] as const;

// The ledger may have been written by a later version.
const outcomeOf = (text: string | undefined): JobStatus['lastOutcome'] =>
  KNOWN_OUTCOMES.find(outcome => outcome === text) ?? null;
