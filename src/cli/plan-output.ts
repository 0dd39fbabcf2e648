/** A plan as text for people and as JSON for programs. */

import { type Finding, hasErrors } from '../domain/findings.ts';
import { type Action, JOB_OF, type Plan, type Skip } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { formatInstant } from '../domain/time.ts';
import { statementsOf } from '../executor/execute.ts';
import { explainAction, explainFinding, explainSkip } from '../report/explain.ts';
import { plural, printable } from '../report/figures.ts';

export interface PlanDocument {
  readonly now: string;
  readonly actions: readonly {
    readonly job: string;
    readonly target: string;
    readonly kind: string;
    readonly relation: string;
    /** The rule and its figures; moments as ISO 8601 text. */
    readonly because: Action['because'];
    readonly why: string;
    readonly sql: readonly string[];
  }[];
  readonly skips: readonly {
    readonly job: string;
    readonly target: string;
    readonly relation: string;
    readonly reason: string;
    readonly detail?: string | undefined;
  }[];
  readonly findings: readonly FindingDocument[];
}

export interface FindingDocument {
  readonly target: string;
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly hint: string;
}

export const planDocument = ({ now, actions, skips, findings }: Plan): PlanDocument => ({
  now: formatInstant(now),
  actions: actions.map(action => ({
    job: JOB_OF[action.kind],
    target: formatRelationName(action.target),
    kind: action.kind,
    relation: formatRelationName(action.relation),
    because: action.because,
    why: explainAction(action).why,
    sql: statementsOf(action),
  })),
  skips: skips.map(skipDocument),
  findings: findings.map(findingDocument),
});

export const skipDocument = ({ job, target, relation, reason, detail }: Skip): PlanDocument['skips'][number] => ({
  job,
  target: formatRelationName(target),
  relation: formatRelationName(relation),
  reason,
  detail,
});

export const findingDocument = ({ target, code, severity, message, hint }: Finding): FindingDocument => ({
  target: formatRelationName(target),
  code,
  severity,
  message,
  hint,
});

/** `isAskedFor`: somebody asked for that moment, and it is not what a clock says. */
export function planText({ now, actions, skips, findings }: Plan, isAskedFor: boolean): string {
  const none = hasErrors({ findings }) ? 'nothing will be done' : 'nothing to do';
  const count = actions.length === 0 ? none : plural(actions.length, 'action');
  const lines = [`At ${formatInstant(now)}, ${isAskedFor ? 'as asked' : "on the database's clock"}: ${count}.`];
  for (const action of actions) {
    const { headline, why } = explainAction(action);
    lines.push('', `+ ${headline}`, `  because ${why}`);
    for (const sql of statementsOf(action)) lines.push(`    ${printable(sql)};`);
  }
  if (skips.length > 0)
    lines.push('', `Left alone (${skips.length}):`, ...skips.map(skip => `  ${skip.job}: ${explainSkip(skip)}`));
  if (findings.length > 0) lines.push('', ...findingLines(findings));
  return lines.join('\n');
}

const MARK: { readonly [K in Finding['severity']]: string } = { info: 'info   ', warning: 'warning', error: 'error  ' };

export const findingLines = (findings: readonly Finding[]): readonly string[] => [
  `Findings (${findings.length}):`,
  ...findings.map(finding => `  ${MARK[finding.severity]} ${finding.code}  ${explainFinding(finding)}`),
];
