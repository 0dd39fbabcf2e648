/** Words and moments as the document has them. */
import { formatInstant, type Instant, type KeyType } from '../domain/time.ts';
import { printable } from '../report/figures.ts';
import { redact } from '../report/redact.ts';

/** What others may have written, fit to be shown: passwords masked, on one line. */
export const plain = (text: string): string => redact(printable(text.trim()));

/** A moment of a clock, with no more digits than anybody reads. */
export const momentText = (at: Instant): string => formatInstant(at.round('millisecond'));

export const orNull = (at: Instant | undefined): string | null => (at === undefined ? null : momentText(at));

/** Key time as its bounds are written: a wall clock reading has no zone. */
export const keyText = (at: Instant, key: KeyType): string => {
  const text = formatInstant(at);
  return key === 'timestamptz' ? text : text.slice(0, -1);
};
