/** What the page shows of findings, of the plan, and of what was done last. */
import { formatBytes, formatCount, plural } from '../report/figures.ts';
import type { FindingStatus, PlanStatus, RecentAction, StatusDocument } from '../status/document.ts';
import { type Fragment, type Html, html } from './html.ts';
import { elapsed, when } from './words.ts';

const MOODS: { readonly [K in FindingStatus['severity']]: string } = { info: 'idle', warning: 'fair', error: 'bad' };

export const findingItem = ({
  severity,
  code,
  target,
  message,
  hint,
}: FindingStatus): Html => html`<li class="finding ${severity}">
<p><span class="pill ${MOODS[severity]}">${severity}</span> <strong class="name">${target}</strong> <span class="code">${code}</span></p>
<p>${prose(sentence(message))}</p><p class="hint"><span class="label">What to do:</span> ${prose(sentence(hint))}</p></li>`;

/** Commands stand between backticks. */
const prose = (text: string): Fragment =>
  text.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));

const sentence = (text: string): string => {
  const whole = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
  // A name at the beginning stays as it is spelled.
  const shown = /^[a-z_]+\./.test(text) ? text : whole;
  return /[.!?:]$/.test(shown) ? shown : `${shown}.`;
};

/** So many planned actions are shown at once; the others are folded away. */
const SHOWN_ACTIONS = 6;
/** More than these are for `/api/status`. */
const MAX_ACTIONS = 100;

export function planSection(plan: PlanStatus | null, { now }: StatusDocument): Html {
  if (plan === null) return html`<p class="quiet">Nothing can be planned before the database has been looked at.</p>`;
  const items = plan.actions.slice(0, MAX_ACTIONS).map(plannedItem);
  const folded = items.slice(SHOWN_ACTIONS);
  const hidden = plan.actions.length - items.length;
  return html`<p class="quiet">As <code>partkeeper plan</code> would say on the facts of ${when(plan.at, now)}.</p>
${items.length === 0 ? html`<p>Nothing to do.</p>` : html`<ol class="plan">${items.slice(0, SHOWN_ACTIONS)}</ol>`}
${folded.length === 0 ? undefined : html`<details id="more-planned"><summary>${plural(folded.length, 'action')} more</summary><ol class="plan" start="${SHOWN_ACTIONS + 1}">${folded}</ol></details>`}
${hidden > 0 ? html`<p class="quiet">${formatCount(hidden)} more in <a href="api/status">/api/status</a>.</p>` : undefined}
${plan.leftAlone.length === 0 ? undefined : leftAlone(plan.leftAlone)}`;
}

const plannedItem = ({ job, headline, why, sql }: PlanStatus['actions'][number], index: number): Html =>
  html`<li class="action"><p><span class="of">${job}</span> <strong>${headline}</strong></p>
<p class="quiet">because ${why}</p>${sql.length === 0 ? undefined : statements(sql, index)}</li>`;

const statements = (sql: readonly string[], index: number): Html =>
  html`<details id="sql-${index}"><summary>${plural(sql.length, 'statement')}</summary><pre tabindex="0">${sql.map(text => html`${text};\n`)}</pre></details>`;

const leftAlone = (entries: PlanStatus['leftAlone']): Html => {
  const total = entries.reduce((sum, { count }) => sum + count, 0);
  return html`<details id="left-alone"><summary>${formatCount(total)} left alone, and why</summary><ul class="notes">${entries.map(
    ({ job, target, explanation, count }) =>
      html`<li><span class="of">${job}</span> <span class="name">${target}</span>: ${count > 1 ? `${formatCount(count)} × ` : ''}${explanation}</li>`,
  )}</ul></details>`;
};

const OUTCOME_MOODS: Readonly<Record<string, string>> = {
  done: 'good',
  'already-done': 'good',
  failed: 'bad',
  deferred: 'fair',
  abandoned: 'fair',
};

export const actionItem = (action: RecentAction, { now }: StatusDocument): Html => html`<li class="row">
<div class="row-head"><h3><span class="kind">${action.kind.replaceAll('-', ' ')}</span> <span class="of">${action.relation}</span></h3> <span class="pill ${OUTCOME_MOODS[action.outcome] ?? 'idle'}">${action.outcome.replaceAll('-', ' ')}</span></div>
<p class="quiet">${when(action.at, now)}${elapsed(action.durationMs)}${figures(action)}; ${action.why}</p>
${action.error === null ? undefined : html`<p class="problem">${action.error}</p>`}</li>`;

const figures = ({ rows, bytes }: RecentAction): Fragment => [
  rows === null ? undefined : `, ${plural(rows, 'row')}`,
  bytes === null ? undefined : `, ${formatBytes(bytes)}`,
];
