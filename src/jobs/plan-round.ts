/**
 * One plan for several jobs, as one round would do them: each job is planned on the facts as the jobs before it will leave
 * them, so that what `plan` shows is what `apply` does.
 */
import type { Facts } from '../domain/facts.ts';
import { type Action, joinParts, type Plan, type PlanPart } from '../domain/plan.ts';
import type { RelationName } from '../domain/relation.ts';
import { project } from '../planner/project.ts';
import { isTimeTable } from '../planner/target.ts';
import type { Job, PlanContext } from './job.ts';

export interface RoundTask {
  readonly job: Job;
  readonly targets: readonly RelationName[];
}

export function planRound(tasks: readonly RoundTask[], context: Omit<PlanContext, 'targets'>): Plan {
  const parts: PlanPart[] = [];
  let { facts } = context;
  for (const { job, targets } of tasks) {
    const part = job.plan({ ...context, facts, targets });
    parts.push(part);
    facts = projectFacts(facts, part.actions);
  }
  return { now: context.moments.now, ...joinParts(parts) };
}

const projectFacts = (facts: Facts, actions: readonly Action[]): Facts => ({
  ...facts,
  tables: facts.tables.map(table => (isTimeTable(table) ? project(table, actions) : table)),
});
