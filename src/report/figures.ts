/** Numbers, lengths of time and moments as people read them, and names that cannot act up on a terminal. */
import type { Window } from '../domain/interval.ts';
import { formatInstant, type KeyType } from '../domain/time.ts';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const rough = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });

/** `21,034`. */
export const formatCount = (count: number): string => whole.format(count);

/** `about 21,000 rows`: an estimate shows no more digits than it is good for. */
export const formatRowsEstimate = (rows: number | undefined): string => {
  if (rows === undefined) return 'an unknown number of rows';
  return rows < 100 ? plural(rows, 'row') : `about ${rough.format(rows)} rows`;
};

/** `1 row`, `2 rows`. */
export const plural = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;

const BYTE_UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `9.1 MB`, in steps of 1024 with the same unit names as `pg_size_pretty`, so that psql shows the same. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${bytes === 1 ? 'byte' : BYTE_UNITS[unit]}`;
}

/** `12 ms`, `1.2 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatElapsed(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const MIDNIGHT = 'T00:00:00Z';

/** `2026-12-01 to 2027-01-01`; with times unless both ends are midnight, and without a zone where the key has none. */
export function formatWindow({ lower, upper }: Window, key: KeyType = 'timestamptz'): string {
  const ends = [formatInstant(lower), formatInstant(upper)];
  if (ends.every(end => end.endsWith(MIDNIGHT))) return ends.map(end => end.slice(0, -MIDNIGHT.length)).join(' to ');
  return ends.map(end => (key === 'timestamptz' ? end : end.slice(0, -1))).join(' to ');
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

// C0 and C1 controls (ESC and CSI among them), the Unicode line ends, and the marks that turn the direction of writing.
const CONTROLS = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * `text` on one line, its control characters spelled out. Whoever may create a table chooses its name, so a name could
 * otherwise forge a line of the log or repaint the terminal.
 */
export const printable = (text: string): string =>
  text.replaceAll(
    CONTROLS,
    character => SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
