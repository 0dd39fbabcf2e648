/** What a plan says, in words short enough for a table of expectations. */
import { expect } from 'vitest';
import type { Window } from '../../src/domain/interval.ts';
import type { PlanPart } from '../../src/domain/plan.ts';
import type { TablePolicy } from '../../src/domain/policy.ts';
import { formatInstant, type Instant } from '../../src/domain/time.ts';
import { planProvision } from '../../src/planner/provision.ts';
import type { TimeTable } from '../../src/planner/target.ts';
import { aServer, NOW } from './facts.ts';
import { carryOut } from './imagined-server.ts';

/** `2026-11-01`, and with the time of day only where it is not midnight in UTC. */
export const day = (at: Instant): string => formatInstant(at).replace('T00:00:00Z', '');

/** `2026-11-01 to 2026-12-01`. */
export const span = ({ lower, upper }: Window): string => `${day(lower)} to ${day(upper)}`;

/** `event_metric_events_2026_11: 2026-11-01 to 2026-12-01`, one for each partition to be created. */
export const created = ({ actions }: PlanPart): readonly string[] =>
  actions.flatMap(action =>
    action.kind === 'create-partition' ? [`${action.relation.name}: ${span(action.window)}`] : [],
  );

/** `2026-11-01 to 2026-12-01`, one for each partition to be created. */
export const spans = ({ actions }: PlanPart): readonly string[] =>
  actions.flatMap(action => (action.kind === 'create-partition' ? [span(action.window)] : []));

export const rules = ({ actions }: PlanPart): readonly string[] => actions.map(({ because }) => because.rule);

/** `covered 2026-11-01 to 2026-12-01`, dates written as in {@link day}. */
export const skips = ({ skips: all }: PlanPart): readonly string[] =>
  all.map(({ reason, detail = '' }) => `${reason} ${detail.replaceAll('T00:00:00Z', '')}`.trim());

export const codes = ({ findings }: PlanPart): readonly string[] => findings.map(({ code }) => code);

/** Plans, carries the plan out as PostgreSQL would, and plans again: by then nothing may be left to do. */
export function provisionTwice(table: TimeTable, policy: TablePolicy, now: Instant = NOW): PlanPart {
  const first = planProvision(table, policy, now, aServer());
  const second = planProvision(carryOut(table, first.actions), policy, now, aServer());
  expect(spans(second), 'what a second plan would still create').toEqual([]);
  return first;
}
