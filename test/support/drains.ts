/** What a drain of a default partition called `rest` may leave in the database. */
import type { TestDatabase } from './database.ts';

export const leftOfDrains = (database: Pick<TestDatabase, 'query'>) =>
  database.query<{ what: string }>(`
    select relname as what from pg_class where relname ~ '^partkeeper_|^rest_[0-9]' and relkind = 'r'
    union all select proname from pg_proc where proname ~ '^partkeeper_'
    union all select tgname from pg_trigger where tgname ~ '^partkeeper_'
    union all select conname from pg_constraint where conname ~ '^partkeeper_'
    union all select 'drain ' || id from partkeeper.drains`);
