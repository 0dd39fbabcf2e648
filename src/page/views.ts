/** What the page shows of the materialized views, and of the jobs. */
import { formatBytes } from '../report/figures.ts';
import type { JobStatus, StatusDocument, ViewStatus } from '../status/document.ts';
import { type Fragment, type Html, html } from './html.ts';
import { elapsed, when } from './words.ts';

type Mood = 'good' | 'fair' | 'bad' | 'idle';

const FRESHNESS: { readonly [K in ViewStatus['freshness']]: readonly [Mood, string] } = {
  fresh: ['good', 'fresh'],
  unchanged: ['good', 'fresh, nothing changed'],
  due: ['fair', 'due'],
  overdue: ['bad', 'overdue'],
  unscheduled: ['idle', 'when asked for'],
  blocked: ['bad', 'cannot be refreshed'],
  missing: ['bad', 'missing'],
  unknown: ['idle', 'not known yet'],
};

export const viewItem = (view: ViewStatus, { now }: StatusDocument): Html => {
  const [mood, word] = FRESHNESS[view.freshness];
  return html`<li class="row"><div class="row-head"><h3>${view.name}</h3> <span class="pill ${mood}">${word}</span></div>
<dl>${pair('Last refresh', view.refreshedAt ? when(view.refreshedAt, now) : 'none on record')}
${view.dueSince ? pair('Was due', when(view.dueSince, now)) : undefined}
${view.next ? pair('Next', when(view.next, now)) : undefined}
${view.schedule ? pair('Schedule', scheduleText(view.schedule)) : undefined}
${view.bytes > 0 ? pair('Size', formatBytes(view.bytes)) : undefined}</dl>
${view.freshness === 'fresh' ? undefined : html`<p class="quiet">${view.why}</p>`}</li>`;
};

const pair = (term: string, value: Fragment): Html => html`<div><dt>${term}</dt><dd>${value}</dd></div>`;

const scheduleText = ({ pattern, timezone }: NonNullable<JobStatus['schedule']>): Html =>
  html`<code>${pattern}</code> ${timezone}`;

const OUTCOMES: { readonly [K in NonNullable<JobStatus['lastOutcome']>]: readonly [Mood, string] } = {
  success: ['good', 'success'],
  partial: ['fair', 'partly failed'],
  failure: ['bad', 'failed'],
  canceled: ['idle', 'stopped on request'],
  skipped: ['idle', 'left out'],
  interrupted: ['fair', 'interrupted'],
};

export const jobItem = (job: JobStatus, { now }: StatusDocument): Html => html`<li class="row">
<div class="row-head"><h3>${job.job} <span class="of">${job.target}</span></h3> ${stateOf(job)}</div>
<dl>${pair('Last run', job.lastFinished ? html`${when(job.lastFinished, now)}${elapsed(job.lastDurationMs)}` : 'none yet')}
${job.lastFinished && job.lastSuccess !== job.lastFinished ? pair('Last success', job.lastSuccess ? when(job.lastSuccess, now) : 'none on record') : undefined}
${pair('Next', job.next ? when(job.next, now) : 'when asked for')}
${job.schedule ? pair('Schedule', scheduleText(job.schedule)) : undefined}</dl>
${job.error ? html`<p class="problem">${job.error.message} <span class="code">[${job.error.code}]</span> ${job.error.hint}</p>` : undefined}
${
  job.paused
    ? html`<p class="quiet">Paused${job.paused.by ? ` by ${job.paused.by}` : ''}${
        job.paused.since ? html` since ${when(job.paused.since, now)}` : ''
      }${job.paused.reason ? `: ${job.paused.reason}` : ''}</p>`
    : undefined
}</li>`;

function stateOf({ lastOutcome, runningSince, paused, consecutiveFailures }: JobStatus): Fragment {
  const [mood, word] = lastOutcome ? OUTCOMES[lastOutcome] : (['idle', 'has not run yet'] as const);
  const times = consecutiveFailures > 1 ? `, ${consecutiveFailures} in a row` : '';
  return [
    runningSince ? html`<span class="pill fair">running</span> ` : undefined,
    paused ? html`<span class="pill fair">paused</span> ` : undefined,
    html`<span class="pill ${mood}">${word}${times}</span>`,
  ];
}
