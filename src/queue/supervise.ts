/**
 * Notices jobs whose worker died. pg-boss can do so by itself, at nineteen statements a look; one of ours says first whether
 * there is anything to see, so that an idle database is left in peace.
 */
import type { PgBoss } from 'pg-boss';
import { ddl } from '../postgres/ddl.ts';
import type { Runner } from '../run-job.ts';
import { QUEUE } from './boss.ts';

export interface SuperviseOptions {
  readonly boss: PgBoss;
  readonly runner: Runner;
  readonly schema: string;
  readonly stopping: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** With a heartbeat of 10 s, a dead worker's job is free again after 15 s at most. */
const LOOK_EVERY_MS = 4_000;
/** pg-boss also deletes what is old, which is in no hurry. */
const MAINTAIN_EVERY_MS = 600_000;

export async function superviseUntilStopped({
  boss,
  runner,
  schema,
  stopping,
  onError,
}: SuperviseOptions): Promise<void> {
  let maintainedAt = runner.monotonicMs();
  while (!stopping.aborted) {
    await runner.sleep(LOOK_EVERY_MS, stopping).catch(() => {});
    if (stopping.aborted) return;
    try {
      const isDue = runner.monotonicMs() - maintainedAt > MAINTAIN_EVERY_MS;
      if (!isDue && !(await hasDeadJobs(runner, schema))) continue;
      await boss.supervise(QUEUE);
      if (isDue) maintainedAt = runner.monotonicMs();
    } catch (error) {
      onError(error);
    }
  }
}

async function hasDeadJobs({ database }: Runner, schema: string): Promise<boolean> {
  const rows = await database.use(session =>
    session.query(
      `select from ${ddl`${{ schema, name: 'job' }}`.text}
       where name = $1 and state = 'active'
         and (heartbeat_on + heartbeat_seconds * interval '1 second' < now() or started_on + expire_seconds * interval '1 second' < now())
       limit 1`,
      [QUEUE],
      'look for jobs whose worker died',
    ),
  );
  return rows.length > 0;
}
