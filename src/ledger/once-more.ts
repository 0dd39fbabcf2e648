/** What passes by itself has nothing to do with the ledger: a connection that broke, a lock, somebody who cancelled a statement. */
import { asMaintenanceError, type ErrorCode } from '../domain/errors.ts';

const PASSING: ReadonlySet<ErrorCode> = new Set(['LOCK_UNAVAILABLE', 'DEADLOCK', 'CONNECTION_LOST', 'CANCELLED']);

export const mayPass = ({ code }: { readonly code: ErrorCode }): boolean => PASSING.has(code);

/**
 * Writes again, over another connection, what a broken one may or may not have written. What is written twice because only the
 * answer was lost is a run or an intent that nobody goes on with: the end of the run, or the next one, marks it.
 */
export async function onceMore<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!mayPass(asMaintenanceError(error))) throw error;
    return write();
  }
}
