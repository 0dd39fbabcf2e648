/** The part that the jobs on tables share: find the policy and the facts, turn away what cannot be worked on. */
import { type JobName, joinParts, NOTHING, type PlanPart } from '../domain/plan.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { isSameRelation } from '../domain/relation.ts';
import { isTimeTable, planMissing, planUnchangeable, planUnsupportedKey, type TimeTable } from '../planner/target.ts';
import type { PlanContext } from './job.ts';

export function planEachTable(
  job: JobName,
  { facts, policies, targets }: PlanContext,
  plan: (table: TimeTable, policy: TablePolicy) => PlanPart,
): PlanPart {
  return joinParts(
    targets.map(target => {
      const policy = policies.tables.find(({ relation }) => isSameRelation(relation, target));
      const table = facts.tables.find(({ relation }) => isSameRelation(relation, target));
      if (!policy) return NOTHING;
      if (!table) return planMissing(job, target, facts) ?? NOTHING;
      if (!isTimeTable(table)) return planUnsupportedKey(job, table);
      return planUnchangeable(job, target, table.ownership, facts.server) ?? plan(table, policy);
    }),
  );
}
