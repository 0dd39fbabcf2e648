/** What a job is: a name, what it works on, and a pure decision. */
import type { Facts } from '../domain/facts.ts';
import type { Moments } from '../domain/moments.ts';
import type { JobName, PlanPart } from '../domain/plan.ts';
import type { Policies } from '../domain/policy.ts';
import type { RelationName } from '../domain/relation.ts';
import type { Instant } from '../domain/time.ts';

export interface Job {
  readonly name: JobName;
  readonly worksOn: keyof Policies;
  /** One line for help texts and documentation. */
  readonly summary: string;
  /** Pure: every target given ends in actions, skips or findings. */
  readonly plan: (context: PlanContext) => PlanPart;
}

export interface PlanContext {
  /** Facts of the targets, and possibly of others. */
  readonly facts: Facts;
  readonly policies: Policies;
  readonly targets: readonly RelationName[];
  readonly moments: Moments;
  /** The last tick at or before now of a target's schedule for a job; undefined where there is none. */
  readonly dueSince: DueSince;
  /** A person or a program asked for it now: do it although it is not due. */
  readonly isAskedFor: boolean;
  /** The names of unusual plans that somebody has agreed to; see `domain/acknowledgement.ts`. */
  readonly acknowledged?: ReadonlySet<string> | undefined;
}

export type DueSince = (job: JobName, target: RelationName, now: Instant) => Instant | undefined;
