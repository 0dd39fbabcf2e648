/** Moments and lengths of time as the page writes them. Pure: the present is in the document. */
import { formatElapsed } from '../report/figures.ts';
import { type Html, html } from './html.ts';

/** `2026-11-21 06:00`; a moment is shown in UTC, as the page says once at its top. */
export const shortMoment = (iso: string): string => {
  const [date = '', time = ''] = iso.replace(/Z$/, '').split('T');
  return /^00:00(:00)?$/.test(time) ? date : `${date} ${time.slice(0, 5)}`;
};

/** Milliseconds since 1970 of a moment, or of a wall clock reading as a clock in UTC would show it. */
export const msOf = (iso: string): number => Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(iso) ? iso : `${iso}Z`);

/** `in 3 min`, `2 h ago`, `now`. */
export function relative(iso: string, now: string): string {
  const ms = msOf(iso) - msOf(now);
  if (Math.abs(ms) < 1_000) return 'now';
  return ms > 0 ? `in ${roughly(ms)}` : `${roughly(-ms)} ago`;
}

const DAY_MS = 86_400_000;

/** No more digits than such a length is good for. */
export function roughly(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 2 * DAY_MS) return `${Math.round(ms / 3_600_000)} h`;
  const days = Math.round(ms / DAY_MS);
  return days < 731 ? `${days} days` : `${Math.round(days / 365.25)} years`;
}

/** The moment, and how far it is from now: `2026-11-21 06:00, 2 h ago`. */
export const when = (iso: string, now: string): Html =>
  html`<time datetime="${iso}">${shortMoment(iso)}</time>, <span class="relative">${relative(iso, now)}</span>`;

export const elapsed = (ms: number | null): string => (ms === null ? '' : `, took ${formatElapsed(ms)}`);
