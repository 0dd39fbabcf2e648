/** The queue in a test database, and another service's own view of it. */
import { PgBoss } from 'pg-boss';
import type { JobName } from '../../src/domain/plan.ts';
import { statements } from '../../src/ledger/statements.ts';
import { PRIORITY } from '../../src/queue/payload.ts';
import type { TestDatabase } from './database.ts';
import { roleTest } from './roles.ts';

/** What a service with this configuration writes down when it starts. */
export const configure = (database: Pick<TestDatabase, 'query'>, targets: readonly (readonly [JobName, string])[]) =>
  database.query(statements.knowTargets, [
    JSON.stringify(targets.map(([job, target]) => ({ job, target, priority: PRIORITY[job] }))),
    'test',
  ]);

export const jobsInQueue = (database: Pick<TestDatabase, 'query'>, schema = 'partkeeper_queue') =>
  database.query<{ id: string; state: string; singleton_key: string; data: object }>(
    `select id, state::text, singleton_key, data from ${schema}.job where name = 'partkeeper' order by created_on, id`,
  );

/** Another service that uses pg-boss in the same schema, and changes nothing there. The caller stops it. */
export async function anotherService(url: string, schema = 'partkeeper_queue'): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: url, schema, migrate: false, supervise: false, schedule: false });
  boss.on('error', () => {});
  return boss.start();
}

/** `boss()` is {@link anotherService}, stopped at the end. */
export const queueTest = roleTest.extend('template', 'queue').extend('boss', ({ database }, { onCleanup }) => {
  const opened: PgBoss[] = [];
  onCleanup(async () => {
    await Promise.all(opened.map(boss => boss.stop({ graceful: false })));
  });
  return async (schema?: string): Promise<PgBoss> => {
    const boss = await anotherService(database.url, schema);
    opened.push(boss);
    return boss;
  };
});
