/**
 * Notices jobs whose worker died. pg-boss can do so by itself, at nineteen statements a look; one of ours says first whether
 * there is anything to see, so that an idle database is left in peace.
 */
import type { PgBoss } from 'pg-boss';
import { ddl } from '../postgres/ddl.ts';
import type { Runner } from '../run-job.ts';
import { QUEUE } from './boss.ts';
import type { InForce } from './work.ts';

export interface SuperviseOptions extends Pick<Runner, 'sleep' | 'monotonicMs'> {
  readonly boss: PgBoss;
  readonly use: <T>(work: (inForce: InForce) => Promise<T>) => Promise<T>;
  readonly stopping: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** Shorter than a heartbeat, so that no job dies between two looks without the first one having seen when it would. */
const LOOK_EVERY_MS = 4_000;
/** Somebody else may have been faster, and pg-boss lets nobody look again at once. */
const LOOK_AGAIN_MS = 1_000;
/** pg-boss also deletes what is old, which is in no hurry. */
const MAINTAIN_EVERY_MS = 600_000;

/**
 * A dead worker's job is offered again as soon as its heartbeat of 10 s is over, and taken at the next worker's poll: within
 * 13 s. With pg-boss's own delay before a second try it would take up to 20.
 */
export async function superviseUntilStopped({
  boss,
  use,
  sleep,
  monotonicMs,
  stopping,
  onError,
}: SuperviseOptions): Promise<void> {
  let maintainedAt = monotonicMs();
  for (let waitMs = LOOK_EVERY_MS; !stopping.aborted; ) {
    await sleep(waitMs, stopping).catch(() => {});
    waitMs = LOOK_EVERY_MS;
    if (stopping.aborted) return;
    try {
      const isDue = monotonicMs() - maintainedAt > MAINTAIN_EVERY_MS;
      const aliveMs = await use(leastLifeMs);
      if (aliveMs <= 0) waitMs = LOOK_AGAIN_MS;
      else waitMs = Math.min(LOOK_EVERY_MS, Math.ceil(aliveMs) + 1);
      if (aliveMs > 0 && !isDue) continue;
      await boss.supervise(QUEUE);
      if (aliveMs <= 0) await use(offerAgain);
      if (isDue) maintainedAt = monotonicMs();
    } catch (error) {
      onError(error);
    }
  }
}

// Where pg-boss keeps the jobs of a queue without a table of its own, and the only one that it changes itself.
const jobTable = (schema: string): string => ddl`${{ schema, name: 'job_common' }}`.text;

/** How long the first of the jobs under way is believed to be alive if nothing more is heard of it. */
async function leastLifeMs({ config, runner: { database } }: InForce): Promise<number> {
  const [row] = await database.read(session =>
    session.query<{ ms: number | null }>(
      `select extract(epoch from min(least(heartbeat_on + heartbeat_seconds * interval '1 second', started_on + expire_seconds * interval '1 second')) - clock_timestamp())::float8 * 1000 as ms
       from ${jobTable(config.queue.schema)} where name = $1 and state = 'active'`,
      [QUEUE],
      'look for jobs whose worker died',
    ),
  );
  return row?.ms ?? Infinity;
}

/** That a worker died is no failure of its job, which need not wait as one that failed. */
const offerAgain = ({ config, runner: { database } }: InForce) =>
  database.read(session =>
    session.query(
      `update ${jobTable(config.queue.schema)} set start_after = now()
       where name = $1 and state = 'retry' and start_after > now() and output @> '{"value": {"message": "job heartbeat timeout"}}'`,
      [QUEUE],
      'offer the jobs of dead workers again',
    ),
  );
