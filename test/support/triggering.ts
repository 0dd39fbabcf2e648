/** A service with nothing to do, which is asked to do something. */
import type { PgBoss } from 'pg-boss';
import { waitUntil } from './client.ts';
import { type Daemon, daemonTest } from './daemon.ts';
import type { TestDatabase } from './database.ts';
import { GATED_VIEWS } from './gate.ts';
import { anotherService } from './queue.ts';

export const triggerTest = daemonTest
  .extend('template', 'queue')
  .extend('views', { auto: true }, async ({ database }) => void (await database.query(GATED_VIEWS)))
  .extend('boss', async ({ database }, { onCleanup }): Promise<PgBoss> => {
    const boss = await anotherService(database.url);
    onCleanup(() => boss.stop({ graceful: false }));
    return boss;
  });

/** Starts it and waits until everything that was due at the start is done. */
export async function settled(start: () => Promise<Daemon>, database: TestDatabase, views: number): Promise<Daemon> {
  const daemon = await start();
  await daemon.ready(200);
  // Two tables of the ledger with two jobs each, and the views.
  await untilRuns(database, `trigger = 'schedule' and outcome is not null`, 4 + views);
  return daemon;
}

export const untilRuns = (database: TestDatabase, condition: string, count: number) =>
  waitUntil(
    async () => {
      const [row] = await database.query<{ n: number }>(
        `select count(distinct run_id)::int as n from partkeeper.runs where ${condition}`,
      );
      return (row?.n ?? 0) >= count;
    },
    { deadlineMs: 60_000, what: `${count} runs where ${condition}` },
  );

export const jobOf = async (database: TestDatabase, id: string) =>
  (await database.query('select state::text, output from partkeeper_queue.job where id = $1', [id]))[0];

export const untilOver = (database: TestDatabase, id: string) =>
  waitUntil(
    async () => {
      const job = await jobOf(database, id);
      return ['completed', 'failed', 'cancelled'].includes(job?.state) && job;
    },
    { deadlineMs: 60_000, what: `job ${id} to be over` },
  );

export const idIn = (stdout: string): string => /run (?<id>[0-9a-f-]{36})/.exec(stdout)?.groups?.id ?? 'none';
