import { planAnalyze } from '../planner/analyze.ts';
import { planEachTable } from './each-table.ts';
import type { Job } from './job.ts';

export const analyze: Job = {
  name: 'analyze',
  worksOn: 'tables',
  summary: 'bring the statistics of tables and partitions up to date where enough rows have changed',
  plan: context =>
    planEachTable('analyze', context, (table, policy) => planAnalyze(table, policy, context.facts.server)),
};
