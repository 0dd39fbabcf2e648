/** The line as a picture: bars for sizes, a strip of partitions, the retention line, now, and an axis. */
import { formatBytes } from '../report/figures.ts';
import { type Fragment, type Html, html } from './html.ts';
import type { Segment, SegmentState, Timeline } from './timeline.ts';
import { shortMoment } from './words.ts';

/** How each state is called in a legend; each has a pattern of its own, so that colour alone tells nothing. */
export const STATE_WORDS: { readonly [K in SegmentState]: string } = {
  expired: 'expired',
  past: 'past',
  current: 'current',
  future: 'future',
  planned: 'to be created',
  gap: 'gap',
  detach_pending: 'detach pending',
  detached: 'detached',
  default: 'default',
  unreadable: 'unreadable bound',
};

// Heights in CSS pixels, from the top: two lines of words, the bars, the strip, the axis.
const BARS_TOP = 32;
const STRIP_TOP = 76;
const STRIP_HEIGHT = 26;
const HEIGHT = 126;

/** Patterns that every picture of the page refers to. */
export const patterns: Html = html`<svg class="patterns" width="0" height="0" aria-hidden="true" focusable="false"><defs>
<pattern id="p-expired" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" class="ground expired"/><rect width="3" height="7" class="ink expired"/></pattern>
<pattern id="p-gap" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" class="ground gap"/><path d="M0 0L8 8M8 0L0 8" class="line gap"/></pattern>
<pattern id="p-detach_pending" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" class="ground pending"/><rect width="3" height="6" class="ink pending"/></pattern>
<pattern id="p-detached" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" class="ground pending"/><circle cx="3" cy="3" r="1.4" class="ink pending"/></pattern>
</defs></svg>`;

export const timelineSvg = (timeline: Timeline, summary: string): Html => {
  const { segments, ticks, now, cutoff } = timeline;
  return html`<svg class="timeline" width="100%" height="${HEIGHT}" role="img" aria-label="${summary}">
<line class="base" x1="0" x2="100%" y1="${STRIP_TOP - 2.5}" y2="${STRIP_TOP - 2.5}"/>
${segments.map(bar)}
${segments.map(strip)}
${ticks.map(
  (tick, index) =>
    html`<g class="tick${index % 2 === 1 ? ' odd' : ''}"><line x1="${percent(tick.at)}" x2="${percent(tick.at)}" y1="${STRIP_TOP + STRIP_HEIGHT}" y2="${STRIP_TOP + STRIP_HEIGHT + 5}"/><text x="${percent(tick.at)}" y="${HEIGHT - 4}" text-anchor="${anchor(tick.at)}">${tick.label}</text></g>`,
)}
${cutoff === undefined ? undefined : retentionLine(cutoff)}
${marker('now', now, 'now', 11)}
</svg>`;
};

const percent = (at: number): string => `${at.toFixed(3)}%`;

/** Words near an end are written towards the middle. */
const anchor = (at: number): string => {
  if (at < 6) return 'start';
  return at > 94 ? 'end' : 'middle';
};

const retentionLine = (at: number): Html =>
  at < 0
    ? html`<text class="marker cutoff" x="0.2%" y="26" text-anchor="start">← retention line</text>`
    : marker('cutoff', at, 'retention line', 26);

const marker = (kind: string, at: number, word: string, y: number): Html =>
  html`<g class="marker ${kind}"><line x1="${percent(at)}" x2="${percent(at)}" y1="${y + 4}" y2="${STRIP_TOP + STRIP_HEIGHT + 3}"/><text x="${percent(at)}" y="${y}" text-anchor="${anchor(at)}">${word}</text></g>`;

const bar = ({ x, width, height }: Segment): Fragment => {
  if (height === 0) return undefined;
  const tall = Math.max(1, height * (STRIP_TOP - 3 - BARS_TOP));
  return html`<rect class="bar" x="${percent(x)}" width="${percent(Math.max(0.1, width))}" y="${(STRIP_TOP - 3 - tall).toFixed(1)}" height="${tall.toFixed(1)}"/>`;
};

const strip = (segment: Segment): Html =>
  html`<rect class="part ${segment.state}" x="${percent(segment.x)}" width="${percent(Math.max(0.1, segment.width))}" y="${STRIP_TOP}" height="${STRIP_HEIGHT}"><title>${tooltip(segment)}</title></rect>`;

const tooltip = ({ label, state, from, to, bytes }: Segment): string =>
  [
    `${label} (${STATE_WORDS[state]})`,
    `${from === null ? 'without a beginning' : shortMoment(from)} to ${to === null ? 'without an end' : shortMoment(to)}`,
    ...(bytes > 0 ? [formatBytes(bytes)] : []),
  ].join(', ');

/** A sample of a state, for a legend. */
export const swatch = (state: SegmentState): Html =>
  html`<svg class="swatch" width="18" height="12" aria-hidden="true" focusable="false"><rect class="part ${state}" x="1" y="1" width="16" height="10"/></svg>`;
