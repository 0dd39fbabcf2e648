/** The reads of `sql/default`, loaded once. */
import { readFileSync } from 'node:fs';

// Three levels up from src/executor/default and from dist/executor/default alike.
const read = (name: string): string =>
  readFileSync(new URL(`../../../sql/default/${name}.sql`, import.meta.url), 'utf8');

export const reads = {
  look: read('look'),
  obstacles: read('obstacles'),
  shape: read('shape'),
  keyColumns: read('key-columns'),
  siblings: read('siblings'),
  structure: read('structure'),
  older: read('older'),
} as const;

/** What is read from and written to `partkeeper.drains`: as ourselves, not as the owner of the table. */
export const drains = {
  begin: read('begin-drain'),
  made: read('made-drain'),
  advance: read('advance-drain'),
  forget: read('forget-drain'),
  read: read('read-drain'),
} as const;
