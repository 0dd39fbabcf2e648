/**
 * Asking for runs, from any program that has a connection: the command line, other services, and `psql`, which calls the
 * same function. The rules of the queue are in one place, `partkeeper.trigger()`.
 */
import type { JobName } from '../domain/plan.ts';

/** A `pg.Pool` or `pg.Client` will do. */
export interface Queryable {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
}

export interface TriggerRequest {
  readonly job: JobName;
  /** As the configuration spells it; all targets of the job when left out. */
  readonly target?: string | undefined;
  readonly reason?: string | undefined;
  /** The role that is connected, unless said otherwise. */
  readonly requestedBy?: string | undefined;
}

export interface Triggered {
  readonly runId: string;
  readonly job: JobName;
  readonly target: string;
  /** With `already …`, `runId` is that of the run that is under way. */
  readonly status: 'queued' | 'already queued' | 'already running';
}

export interface TriggerClient {
  /** Throws the server's error when the job or the target is not configured (22023), or the queue is not installed (42883). */
  trigger(request: TriggerRequest): Promise<readonly Triggered[]>;
}

interface TriggerRow {
  readonly run_id: string;
  readonly run_job: JobName;
  readonly run_target: string;
  readonly status: Triggered['status'];
}

export const TRIGGER_SQL = 'select run_id, run_job, run_target, status from partkeeper.trigger($1, $2, $3, $4)';

export const triggerParameters = ({ job, target, reason, requestedBy }: TriggerRequest): (string | null)[] => [
  job,
  target ?? null,
  reason ?? null,
  requestedBy ?? null,
];

export const readTriggered = (rows: readonly unknown[]): readonly Triggered[] =>
  (rows as readonly TriggerRow[]).map(row => ({
    runId: row.run_id,
    job: row.run_job,
    target: row.run_target,
    status: row.status,
  }));

/** `createClient({ pool }).trigger({ job: 'refresh', target: 'app.daily_totals' })` */
export const createClient = ({ pool }: { readonly pool: Queryable }): TriggerClient => ({
  async trigger(request) {
    const { rows } = await pool.query(TRIGGER_SQL, triggerParameters(request));
    return readTriggered(rows);
  },
});
