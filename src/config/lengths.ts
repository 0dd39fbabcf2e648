/** Lengths of time that are ours to keep, not PostgreSQL's; and how every length is printed. */
import { type Parsed, parseTimeout } from '../domain/duration.ts';

const refuse = (problem: string): { readonly ok: false; readonly problem: string } => ({ ok: false, problem });

const isZero = (text: string): boolean => /^\s*0+\s*[a-z]/i.test(text);

// The queue gives no job more than 24 hours, and takes it away only after the run has had time to end itself.
export const LONGEST_RUN_MS = 23 * 3_600_000;

/** `1 hour`, in milliseconds. */
export function parseRunTimeout(text: string): Parsed<number> {
  if (isZero(text)) return refuse("is zero, and a run needs time: write '1 hour'");
  const parsed = parseTimeout(text);
  return parsed.ok && parsed.value > LONGEST_RUN_MS
    ? refuse('is longer than the queue lets a run take: use 23 hours or less')
    : parsed;
}

const NONE = 'none';

/** `30s`, in milliseconds, or `none`. */
export function parseJitter(text: string): Parsed<number> {
  if (text.trim().toLowerCase() === NONE) return { ok: true, value: 0 };
  return isZero(text) ? refuse(`is zero: write '${NONE}'`) : parseTimeout(text);
}

export const formatJitter = (milliseconds: number): string => (milliseconds === 0 ? NONE : formatLength(milliseconds));

const UNITS = [
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** Exact, in the largest unit that has it as a whole number. */
export function formatLength(milliseconds: number): string {
  const [unit, factor] = UNITS.find(([, size]) => milliseconds % size === 0) ?? ['ms', 1];
  return `${milliseconds / factor}${unit}`;
}
