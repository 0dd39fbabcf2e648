/** Writes down runs as they start and end, ticks that are left out, and runs whose process vanished. */
import { asMaintenanceError, type MaintenanceError } from '../domain/errors.ts';
import type { JobName } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import { type ActionRecorder, unrecorded } from '../executor/record.ts';
import type { Database } from '../postgres/database.ts';
import type { Session } from '../postgres/session.ts';
import type { Emit, Outcome, RunIdentity } from '../report/events.ts';
import { redact } from '../report/redact.ts';
import { goOnUnlessItDestroys, recordActions } from './actions.ts';
import { onceMore } from './once-more.ts';
import { abandonRetirements } from './retirements.ts';
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
  /** The retention under which `retire` found the table in order, as `partkeeper.retentions` spells it. */
  readonly accepted?: string | undefined;
}

export interface RunRecord {
  /**
   * It succeeded at an earlier attempt, whose process hung for so long that the queue took it for dead: once is enough.
   */
  readonly isDone?: boolean;
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
  /**
   * Explains a tick that is left out, in the transaction in which `takeId` makes sure of it.
   *
   * @returns whether nobody had done so before; false, with nothing written, where `takeId` says false
   */
  readonly skipTick: (
    runId: string,
    job: JobName,
    target: RelationName,
    tick: Instant,
    reason: string,
    takeId: (session: Session) => Promise<boolean>,
  ) => Promise<boolean>;
  /** Marks every run whose process has vanished, so that none seems to go on until the next one of its kind. */
  readonly interruptVanished: () => Promise<void>;
}

interface InterruptedRow {
  readonly run_id: string;
  readonly job: string;
  readonly target: string;
}

/** @param emit hears of runs that were found interrupted, and of trouble that nothing else is told of */
export function keepLedger(database: Database, author: Author, newId: () => string, emit: Emit = () => {}): Ledger {
  const { replica, version, configHash } = author;
  const tellInterrupted = (rows: readonly InterruptedRow[]): void => {
    for (const { run_id: runId, job, target } of rows) emit({ kind: 'run-interrupted', runId, job, target });
  };
  return {
    async begin(run) {
      const target = formatRelationName(run.target);
      const start = () =>
        database.use(async session => {
          tellInterrupted(
            await session.query<InterruptedRow>(
              statements.interruptRuns,
              [run.job, target],
              'mark runs that were interrupted',
            ),
          );
          const rows = await session.query<{ started_at: string }>(
            statements.startRun,
            [
              run.runId,
              run.attempt,
              run.job,
              target,
              run.trigger,
              textOf(run.tick),
              redacted(run.requestedBy),
              redacted(run.reason),
              replica,
              version,
              configHash,
            ],
            'put the run on record',
          );
          if (run.job === 'retire') await prepareToRetire(session, run);
          return rows[0]?.started_at;
        });
      try {
        const startedAt = await onceMore(start);
        return {
          isDone: startedAt === undefined,
          recorder: recordActions(database, run, newId, emit),
          finish: end => finishRun(database, run, startedAt, end, emit),
        };
      } catch (error) {
        return withoutLedger(asMaintenanceError(error), emit);
      }
    },
    skipTick: (runId, job, target, tick, reason, takeId) =>
      database.use(session =>
        session.transaction(SKIP_BUDGET, async () => {
          if (!(await takeId(session))) return false;
          const rows = await session.query(
            statements.skipTick,
            [runId, job, formatRelationName(target), formatInstant(tick), reason, replica, version, configHash],
            'put a skipped tick on record',
          );
          return rows.length > 0;
        }),
      ),
    async interruptVanished() {
      tellInterrupted(
        await database.use(session =>
          session.query<InterruptedRow>(statements.interruptVanished, [], 'mark runs that were interrupted'),
        ),
      );
    },
  };
}

/** An earlier version's schema has no such tables: then nothing is done that would need them. */
async function prepareToRetire(session: Session, run: RunIdentity): Promise<void> {
  try {
    await session.query(statements.pinDatabase, [], 'say which database this ledger belongs to');
    await abandonRetirements(session, run);
  } catch (error) {
    if (asMaintenanceError(error).code !== 'RELATION_MISSING') throw error;
  }
}

const SKIP_BUDGET = { lockTimeoutMs: 5_000, statementTimeoutMs: 10_000 };

const redacted = (text: string | undefined): string | null => (text === undefined ? null : redact(text));

const textOf = (at: Instant | undefined): string | null => (at === undefined ? null : formatInstant(at));

async function finishRun(
  database: Database,
  { runId, attempt, target }: RunIdentity,
  startedAt: string | undefined,
  end: RunEnd,
  emit: Emit,
): Promise<void> {
  const { outcome, done, failed, error, accepted } = end;
  await database
    .use(async session => {
      if (accepted !== undefined)
        await session.query(
          statements.acceptRetention,
          [target.schema, target.name, formatRelationName(target), accepted],
          'remember the retention',
        );
      await session.query(
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
      );
    })
    // Whoever comes next finds it unfinished and marks it.
    .catch(trouble => emit({ kind: 'ledger-troubled', error: asMaintenanceError(trouble) }));
}

function withoutLedger(error: MaintenanceError, emit: Emit): RunRecord {
  const finish = async (): Promise<void> => {};
  if (error.code === 'RELATION_MISSING') return { recorder: unrecorded, finish };
  emit({ kind: 'ledger-troubled', error });
  return { recorder: { intend: async action => goOnUnlessItDestroys(action, error, emit) }, finish };
}
