/** What is kept, and now → the document. Pure, so that the same memory at the same moment always answers the same. */
import type { ScheduleEntry } from '../config/schedules.ts';
import type { Finding } from '../domain/findings.ts';
import { type Moments, momentsOf } from '../domain/moments.ts';
import { NOTHING, type Plan } from '../domain/plan.ts';
import type { Policies } from '../domain/policy.ts';
import { formatRelationName, isSameRelation, type RelationName } from '../domain/relation.ts';
import { earlier, type Instant } from '../domain/time.ts';
import type { DueSince } from '../jobs/job.ts';
import { planRound } from '../jobs/plan-round.ts';
import { jobs, targetsOf } from '../jobs/registry.ts';
import { lastTick, nextTick } from '../schedule/ticks.ts';
import type { RecentAction, StatusDocument } from './document.ts';
import { jobStatus } from './jobs.ts';
import type { Kept } from './keep.ts';
import { findingStatuses, planStatus } from './plan.ts';
import { tableStatus } from './tables.ts';
import { orNull, plain } from './text.ts';
import { type Ticks, viewStatus } from './views.ts';

/** What the service is to do: from the configuration, nothing beyond policies and schedules. */
export interface Intentions {
  readonly policies: Policies;
  readonly schedules: readonly ScheduleEntry[];
  readonly dueSince: DueSince;
}

/** What the ledger said when it was last read. */
export interface Recorded {
  readonly readAt: Instant;
  readonly actions: readonly RecentAction[];
}

export interface Present {
  /** The database's clock, as far as it is known. */
  readonly now: Instant;
  readonly version: string;
  /** Why no work can be done, or undefined. */
  readonly problem: string | undefined;
  readonly recorded: Recorded | undefined;
}

/** What would be done, as `partkeeper plan` would say on the same facts; undefined before there are any. */
export const planOf = ({ facts }: Pick<Kept, 'facts'>, { policies, dueSince }: Intentions): Plan | undefined =>
  facts &&
  planRound(
    jobs.map(job => ({ job, targets: targetsOf(job, policies) })),
    { facts, policies, dueSince, moments: momentsOf(facts.server), isAskedFor: false },
  );

export function statusDocument(
  kept: Kept,
  plan: Plan | undefined,
  intentions: Intentions,
  present: Present,
): StatusDocument {
  const { policies, schedules } = intentions;
  const { now, version, problem, recorded } = present;
  const { facts, trouble, findings, actions } = kept;
  const at = momentsAt(now, facts?.server);
  const shown: Plan = plan ?? { now, ...NOTHING };
  const readAt = oldestLook(kept, policies);
  const ticksOf = ticksAt(now, schedules);
  return {
    version,
    now: orNull(now) ?? '',
    ready: problem === undefined,
    notReadyBecause: problem === undefined ? null : plain(problem),
    database: facts ? { name: facts.server.database, version: facts.server.version, user: facts.server.user } : null,
    readAt: orNull(readAt),
    ageSeconds: readAt ? Math.max(0, Math.round(now.since(readAt).total('seconds'))) : null,
    notReadBecause: trouble ? plain(trouble.message) : null,
    tables: policies.tables.map(policy => tableStatus(policy, facts, at, shown)),
    views: policies.views.map(policy => viewStatus(policy, facts, shown, ticksOf('refresh', policy.relation))),
    jobs: jobs.flatMap(job =>
      targetsOf(job, policies)
        .filter(target => isRun(job.name, target, policies))
        .map(target => jobStatus(job.name, target, kept, ticksOf(job.name, target))),
    ),
    findings: [...findingStatuses(shown.findings, findings.filter(isConfigured(policies)))],
    plan: plan ? planStatus(plan) : null,
    recent: recorded
      ? { source: 'ledger', readAt: orNull(recorded.readAt), actions: [...recorded.actions] }
      : { source: 'this-process', readAt: null, actions: [...actions] },
  };
}

/** Both clocks moved on by what has passed since they were read. */
const momentsAt = (now: Instant, server: Parameters<typeof momentsOf>[0] | undefined): Moments => {
  if (!server) return momentsOf({ databaseNow: now, processNow: now });
  const passed = server.databaseNow.until(now);
  return momentsOf({ databaseNow: now, processNow: server.processNow.add(passed) });
};

/** What was found of a target that a reload has taken out is nobody's trouble any more. */
const isConfigured =
  ({ tables, views }: Policies) =>
  ({ target }: Finding): boolean =>
    [...tables, ...views].some(({ relation }) => isSameRelation(relation, target));

/** Nothing is older than the look at the target that was looked at longest ago. */
function oldestLook({ readAt }: Kept, { tables, views }: Policies): Instant | undefined {
  const looks = [...tables, ...views].flatMap(({ relation }) => readAt.get(formatRelationName(relation)) ?? []);
  return looks.length === 0 ? undefined : looks.reduce(earlier);
}

/** What never comes due of itself and is not asked for by the policy would only be a row without an end. */
function isRun(job: string, target: RelationName, { tables }: Policies): boolean {
  const policy = tables.find(({ relation }) => isSameRelation(relation, target));
  if (job === 'retire') return policy?.retention !== 'forever';
  return job !== 'analyze' || policy?.analyze !== undefined;
}

const ticksAt =
  (now: Instant, schedules: readonly ScheduleEntry[]) =>
  (job: string, target: RelationName): Ticks | undefined => {
    const entry = schedules.find(each => each.job === job && isSameRelation(each.target, target));
    if (!entry) return undefined;
    const { pattern, timezone } = entry.schedule;
    const last = lastTick(entry.schedule, now);
    return {
      schedule: { pattern, timezone },
      last,
      before: last && lastTick(entry.schedule, last.subtract({ milliseconds: 1 })),
      next: nextTick(entry.schedule, now),
    };
  };
