/**
 * The closed sets that labels take their values from; where a metric has one of its own, it is in its entry of the table. Labels that
 * are not here (target, code) name things.
 */

import { SEVERITIES } from '../domain/findings.ts';
import { LOG_LEVELS } from '../domain/logging.ts';
import { JOB_NAMES } from '../domain/plan.ts';
import { COLLECTORS, OUTCOMES, REJECTIONS, TRIGGERS } from './events.ts';
import { PARTITION_STATES } from './partition-state.ts';

export const LABEL_VALUES = {
  operation: JOB_NAMES,
  trigger: TRIGGERS,
  outcome: OUTCOMES,
  state: PARTITION_STATES,
  severity: SEVERITIES,
  kind: ['table', 'view'],
  /** What was done to a partition. */
  action: ['create', 'detach', 'finalize', 'drop', 'restore'],
  /** Why an attempt was repeated. */
  reason: ['lock_timeout', 'deadlock', 'other'],
  rejection: REJECTIONS,
  collector: COLLECTORS,
  /** Those whose standstill makes /livez fail. */
  loop: ['inventory', 'schedule'],
  level: LOG_LEVELS,
} as const satisfies Readonly<Record<string, readonly string[]>>;

type LabelValues = typeof LABEL_VALUES;

/** What a label can be: one of its values where they are a closed set. */
export type LabelValue<Label extends string> = Label extends keyof LabelValues ? LabelValues[Label][number] : string;
