/**
 * Writes down what is done, as it is done: a run when it starts and ends, an action before it is done and, in its own
 * transaction, what it came to.
 */
import { asMaintenanceError, MaintenanceError } from '../domain/errors.ts';
import type { Oid } from '../domain/facts.ts';
import type { Action, ActionKind, JobName } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import { type ActionRecord, type ActionRecorder, unrecorded } from '../executor/record.ts';
import type { Database } from '../postgres/database.ts';
import type { Session } from '../postgres/session.ts';
import type { Outcome, RunIdentity } from '../report/events.ts';
import { explainAction } from '../report/explain.ts';
import { redact } from '../report/redact.ts';
import { statements } from './statements.ts';

/** Who writes. */
export interface Author {
  /** Host and process id. */
  readonly replica: string;
  readonly version: string;
  readonly configHash: string;
}

export interface RunEnd {
  readonly outcome: Outcome;
  readonly done: number;
  readonly failed: number;
  readonly error: MaintenanceError | undefined;
}

export interface RunRecord {
  readonly recorder: ActionRecorder;
  /** Never throws: the run is over whatever the ledger says. */
  readonly finish: (end: RunEnd) => Promise<void>;
}

export interface Ledger {
  /**
   * Never throws. Without partkeeper's schema nothing is recorded; when the schema is there and cannot be written, what
   * destroys is refused and the rest goes on.
   */
  readonly begin: (run: RunIdentity) => Promise<RunRecord>;
  /** Explains a tick that is left out. @returns whether nobody had done so before */
  readonly skipTick: (
    runId: string,
    job: JobName,
    target: RelationName,
    tick: Instant,
    reason: string,
  ) => Promise<boolean>;
}

export function keepLedger(database: Database, author: Author, newId: () => string): Ledger {
  const { replica, version, configHash } = author;
  return {
    async begin(run) {
      const target = formatRelationName(run.target);
      try {
        const startedAt = await database.use(async session => {
          await session.query(statements.interruptRuns, [run.job, target], 'mark runs that were interrupted');
          const [row] = await session.query<{ started_at: string }>(
            statements.startRun,
            [
              run.runId,
              run.attempt,
              run.job,
              target,
              run.trigger,
              textOf(run.tick),
              run.requestedBy ?? null,
              run.reason ?? null,
              replica,
              version,
              configHash,
            ],
            'put the run on record',
          );
          return row?.started_at;
        });
        return {
          recorder: recordActions(database, run.runId, newId),
          finish: end => finishRun(database, run, startedAt, end),
        };
      } catch (error) {
        return withoutLedger(asMaintenanceError(error));
      }
    },
    async skipTick(runId, job, target, tick, reason) {
      const rows = await database.use(session =>
        session.query(
          statements.skipTick,
          [runId, job, formatRelationName(target), formatInstant(tick), reason, replica, version, configHash],
          'put a skipped tick on record',
        ),
      );
      return rows.length > 0;
    },
  };
}

const textOf = (at: Instant | undefined): string | null => (at === undefined ? null : formatInstant(at));

async function finishRun(
  database: Database,
  { runId, attempt }: RunIdentity,
  startedAt: string | undefined,
  end: RunEnd,
): Promise<void> {
  const { outcome, done, failed, error } = end;
  await database
    .use(session =>
      session.query(
        statements.finishRun,
        [
          runId,
          attempt,
          startedAt,
          outcome,
          done,
          failed,
          error?.code ?? null,
          error === undefined ? null : redact(error.message),
        ],
        'put the end of the run on record',
      ),
    )
    // Whoever comes next finds it unfinished and marks it.
    .catch(() => {});
}

const DESTROYS: { readonly [K in ActionKind]: boolean } = {
  'create-partition': false,
  'drop-partition': true,
  'detach-partition': true,
  'refresh-view': false,
  'analyze-table': false,
};

function withoutLedger(error: MaintenanceError): RunRecord {
  const finish = async (): Promise<void> => {};
  if (error.code === 'RELATION_MISSING') return { recorder: unrecorded, finish };
  const recorder: ActionRecorder = {
    async intend(action) {
      if (!DESTROYS[action.kind]) return unrecorded.intend(action, []);
      const what = `${action.kind} ${formatRelationName(action.relation)}`;
      throw new MaintenanceError(
        'LEDGER_UNAVAILABLE',
        `did not ${what}, because it could not be put on record: ${error.message}`,
        { cause: error, hint: error.hint },
      );
    },
  };
  return { recorder, finish };
}

const recordActions = (database: Database, runId: string, newId: () => string): ActionRecorder => ({
  async intend(action, sql) {
    const actionId = newId();
    const [row] = await database.use(session =>
      session.query<{ intended_at: string }>(
        statements.intendAction,
        [
          actionId,
          runId,
          action.kind,
          formatRelationName(action.target),
          formatRelationName(action.relation),
          oidOf(action) ?? null,
          boundOf(action) ?? null,
          JSON.stringify(action.because),
          explainAction(action).why,
          [...sql],
        ],
        'put the action on record',
      ),
    );
    return recordOf(database, actionId, row?.intended_at);
  },
});

const recordOf = (database: Database, actionId: string, intendedAt: string | undefined): ActionRecord => ({
  async conclude(session: Session, done, sql, { durationMs, lockWaitMs, attempts }) {
    await session.query(
      statements.concludeAction,
      [
        actionId,
        intendedAt,
        done.outcome,
        durationMs,
        lockWaitMs,
        attempts,
        done.rows ?? null,
        done.bytes ?? null,
        [...sql],
      ],
      'put what was done on record',
    );
  },
  async fail(error, { durationMs, lockWaitMs, attempts }) {
    await database
      .use(session =>
        session.query(
          statements.failAction,
          [actionId, intendedAt, durationMs, lockWaitMs, attempts, error.code, redact(error.message)],
          'put the failure on record',
        ),
      )
      .catch(() => {});
  },
});

function oidOf(action: Action): Oid | undefined {
  if ('partition' in action) return action.partition;
  if ('view' in action) return action.view;
  return 'table' in action ? action.table : undefined;
}

function boundOf(action: Action): string | undefined {
  if ('boundText' in action) return action.boundText;
  return 'window' in action
    ? `${formatInstant(action.window.lower)} to ${formatInstant(action.window.upper)}`
    : undefined;
}
