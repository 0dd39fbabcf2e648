/** What the page shows of a table. */
import { formatBytes, formatCount, plural } from '../report/figures.ts';
import { PARTITION_STATES } from '../report/partition-state.ts';
import type { PartitionStatus, StatusDocument, TableStatus } from '../status/document.ts';
import { type Fragment, type Html, html } from './html.ts';
import { type SegmentState, timelineOf, unplaced } from './timeline.ts';
import { STATE_WORDS, swatch, timelineSvg } from './timeline-svg.ts';
import { msOf, relative, roughly, shortMoment, when } from './words.ts';

/** More rows than these are for programs: /api/status has them all. */
const MAX_ROWS = 1_000;

export const tableCard = (table: TableStatus, { now, readAt }: StatusDocument, index: number): Html => html`
<article class="card" aria-labelledby="table-${index}">
<div class="card-head"><h3 id="table-${index}">${table.name}</h3>${readAt === null ? html`<span class="pill idle">not known yet</span>` : coverage(table, now)}</div>
<p class="policy">${policyText(table)}</p>
${table.problem === null ? known(table, now, index) : html`<p class="problem">${table.problem}</p>`}
</article>`;

const EVERY: { readonly [K in TableStatus['policy']['interval']]: string } = {
  hour: 'hourly',
  day: 'daily',
  week: 'weekly',
  month: 'monthly',
  quarter: 'quarterly',
  year: 'yearly',
};

function policyText({ policy, key }: TableStatus): string {
  const { interval, premake, retention, retire, grace, timezone } = policy;
  const then = retire === 'detach' ? 'detached and kept' : `dropped${grace === null ? '' : ` after ${grace} of grace`}`;
  return [
    `${EVERY[interval]}${key ? ` by ${key.column}` : ''}`,
    `${premake} ahead`,
    retention === 'forever' ? 'kept for ever' : `kept ${retention}, then ${then}`,
    timezone,
  ].join(' · ');
}

function coverage({ coveredUntil, problem, planned }: TableStatus, now: string): Fragment {
  if (problem !== null) return html`<span class="pill bad">not maintained</span>`;
  if (coveredUntil === null) return html`<span class="pill bad">no partition for now</span>`;
  if (coveredUntil === 'unbounded') return html`<span class="pill good">covered without an end</span>`;
  // Less than the policy wants, as the plan shows.
  const mood = planned.length > 0 ? 'fair' : 'good';
  return html`<span class="pill ${mood}">covered until ${shortMoment(coveredUntil)}, ${relative(coveredUntil, now)}</span>`;
}

function known(table: TableStatus, now: string, index: number): Html {
  const timeline = timelineOf(table);
  const largest =
    timeline && timeline.largestBytes > 0 ? `Bars: size, up to ${formatBytes(timeline.largestBytes)}. ` : '';
  return html`
${
  timeline
    ? html`<figure>${timelineSvg(timeline, summary(table))}
<figcaption><span class="legend">${legend(table)}</span> <span class="quiet">${largest}${totals(table)}</span></figcaption></figure>`
    : html`<p class="quiet">It has no partitions yet.</p>`
}
${placeless(table)}
${retiring(table, now)}
${table.partitions.length === 0 ? undefined : partitionList(table, index)}`;
}

const totals = ({ bytes, rows }: TableStatus): string =>
  `${formatBytes(bytes)} in all, about ${formatCount(rows)} rows.`;

const countsOf = (table: TableStatus): ReadonlyMap<SegmentState, number> => {
  const counts = new Map<SegmentState, number>();
  for (const state of PARTITION_STATES)
    counts.set(state, table.partitions.filter(partition => partition.state === state).length);
  counts.set('gap', table.gaps.length);
  counts.set('planned', table.planned.length);
  counts.set('detached', table.retirements.filter(({ state }) => state !== 'restored' && state !== 'intended').length);
  return new Map([...counts].filter(([, count]) => count > 0));
};

const legend = (table: TableStatus): Fragment =>
  [...countsOf(table)]
    .filter(([state]) => state !== 'default' && state !== 'unreadable')
    .map(([state, count]) => html`<span class="key">${swatch(state)} ${count} ${STATE_WORDS[state]}</span> `);

/** For those who do not see the picture. */
const summary = (table: TableStatus): string => {
  const parts = [...countsOf(table)].map(([state, count]) => `${count} ${STATE_WORDS[state]}`);
  const line = table.cutoff === null ? 'kept for ever' : `retention line at ${shortMoment(table.cutoff)}`;
  return `${table.name}, partitions on a line of time: ${parts.join(', ')}; ${line}`;
};

const placeless = (table: TableStatus): Fragment => {
  const rows = unplaced(table);
  return rows.length === 0
    ? undefined
    : html`<ul class="notes">${rows.map(
        ({ name, state, bytes, rows: count }) =>
          html`<li>${swatch(state)} ${
            state === 'default' ? 'Default partition' : 'Not a range of time'
          } <span class="name">${name}</span>: ${rowsText(count)}, ${formatBytes(bytes)}</li>`,
      )}</ul>`;
};

const rowsText = (rows: number | null): string => (rows === null ? 'rows unknown' : `about ${plural(rows, 'row')}`);

const RETIREMENT_WORDS: { readonly [K in TableStatus['retirements'][number]['state']]: string } = {
  intended: 'is about to be retired',
  detached: 'is detached',
  kept: 'is detached and kept',
  restoring: 'is to be attached again, as somebody asked',
  restored: 'was attached again on request, and is left alone until it is released',
  dropped: 'is dropped',
  released: 'is released',
  abandoned: 'is given up',
};

const retiring = ({ retirements }: TableStatus, now: string): Fragment =>
  retirements.length === 0
    ? undefined
    : html`<h4>Retirements under way</h4><ul class="notes">${retirements.map(
        ({ name, state, dropAfter, bytes }) =>
          html`<li>${swatch('detached')} <span class="name">${name}</span> ${
            RETIREMENT_WORDS[state]
          }${bytes === null ? ', and its table is gone' : ` (${formatBytes(bytes)})`}${
            dropAfter === null || bytes === null ? '' : html`, to be dropped after ${when(dropAfter, now)}`
          }</li>`,
      )}</ul><p class="quiet"><code>partkeeper restore</code> attaches a detached partition again.</p>`;

function partitionList(table: TableStatus, index: number): Html {
  const shown = table.partitions.slice(-MAX_ROWS).toReversed();
  const hidden = table.partitions.length - shown.length;
  return html`<details id="partitions-${index}"><summary>${plural(table.partitions.length, 'partition')}, newest first</summary>
<div class="scroll" role="region" tabindex="0" aria-label="Partitions of ${table.name}"><table>
<thead><tr><th scope="col">Partition</th><th scope="col">State</th><th scope="col">From</th><th scope="col">To</th><th scope="col" class="number">Size</th><th scope="col" class="number">Rows</th></tr></thead>
<tbody>${shown.map(partition => partitionRow(partition, table))}</tbody></table></div>
${hidden > 0 ? html`<p class="quiet">${formatCount(hidden)} older ones are in <a href="api/status">/api/status</a>.</p>` : undefined}</details>`;
}

const partitionRow = ({ name, state, from, to, bytes, rows }: PartitionStatus, table: TableStatus): Html =>
  html`<tr><th scope="row" class="name">${name}</th><td>${swatch(state)} ${STATE_WORDS[state]}${
    state === 'expired' ? html` <span class="quiet">by ${overdue(to, table)}</span>` : ''
  }</td><td>${end(from)}</td><td>${end(to)}</td><td class="number">${formatBytes(bytes)}</td><td class="number">${
    rows === null ? '?' : formatCount(rows)
  }</td></tr>`;

const end = (at: string | null): string => (at === null ? '–' : shortMoment(at));

const overdue = (to: string | null, { cutoff }: TableStatus): string =>
  to === null || cutoff === null ? '?' : roughly(Math.max(0, msOf(cutoff) - msOf(to)));
