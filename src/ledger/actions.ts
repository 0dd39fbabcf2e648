/**
 * Writes down actions: before they are done and, in their own transaction, what they came to. A deed that destroys and its
 * record happen together or not at all; anything else happens also when the ledger cannot be written.
 */
import { asMaintenanceError, MaintenanceError } from '../domain/errors.ts';
import type { Oid } from '../domain/facts.ts';
import type { Action, ActionKind } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { formatInstant } from '../domain/time.ts';
import { type ActionRecord, type ActionRecorder, NO_RECORD } from '../executor/record.ts';
import type { Database } from '../postgres/database.ts';
import { ddl } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import type { Emit, RunIdentity } from '../report/events.ts';
import { explainAction } from '../report/explain.ts';
import { redact } from '../report/redact.ts';
import { mayPass, onceMore } from './once-more.ts';
import { abandonRetirements, concludeRetirement, intendRetirement } from './retirements.ts';
import { statements } from './statements.ts';

const DESTROYS: { readonly [K in ActionKind]: boolean } = {
  'create-partition': false,
  // The record of drains is its proof, read in the same transaction.
  'clear-leftovers': false,
  'drop-partition': true,
  'detach-partition': true,
  'finalize-detach': true,
  'restore-partition': false,
  'refresh-view': false,
  'analyze-table': false,
};

/** What destroys does not happen without a record; creating must not fail for want of one. */
export function goOnUnlessItDestroys(action: Action, error: MaintenanceError, emit: Emit): ActionRecord {
  if (DESTROYS[action.kind]) refuse(action, error);
  emit({ kind: 'ledger-troubled', error });
  return NO_RECORD;
}

function refuse(action: Action, error: MaintenanceError): never {
  // A lock that was not to be had, or a connection that broke, says nothing about the ledger.
  if (mayPass(error)) throw error;
  throw new MaintenanceError(
    'LEDGER_UNAVAILABLE',
    `did not ${action.kind} ${formatRelationName(action.relation)}, because it could not be put on record: ${error.message}`,
    { cause: error, hint: error.hint },
  );
}

export const recordActions = (
  database: Database,
  { runId, attempt }: RunIdentity,
  newId: () => string,
  emit: Emit,
): ActionRecorder => ({
  async intend(action, sql) {
    const write = async (actionId: string): Promise<Intent> => {
      const [row] = await database.use(async session => {
        await intendRetirement(session, action, newId(), runId);
        return session.query<{ intended_at: string }>(
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
            attempt,
          ],
          'put the action on record',
        );
      });
      return { actionId, intendedAt: row?.intended_at };
    };
    try {
      return recordOf(database, action, await onceMore(() => write(newId())), emit);
    } catch (error) {
      return goOnUnlessItDestroys(action, asMaintenanceError(error), emit);
    }
  },
});

interface Intent {
  readonly actionId: string;
  readonly intendedAt: string | undefined;
}

const recordOf = (database: Database, action: Action, { actionId, intendedAt }: Intent, emit: Emit): ActionRecord => ({
  async conclude(session, done, sql, { durationMs, lockWaitMs, attempts }, isInTransaction) {
    const write = async (): Promise<void> => {
      const rows = await session.query(
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
      if (rows.length !== 1) throw new MaintenanceError('LEDGER_UNAVAILABLE', 'the intent is no longer on record');
      await concludeRetirement(session, action, done);
    };
    if (DESTROYS[action.kind]) await write().catch(error => refuse(action, asMaintenanceError(error)));
    else await unlessItFails(session, write, isInTransaction, emit);
  },
  async fail(error, { durationMs, lockWaitMs, attempts }) {
    await database
      .use(async session => {
        await session.query(
          statements.failAction,
          [
            actionId,
            intendedAt,
            durationMs,
            lockWaitMs,
            attempts,
            error.code,
            redact(error.message),
            error.code === 'BLOCKED' ? 'deferred' : 'failed',
          ],
          'put the failure on record',
        );
        if ('partition' in action) await abandonRetirements(session, action);
      })
      .catch(trouble => emit({ kind: 'ledger-troubled', error: asMaintenanceError(trouble) }));
  },
});

/** A statement that fails spoils its transaction, and the deed with it, unless there is a savepoint to go back to. */
async function unlessItFails(
  session: Session,
  write: () => Promise<void>,
  isInTransaction: boolean,
  emit: Emit,
): Promise<void> {
  const attempt = async (): Promise<MaintenanceError | undefined> => {
    if (isInTransaction) await session.execute(ddl`savepoint partkeeper_record`, 'prepare to put it on record');
    try {
      await write();
      return undefined;
    } catch (error) {
      if (isInTransaction)
        await session.execute(ddl`rollback to savepoint partkeeper_record`, 'go on without putting it on record');
      return asMaintenanceError(error);
    }
  };
  const first = await attempt();
  const trouble = first && mayPass(first) ? await attempt() : first;
  if (trouble) emit({ kind: 'ledger-troubled', error: trouble });
}

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
