import { planProvision } from '../planner/provision.ts';
import { planEachTable } from './each-table.ts';
import type { Job } from './job.ts';

export const provision: Job = {
  name: 'provision',
  worksOn: 'tables',
  summary: 'create the current partition, those ahead of it, and missing ones in between',
  plan: context =>
    planEachTable('provision', context, (table, policy) =>
      planProvision(table, policy, context.moments.forCreating, context.facts.server),
    ),
};
