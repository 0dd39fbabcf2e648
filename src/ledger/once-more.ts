/** What a broken connection has to do with the ledger: nothing. */
import { asMaintenanceError } from '../domain/errors.ts';

/**
 * Writes again, over another connection, what a broken one may or may not have written. What is written twice because only the
 * answer was lost is a run or an intent that nobody goes on with: the end of the run, or the next one, marks it.
 */
export async function onceMore<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (asMaintenanceError(error).code !== 'CONNECTION_LOST') throw error;
    return write();
  }
}
