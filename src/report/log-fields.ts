/** What the lines of the log carry besides their message: the same words for the same thing in every line. */
import type { MaintenanceError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { Action, Because } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import type { RunIdentity } from './events.ts';
import { explainAction, explainFinding } from './explain.ts';

export const runFields = ({ job, target, runId, trigger }: RunIdentity) => ({
  job,
  target: formatRelationName(target),
  run: runId,
  trigger,
});

export const actionFields = (run: RunIdentity, action: Action) => ({
  ...runFields(run),
  action: action.kind,
  relation: formatRelationName(action.relation),
  because: becauseFields(action.because),
});

const becauseFields = (because: Because) =>
  because.rule === 'reads-refreshed' ? { ...because, view: formatRelationName(because.view) } : because;

export const errorFields = (error: MaintenanceError) => ({
  code: error.code,
  sqlstate: error.sqlstate,
  hint: error.hint,
  error: error.message,
  // Where an unforeseen error came from; of the others, code and message say it.
  ...(error.code === 'UNEXPECTED' ? { err: error } : {}),
});

export const findingFields = (run: ReturnType<typeof runFields>, finding: Finding) => ({
  ...run,
  target: formatRelationName(finding.target),
  code: finding.code,
  severity: finding.severity,
  hint: finding.hint,
  text: explainFinding(finding),
});

export const sentenceOf = (action: Action): string => {
  const { headline, why } = explainAction(action);
  return `${headline}; ${why}`;
};
