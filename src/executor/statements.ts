/** The reads of `sql/executor`, loaded once. */
import { readFileSync } from 'node:fs';

const read = (name: string): string => readFileSync(new URL(`../../sql/executor/${name}.sql`, import.meta.url), 'utf8');

export const statements = {
  blockers: read('blockers'),
  giveWay: read('give-way'),
  evidence: read('evidence'),
  dependents: read('dependents'),
  involved: read('involved'),
} as const;
