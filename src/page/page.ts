/** The page: a document → HTML that needs no script. The script only fetches it again. */
import { formatCount, plural } from '../report/figures.ts';
import type { StatusDocument } from '../status/document.ts';
import { type Fragment, type Html, html } from './html.ts';
import { actionItem, findingItem, planSection } from './lists.ts';
import { tableCard } from './tables.ts';
import { patterns } from './timeline-svg.ts';
import { jobItem, viewItem } from './views.ts';
import { roughly, when } from './words.ts';

/** After so long without a look, what is shown is called old; the service looks every half minute. */
const OLD_AFTER_SECONDS = 120;

/** The others are folded away. */
const SHOWN_ACTIONS = 6;

export const statusPage = (status: StatusDocument): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title(status)}</title>
<link rel="icon" href="assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="assets/page.css">
<script src="assets/page.js" defer></script>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<p id="lost" class="banner bad" role="status" hidden>The service does not answer; what is shown may be out of date.</p>
<div id="status">
${head(status)}
<main id="main" tabindex="-1">
${section('findings', 'Findings', status.findings.length, status.findings.length === 0 ? html`<p class="quiet">${status.readAt === null ? 'Nothing has been looked at yet.' : 'Nothing is wrong.'}</p>` : html`<ul class="findings">${status.findings.map(findingItem)}</ul>`)}
${section(
  'tables',
  'Tables',
  status.tables.length,
  status.tables.map((table, index) => tableCard(table, status, index)),
)}
${section(
  'views',
  'Materialized views',
  status.views.length,
  list(
    status.views.map(view => viewItem(view, status)),
    'None is configured.',
  ),
)}
${section('plan', 'Plan', status.plan?.actions.length ?? 0, planSection(status.plan, status))}
${section(
  'jobs',
  'Jobs',
  status.jobs.length,
  list(
    status.jobs.map(job => jobItem(job, status)),
    'None is configured.',
  ),
)}
${section('recent', 'Recent actions', status.recent.actions.length, recent(status))}
</main>
</div>
<footer><p>Read-only · <a href="api/status">/api/status</a> · <a href="metrics">/metrics</a> <button type="button" id="pause" hidden>Pause updates</button></p></footer>
</body>
</html>
`.markup;

const title = ({ ready, findings }: StatusDocument): string => {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (!ready) return 'not ready – partkeeper';
  return errors > 0 ? `${plural(errors, 'error')} – partkeeper` : 'partkeeper';
};

const head = (status: StatusDocument): Html => html`${patterns}<header>
<div class="brand"><h1>partkeeper <span class="version">${status.version}</span></h1> ${status.ready ? html`<span class="pill good">ready</span>` : html`<span class="pill bad">not ready</span>`}</div>
<p class="facts">${facts(status)}</p>
${status.notReadyBecause === null ? undefined : html`<p class="banner bad">Not ready: ${status.notReadyBecause}</p>`}
${age(status)}
<nav aria-label="Sections"><ul>
${link('findings', 'Findings', status.findings.length, worst(status))}${link('tables', 'Tables', status.tables.length)}${link('views', 'Views', status.views.length)}${link('plan', 'Planned', status.plan?.actions.length ?? 0)}${link('jobs', 'Jobs', status.jobs.length)}${link('recent', 'Recent', status.recent.actions.length)}
</ul></nav>
</header>`;

const facts = ({ database, readAt, now }: StatusDocument): Fragment => [
  database
    ? html`<span>database <strong>${database.name}</strong> on PostgreSQL ${database.version}, as ${database.user}</span> `
    : html`<span>database not reached yet</span> `,
  readAt === null ? undefined : html`<span>read ${when(readAt, now)}</span> `,
  html`<span>all times in UTC</span>`,
];

function age({ ageSeconds, notReadBecause, notReadyBecause }: StatusDocument): Fragment {
  if (ageSeconds === null || (ageSeconds < OLD_AFTER_SECONDS && notReadBecause === null)) return undefined;
  const why = notReadBecause === null || notReadBecause === notReadyBecause ? '' : `: ${notReadBecause}`;
  const what =
    notReadBecause === null ? 'no newer look at the database has ended' : 'a newer look at the database failed';
  return html`<p class="banner fair">What is shown is ${roughly(ageSeconds * 1000)} old, because ${what}${why}</p>`;
}

const worst = ({ findings }: StatusDocument): string => {
  if (findings.some(({ severity }) => severity === 'error')) return 'bad';
  return findings.some(({ severity }) => severity === 'warning') ? 'fair' : 'plain';
};

const link = (id: string, word: string, count: number, mood = 'plain'): Html =>
  html`<li><a href="#${id}" class="${mood}"><span class="count">${formatCount(count)}</span> ${word}</a></li>`;

const section = (id: string, word: string, count: number, content: Fragment): Html =>
  html`<section id="${id}" aria-labelledby="h-${id}"><h2 id="h-${id}">${word} <span class="count">${formatCount(count)}</span></h2>${content}</section>`;

const list = (items: readonly Html[], none: string): Html =>
  items.length === 0 ? html`<p class="quiet">${none}</p>` : html`<ul class="rows">${items}</ul>`;

const recent = (status: StatusDocument): Html => {
  const { source, readAt, actions } = status.recent;
  const from =
    source === 'ledger' && readAt !== null
      ? html`From the ledger, as of ${when(readAt, status.now)}.`
      : html`Of this process since it started; the ledger has not been read.`;
  return html`<p class="quiet">${from} <code>partkeeper history --actions</code> shows more.</p>${list(
    actions.slice(0, SHOWN_ACTIONS).map(action => actionItem(action, status)),
    'Nothing was done yet.',
  )}${
    actions.length > SHOWN_ACTIONS
      ? html`<details id="earlier"><summary>${plural(actions.length - SHOWN_ACTIONS, 'earlier action')}</summary>${list(
          actions.slice(SHOWN_ACTIONS).map(action => actionItem(action, status)),
          '',
        )}</details>`
      : undefined
  }`;
};
