/** The static reads of `sql/catalog`, loaded once. */
import { readFileSync } from 'node:fs';

// Two levels up from src/catalog and from dist/catalog alike.
const read = (name: string): string => readFileSync(new URL(`../../sql/catalog/${name}.sql`, import.meta.url), 'utf8');

export const queries = {
  server: read('server'),
  tables: read('tables'),
  partitions: read('partitions'),
  structure: read('structure'),
  drains: read('drains'),
  takenNames: read('taken-names'),
  views: read('views'),
  viewRefreshes: read('view-refreshes'),
  ledger: read('ledger'),
  retirements: read('retirements'),
} as const;
