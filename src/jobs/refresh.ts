import { joinParts, NOTHING } from '../domain/plan.ts';
import { isSameRelation } from '../domain/relation.ts';
import { planRefresh } from '../planner/refresh.ts';
import { planMissing } from '../planner/target.ts';
import type { Job } from './job.ts';

export const refresh: Job = {
  name: 'refresh',
  worksOn: 'views',
  summary: 'refresh materialized views concurrently, in the order in which they read each other',
  plan({ facts, policies, targets, moments, dueSince, isAskedFor }) {
    const missing = targets.map(target => planMissing('refresh', target, facts) ?? NOTHING);
    const requests = targets.flatMap(target => {
      const policy = policies.views.find(({ relation }) => isSameRelation(relation, target));
      const view = facts.views.find(({ relation }) => isSameRelation(relation, target));
      const request = policy && { policy, dueSince: dueSince('refresh', target, moments.now), isAskedFor };
      return view && request ? [{ view, request }] : [];
    });
    return joinParts([...missing, planRefresh(facts, requests)]);
  },
};
