/** Every job there is, in the order in which one round runs them. Command line, schedules and metrics derive from it. */
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import type { Policies } from '../domain/policy.ts';
import type { RelationName } from '../domain/relation.ts';
import { analyze } from './analyze.ts';
import type { Job } from './job.ts';
import { provision } from './provision.ts';
import { refresh } from './refresh.ts';
import { retire } from './retire.ts';

const byName: { readonly [K in JobName]: Job } = { provision, retire, refresh, analyze };

export const jobOf = (name: JobName): Job => byName[name];

export const jobs: readonly Job[] = JOB_NAMES.map(jobOf);

/** The configured relations that a job works on. */
export const targetsOf = (job: Job, policies: Policies): readonly RelationName[] =>
  policies[job.worksOn].map(({ relation }) => relation);
