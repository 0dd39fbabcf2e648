/**
 * Notices jobs whose worker died, and tells how many wait. pg-boss can do so by itself, at nineteen statements a look; one of ours
 * says first whether there is anything to see, so that an idle database is left in peace.
 */
import { readFileSync } from 'node:fs';
import type { PgBoss } from 'pg-boss';
import { instantFromEpochMs } from '../domain/time.ts';
import { ddl, identifier } from '../postgres/ddl.ts';
import { collecting } from '../report/collecting.ts';
import type { Emit, QueueBacklog } from '../report/events.ts';
import type { Runner } from '../run-job.ts';
import { QUEUE } from './boss.ts';
import type { InForce } from './work.ts';

const BACKLOG = readFileSync(new URL('../../sql/queue/backlog.sql', import.meta.url), 'utf8');

export interface SuperviseOptions extends Pick<Runner, 'sleep' | 'monotonicMs' | 'clock'> {
  readonly boss: PgBoss;
  /** Who hears of what is seen. */
  readonly tell: Emit;
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
  clock,
  stopping,
  tell,
  onError,
}: SuperviseOptions): Promise<void> {
  let maintainedAt = monotonicMs();
  for (let waitMs = LOOK_EVERY_MS; !stopping.aborted; ) {
    await sleep(waitMs, stopping).catch(() => {});
    waitMs = LOOK_EVERY_MS;
    if (stopping.aborted) return;
    try {
      const isDue = monotonicMs() - maintainedAt > MAINTAIN_EVERY_MS;
      const { aliveMs, backlog } = await collecting({ emit: tell, clock, monotonicMs }, 'queue', () =>
        use(readBacklog),
      );
      tell({ kind: 'queue-watched', backlog });
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

interface BacklogRow {
  readonly ready: number;
  readonly deferred: number;
  readonly active: number;
  readonly ready_since_ms: number | null;
  readonly alive_ms: number | null;
}

/** What waits, and how long the first of the jobs under way is believed to be alive if nothing more is heard of it. */
async function readBacklog({ config, runner: { database } }: InForce) {
  const text = BACKLOG.replaceAll('{{schema}}', ddl`${identifier(config.queue.schema)}`.text);
  const [row] = await database.read(session =>
    session.query<BacklogRow>(text, [], 'look for jobs that wait, and for those whose worker died'),
  );
  const { ready = 0, deferred = 0, active = 0, ready_since_ms: readySinceMs, alive_ms: aliveMs } = row ?? {};
  const readySince = readySinceMs == null ? undefined : instantFromEpochMs(readySinceMs);
  const backlog: QueueBacklog = { ready, deferred, active, readySince };
  return { backlog, aliveMs: aliveMs ?? Infinity };
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
