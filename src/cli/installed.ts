/** For commands that read or write what partkeeper keeps for itself: what to do where that is not installed. */
import { asMaintenanceError, MaintenanceError } from '../domain/errors.ts';

const UNDEFINED_FUNCTION = '42883';

/** Passes on what `work` gives; an error for want of a table or function of ours says how to install it. */
export async function whereInstalled<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    const error = asMaintenanceError(thrown);
    const { code, message, sqlstate } = error;
    if (code !== 'RELATION_MISSING' && sqlstate !== UNDEFINED_FUNCTION) throw error;
    throw new MaintenanceError('RELATION_MISSING', message, {
      cause: error,
      sqlstate,
      hint: "It is not installed in this database: run 'partkeeper migrate up'.",
    });
  }
}
