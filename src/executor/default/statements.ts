/** The reads of `sql/default`, loaded once. */
import { readFileSync } from 'node:fs';

// Three levels up from src/executor/default and from dist/executor/default alike.
const read = (name: string): string =>
  readFileSync(new URL(`../../../sql/default/${name}.sql`, import.meta.url), 'utf8');

export const reads = {
  look: read('look'),
  obstacles: read('obstacles'),
  shape: read('shape'),
} as const;
