/** What the ledger says, as the tests of it want to see it. */
import { randomUUID } from 'node:crypto';
import type { JobName } from '../../src/domain/plan.ts';
import type { RunIdentity } from '../../src/report/events.ts';
import type { TestDatabase } from './database.ts';
import { relation } from './facts.ts';

type Asking = Pick<TestDatabase, 'query'>;

export const actionsOnRecord = (database: Asking) =>
  database.query<{ kind: string; relation: string; outcome: string; error_code: string | null }>(
    'select kind, relation, outcome, error_code from partkeeper.actions order by intended_at',
  );

export const runsOnRecord = (database: Asking) =>
  database.query<{
    run_id: string;
    job: string;
    target: string;
    requested_by: string | null;
    reason: string | null;
    outcome: string | null;
    error_code: string | null;
  }>(
    `select run_id, attempt, job, target, trigger, requested_by, reason, outcome, done, failed, error_code
     from partkeeper.runs order by started_at`,
  );

/** A run of `public.events` that somebody asked for. */
export const aRun = (job: JobName, over: Partial<RunIdentity> = {}): RunIdentity => ({
  runId: randomUUID(),
  attempt: 1,
  job,
  target: relation('public.events'),
  trigger: 'manual',
  ...over,
});
