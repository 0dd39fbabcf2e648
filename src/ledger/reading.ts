/** What the ledger knows, for people and for a process that starts. */
import { decodeKeyTime } from '../domain/key-text.ts';
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import { formatRelationName, parseRelationName, type RelationName } from '../domain/relation.ts';
import type { Instant } from '../domain/time.ts';
import type { Session } from '../postgres/session.ts';
import type { RunHistory } from '../report/events.ts';
import { statements } from './statements.ts';

export interface RememberedRun extends RunHistory {
  readonly job: JobName;
  readonly target: RelationName;
  /** The last tick that was served or explained. */
  readonly lastTick: Instant | undefined;
}

interface LastRunRow {
  readonly job: string;
  readonly target: string;
  readonly last_tick: string | null;
  readonly last_run: string | null;
  readonly last_attempt: string | null;
  readonly last_success: string | null;
  readonly last_duration_ms: number | null;
  readonly last_outcome: string | null;
  readonly consecutive_failures: number;
}

const instantOf = (text: string | null): Instant | undefined =>
  text === null ? undefined : decodeKeyTime(text, 'timestamptz');

const isJob = (name: string): name is JobName => JOB_NAMES.some(job => job === name);

/** A job and one of its targets. */
export interface Pair {
  readonly job: JobName;
  readonly target: RelationName;
}

/** One for each pair, also when nothing is known of it. */
export async function readLastRuns(session: Session, pairs: readonly Pair[]): Promise<readonly RememberedRun[]> {
  const wanted = JSON.stringify(pairs.map(({ job, target }) => ({ job, target: formatRelationName(target) })));
  const rows = await session.query<LastRunRow>(statements.lastRuns, [wanted], 'read the last runs');
  return rows.flatMap(row => {
    const target = parseRelationName(row.target);
    if (!isJob(row.job) || 'problem' in target) return [];
    return [
      {
        job: row.job,
        target,
        lastTick: instantOf(row.last_tick),
        lastRun: row.last_run ?? undefined,
        lastAttempt: instantOf(row.last_attempt),
        lastSuccess: instantOf(row.last_success),
        lastDurationMs: row.last_duration_ms ?? undefined,
        lastOutcome: row.last_outcome ?? undefined,
        consecutiveFailures: row.consecutive_failures,
      },
    ];
  });
}

export interface Pause {
  /** The empty text stands for every job, or every target. */
  readonly job: string;
  readonly target: string;
  readonly paused_at: string;
  readonly paused_by: string;
  readonly reason: string | null;
}

export const readPauses = (session: Session): Promise<readonly Pause[]> =>
  session.query<Pause>(statements.pauses, [], 'read what is paused');

/** The first pause that covers this job on this target. */
export const pauseOf = (pauses: readonly Pause[], job: JobName, target: RelationName): Pause | undefined =>
  pauses.find(
    pause =>
      (pause.job === '' || pause.job === job) && (pause.target === '' || pause.target === formatRelationName(target)),
  );

/** Does a pause cover this job on this target? */
export const isPausedBy = (pauses: readonly Pause[], job: JobName, target: RelationName): boolean =>
  pauseOf(pauses, job, target) !== undefined;

export interface RunRow {
  readonly run_id: string;
  readonly attempt: number;
  readonly job: string;
  readonly target: string;
  readonly trigger: string;
  readonly tick: string | null;
  readonly requested_by: string | null;
  readonly reason: string | null;
  readonly replica: string;
  readonly version: string;
  readonly config_hash: string;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly outcome: string | null;
  readonly done: number | null;
  readonly failed: number | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly duration_ms: number | null;
}

export interface ActionRow {
  readonly action_id: string;
  readonly run_id: string;
  readonly attempt: number;
  readonly intended_at: string;
  readonly kind: string;
  readonly target: string;
  readonly relation: string;
  readonly relation_oid: number | null;
  readonly bound: string | null;
  readonly because: object;
  readonly why: string;
  readonly statements: readonly string[];
  readonly outcome: string;
  readonly finished_at: string | null;
  readonly duration_ms: number | null;
  readonly lock_wait_ms: number | null;
  readonly attempts: number | null;
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
}

export interface HistoryRequest {
  readonly job: JobName | undefined;
  readonly target: RelationName | undefined;
  readonly since: Instant | undefined;
  readonly limit: number;
}

export const readHistory = (
  session: Session,
  { job, target, since, limit }: HistoryRequest,
): Promise<readonly RunRow[]> =>
  session.query<RunRow>(
    statements.history,
    [job ?? null, target ? formatRelationName(target) : null, since ? since.toString() : null, limit],
    'read the history',
  );

export const readActions = (session: Session, runIds: readonly string[]): Promise<readonly ActionRow[]> =>
  session.query<ActionRow>(statements.historyActions, [[...runIds]], 'read the actions of the runs');

/** The last actions on the given targets, newest first. */
export const readRecentActions = (
  session: Session,
  targets: readonly RelationName[],
  limit: number,
): Promise<readonly ActionRow[]> =>
  session.query<ActionRow>(
    statements.recentActions,
    [targets.map(formatRelationName), limit],
    'read the last actions on record',
  );

export interface RunProgressRow {
  readonly run_id: string;
  readonly attempt: number;
  readonly replica: string;
  readonly finished_at: string | null;
  readonly outcome: string | null;
  readonly done: number | null;
  readonly failed: number | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
}

export const readProgress = async (session: Session, runId: string): Promise<RunProgressRow | undefined> =>
  (await session.query<RunProgressRow>(statements.runProgress, [runId], 'look how far the run is'))[0];

export interface RunningRow {
  readonly run_id: string;
  readonly job: string;
  readonly target: string;
  readonly replica: string;
  readonly started_at: string;
}

export const readRunning = (session: Session): Promise<readonly RunningRow[]> =>
  session.query<RunningRow>(statements.running, [], 'read what is running');
