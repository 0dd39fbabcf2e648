/** The plan as people read it, and the findings: those of the plan, and those that only a run could make. Pure. */
import { type Finding, SEVERITIES } from '../domain/findings.ts';
import { JOB_OF, type Plan, SKIP_REASONS, type Skip } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { statementsOf } from '../executor/execute.ts';
import { explainAction } from '../report/explain.ts';
import type { FindingStatus, PlanStatus } from './document.ts';
import { momentText, plain } from './text.ts';

export const planStatus = ({ now, actions, skips }: Plan): PlanStatus => ({
  at: momentText(now),
  actions: actions.map(action => {
    const { headline, why } = explainAction(action);
    return {
      job: JOB_OF[action.kind],
      target: formatRelationName(action.target),
      relation: formatRelationName(action.relation),
      kind: action.kind,
      headline: plain(headline),
      why: plain(why),
      sql: statementsOf(action).map(plain),
    };
  }),
  leftAlone: [...Map.groupBy(skips, kindOf).values()].flatMap(alike =>
    alike[0] === undefined ? [] : [leftAlone(alike[0], alike.length)],
  ),
});

const kindOf = ({ job, target, reason }: Skip): string => JSON.stringify([job, formatRelationName(target), reason]);

const leftAlone = ({ job, target, reason, detail }: Skip, count: number): PlanStatus['leftAlone'][number] => ({
  job,
  target: formatRelationName(target),
  reason,
  // Of several, the figures behind the first would mislead.
  explanation: plain(
    count > 1 || detail === undefined ? SKIP_REASONS[reason] : `${SKIP_REASONS[reason].slice(0, -1)} (${detail}).`,
  ),
  count,
});

/** The worst first. What the facts show now is told rather than what a run has found before. */
export function findingStatuses(planned: readonly Finding[], found: readonly Finding[]): readonly FindingStatus[] {
  const seen = new Set(planned.map(faultOf));
  return [...planned, ...found.filter(finding => !seen.has(faultOf(finding)))]
    .toSorted((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity))
    .map(({ severity, code, target, message, hint }) => ({
      severity,
      code,
      target: formatRelationName(target),
      message: plain(message),
      hint: plain(hint),
    }));
}

const faultOf = ({ target, code }: Finding): string => JSON.stringify([target.schema, target.name, code]);
