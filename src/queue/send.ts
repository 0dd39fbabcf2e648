/**
 * How we put a job into the queue: in a session of our own, whose lock budget ends the wait for a transaction that has put the same
 * one there and is not over. pg-boss's own sessions have none, and one person's open transaction would stop every schedule.
 */
import type { PgBoss, SendOptions } from 'pg-boss';
import { asMaintenanceError } from '../domain/errors.ts';
import type { JobName } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import type { Runner } from '../run-job.ts';
import { QUEUE } from './boss.ts';
import { type Payload, PRIORITY, singletonKey } from './payload.ts';
import { OURSELVES } from './worker.ts';

type Sending = Pick<Runner, 'database'>;
type Sender = Pick<PgBoss, 'send'>;

/**
 * @returns the job's id, or null where its id or its place is taken
 * @throws MaintenanceError LOCK_UNAVAILABLE while somebody's open transaction has it
 */
export const sendJob = (
  { database }: Sending,
  boss: Sender,
  job: JobName,
  target: RelationName,
  details: Omit<Payload, 'job' | 'target'>,
  options: Pick<SendOptions, 'id' | 'startAfter'> = {},
): Promise<string | null> =>
  database.use(session => {
    const name = formatRelationName(target);
    const executeSql = async (text: string, values: readonly unknown[] = []) => ({
      rows: [...(await session.query<object>(text, values, `queue ${job} ${name}`))],
    });
    return boss.send(
      QUEUE,
      { job, target: name, ...details },
      { ...options, singletonKey: singletonKey(job, target), priority: PRIORITY[job], db: { executeSql } },
    );
  });

/** Asks for a run on our own account. Where somebody has asked for the same, or is about to, there is nothing to ask for. */
export async function askFor(
  sending: Sending,
  boss: Sender,
  job: JobName,
  target: RelationName,
  reason: string,
): Promise<void> {
  await sendJob(sending, boss, job, target, { requestedBy: OURSELVES, reason }).catch(thrown => {
    if (asMaintenanceError(thrown).code !== 'LOCK_UNAVAILABLE') throw thrown;
  });
}
