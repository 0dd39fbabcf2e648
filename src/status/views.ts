/** A materialized view: how old its data are, judged by its schedule and by what the plan says of it. Pure. */
import type { Facts, MaterializedViewFacts } from '../domain/facts.ts';
import type { Plan, SkipReason } from '../domain/plan.ts';
import type { ViewPolicy } from '../domain/policy.ts';
import { formatRelationName, isSameRelation } from '../domain/relation.ts';
import { type Instant, isBefore } from '../domain/time.ts';
import { explainAction, explainSkip } from '../report/explain.ts';
import type { JobStatus, ViewStatus } from './document.ts';
import { WHY_MISSING } from './tables.ts';
import { orNull, plain } from './text.ts';

/** When a schedule comes due, around the present. */
export interface Ticks {
  readonly schedule: NonNullable<JobStatus['schedule']>;
  readonly last: Instant | undefined;
  /** The one before the last. */
  readonly before: Instant | undefined;
  readonly next: Instant | undefined;
}

export function viewStatus(
  { relation }: ViewPolicy,
  facts: Facts | undefined,
  plan: Plan,
  ticks: Ticks | undefined,
): ViewStatus {
  const view = facts?.views.find(candidate => isSameRelation(candidate.relation, relation));
  const reason = facts?.missing.find(missing => isSameRelation(missing.relation, relation))?.reason;
  const when = {
    dueSince: orNull(ticks?.last),
    next: orNull(ticks?.next),
    schedule: ticks?.schedule ?? null,
  };
  if (!view)
    return {
      name: formatRelationName(relation),
      freshness: reason ? 'missing' : 'unknown',
      why: reason ? WHY_MISSING[reason] : 'It has not been looked at yet.',
      refreshedAt: null,
      ...when,
      isPopulated: false,
      isConcurrent: false,
      bytes: 0,
    };
  return {
    name: formatRelationName(relation),
    ...freshnessOf(view, plan, ticks),
    refreshedAt: orNull(view.lastRefresh?.at),
    ...when,
    isPopulated: view.isPopulated,
    isConcurrent: view.concurrentIndex !== undefined,
    bytes: view.size.bytesEstimate,
  };
}

type Judgement = Pick<ViewStatus, 'freshness' | 'why'>;

function freshnessOf(
  { relation, lastRefresh }: MaterializedViewFacts,
  plan: Plan,
  ticks: Ticks | undefined,
): Judgement {
  const action = plan.actions.find(each => each.kind === 'refresh-view' && isSameRelation(each.relation, relation));
  if (action) {
    const isOverdue = ticks?.before !== undefined && (!lastRefresh || isBefore(lastRefresh.at, ticks.before));
    return { freshness: isOverdue ? 'overdue' : 'due', why: plain(explainAction(action).why) };
  }
  const skip = plan.skips.find(each => each.job === 'refresh' && isSameRelation(each.relation, relation));
  if (!skip) return { freshness: 'unscheduled', why: 'The plan says nothing of it.' };
  return { freshness: FRESHNESS_OF[skip.reason] ?? 'blocked', why: plain(explainSkip(skip)) };
}

/** Whatever else keeps a view from being refreshed blocks it. */
const FRESHNESS_OF: { readonly [K in SkipReason]?: ViewStatus['freshness'] } = {
  fresh: 'fresh',
  unchanged: 'unchanged',
  'not-configured': 'unscheduled',
  missing: 'missing',
};
