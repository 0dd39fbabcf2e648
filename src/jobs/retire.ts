import { planRetire } from '../planner/retire.ts';
import { planEachTable } from './each-table.ts';
import type { Job } from './job.ts';

const NOBODY_AGREED: ReadonlySet<string> = new Set();

export const retire: Job = {
  name: 'retire',
  worksOn: 'tables',
  summary: 'detach, and drop unless told to keep, partitions that are proven to be past their retention',
  plan: context =>
    planEachTable('retire', context, (table, policy) =>
      planRetire(table, policy, context.moments, context.facts.server, {
        ledger: context.facts.ledger,
        views: context.facts.views,
        acknowledged: context.acknowledged ?? NOBODY_AGREED,
      }),
    ),
};
