/**
 * What the replicas share through the ledger: what is configured, which runs were the last, and what rests. Each look tells
 * log and metrics, so that they survive a restart and are the same on every replica.
 */
import type { Config } from '../config/config.ts';
import { configHash } from '../config/hash.ts';
import type { ScheduleEntry } from '../config/schedules.ts';
import { asMaintenanceError } from '../domain/errors.ts';
import { decodeKeyTime } from '../domain/key-text.ts';
import type { JobName } from '../domain/plan.ts';
import { formatRelationName, isSameRelation, type RelationName } from '../domain/relation.ts';
import type { Instant } from '../domain/time.ts';
import { jobs, targetsOf } from '../jobs/registry.ts';
import {
  isPausedBy,
  type Pair,
  type Pause,
  pauseOf,
  type RememberedRun,
  readLastRuns,
  readPauses,
} from '../ledger/reading.ts';
import { statements } from '../ledger/statements.ts';
import { collecting } from '../report/collecting.ts';
import type { PauseState } from '../report/events.ts';
import type { Runner } from '../run-job.ts';
import { PRIORITY } from './payload.ts';

export type IsPaused = (job: JobName, target: RelationName) => boolean;

type Ports = Pick<Runner, 'database' | 'emit' | 'ledger' | 'clock' | 'monotonicMs'>;

interface KnownTarget extends Pair {
  readonly priority: number;
  readonly schedule: string | undefined;
  readonly timezone: string | undefined;
}

/** Every configured pair of a job and a target, as `partkeeper.trigger()` has to know it. */
export const knownTargets = (
  { policies }: Pick<Runner, 'policies'>,
  entries: readonly ScheduleEntry[],
): readonly KnownTarget[] =>
  jobs.flatMap(job =>
    targetsOf(job, policies).map(target => {
      const schedule = entries.find(entry => entry.job === job.name && isSameRelation(entry.target, target))?.schedule;
      return {
        job: job.name,
        target,
        priority: PRIORITY[job.name],
        schedule: schedule?.pattern,
        timezone: schedule?.timezone,
      };
    }),
  );

export interface Scheduled extends Pair {
  readonly since: Instant | undefined;
}

/**
 * Writes down what may be triggered. That it cannot be is no reason not to work.
 *
 * @returns since when each has had its schedule, as far as that is known
 */
export async function makeKnown(
  { database, emit }: Ports,
  config: Config,
  targets: readonly KnownTarget[],
): Promise<readonly Scheduled[]> {
  const rows = targets.map(each => ({ ...each, target: formatRelationName(each.target) }));
  try {
    const known = await database.read(session =>
      session.query<{ job: string; target: string; scheduled_since: string }>(
        statements.knowTargets,
        [JSON.stringify(rows), configHash(config)],
        'write down what is configured',
      ),
    );
    return targets.flatMap(({ job, target }) => {
      const row = known.find(each => each.job === job && each.target === formatRelationName(target));
      return row ? [{ job, target, since: decodeKeyTime(row.scheduled_since, 'timestamptz') }] : [];
    });
  } catch (error) {
    emit({ kind: 'ledger-troubled', error: asMaintenanceError(error) });
    return [];
  }
}

/** Marks runs whose process vanished, then reads the last run of each pair. Without a ledger nothing is known. */
export async function recall(ports: Ports, pairs: readonly Pair[]): Promise<readonly RememberedRun[]> {
  const { database, emit, ledger } = ports;
  try {
    const known = await collecting(ports, 'runs', async () => {
      await ledger.interruptVanished();
      return database.read(session => readLastRuns(session, pairs));
    });
    for (const { job, target, ...history } of known) emit({ kind: 'remembered', job, target, history });
    return known;
  } catch (error) {
    emit({ kind: 'ledger-troubled', error: asMaintenanceError(error) });
    return [];
  }
}

/**
 * Reads what rests, and tells it of every schedule.
 *
 * @returns an answer that throws where pauses could not be read, except for `provision`: creating goes on whatever happens
 */
export async function readPaused(ports: Ports, scheduled: readonly Pair[]): Promise<IsPaused> {
  const { database, emit } = ports;
  try {
    const pauses = await collecting(ports, 'pauses', () => database.read(readPauses));
    const states = scheduled.map(({ job, target }) => {
      const pause = pauseOf(pauses, job, target);
      return { job, target, isPaused: pause !== undefined, pause: pause && describePause(pause) };
    });
    emit({ kind: 'pauses-read', pauses: states });
    return (job, target) => isPausedBy(pauses, job, target);
  } catch (thrown) {
    const error = asMaintenanceError(thrown);
    emit({ kind: 'ledger-troubled', error });
    return job => {
      if (job === 'provision') return false;
      throw error;
    };
  }
}

const describePause = ({ paused_by, reason, paused_at }: Pause): PauseState['pause'] => ({
  by: paused_by,
  reason: reason ?? undefined,
  since: decodeKeyTime(paused_at, 'timestamptz'),
});
