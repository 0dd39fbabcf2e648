/** The status of an ordinary service, made as the service makes it: from facts and events. */
import type { ScheduleEntry } from '../../src/config/schedules.ts';
import type { Facts } from '../../src/domain/facts.ts';
import type { Policies } from '../../src/domain/policy.ts';
import type { Instant } from '../../src/domain/time.ts';
import type { DueSince } from '../../src/jobs/job.ts';
import type { Event } from '../../src/report/events.ts';
import { dueSinceBy } from '../../src/schedule/ticks.ts';
import type { StatusDocument } from '../../src/status/document.ts';
import { keepStatus } from '../../src/status/keep.ts';
import { type Present, planOf, statusDocument } from '../../src/status/view.ts';
import { aTable, aTablePolicy, aView, aViewPolicy, monthly, NOW, relation, someFacts } from './facts.ts';

export interface StatusScene {
  readonly facts?: Facts;
  /** What happened after the facts were read. */
  readonly events?: readonly Event[];
  readonly policies?: Policies;
  readonly schedules?: readonly ScheduleEntry[];
  readonly present?: Partial<Present>;
}

export const aSchedule = (
  job: ScheduleEntry['job'],
  target: string,
  pattern: string,
  timezone = 'UTC',
): ScheduleEntry => ({
  job,
  target: relation(target),
  schedule: { pattern, timezone },
  overlap: 'skip',
  jitterMs: 0,
  catchUp: 'once',
  catchUpWindow: { amount: 1, unit: 'days' },
});

/** Without facts: what is answered before the first look. */
export function statusOf({ facts, events = [], policies, schedules = [], present = {} }: StatusScene): StatusDocument {
  const now: Instant = present.now ?? NOW;
  const keeper = keepStatus(() => now);
  if (facts) keeper.emit({ kind: 'observed', facts, durationMs: 1 });
  for (const event of events) keeper.emit(event);
  const dueSince: DueSince = dueSinceBy(schedules);
  const intentions = { policies: policies ?? { tables: [aTablePolicy()], views: [] }, schedules, dueSince };
  const plan = planOf(keeper.kept(), intentions);
  return statusDocument(keeper.kept(), plan, intentions, {
    now,
    version: '1.2.3',
    problem: undefined,
    recorded: undefined,
    ...present,
  });
}

/** One table and one view, all in order. */
export const aStatus = (): StatusDocument =>
  statusOf({
    facts: someFacts({
      tables: [aTable({ partitions: monthly('2026-09', '2027-01') })],
      views: [aView({ lastRefresh: { at: NOW.subtract({ minutes: 5 }), fingerprint: 'f1' } })],
    }),
    policies: { tables: [aTablePolicy()], views: [aViewPolicy()] },
    schedules: [aSchedule('refresh', 'unified.mv_recent_events', '*/15 * * * *')],
  });
