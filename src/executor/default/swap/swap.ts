/**
 * A default partition with many rows of the range, among others: both parts are copied aside while everybody goes on, a trigger
 * notes the keys of what changes meanwhile, and in the end one short transaction puts the copies in the place of the original.
 * Until then nothing of it is to be seen. A try that ends for want of a lock leaves it to the next one to go on from the state
 * on record; anything else, and the last try, takes it back; after a crash the next run does so first of all.
 */
import { asMaintenanceError, MaintenanceError, retryOf } from '../../../domain/errors.ts';
import type { BesideDefault, CreatePartition } from '../../../domain/plan.ts';
import { formatRelationName } from '../../../domain/relation.ts';
import type { Attempt, Done } from '../../runner.ts';
import { beginSwap } from './begin.ts';
import { clearSwap } from './clear.ts';
import { catchUp, copyAll } from './copy.ts';
import { exchange, fewChanges, waitForOlder } from './exchange.ts';
import { advanceSwap, intendSwap, type RecordedSwap, readSwap, type SwapState } from './record.ts';
import { expectStructure, type SwapTables, tablesOfSwap } from './tables.ts';

/** Each is shorter than the one before, unless rows are changed faster than they are copied. */
const MAX_ROUNDS = 50;

export async function swap(
  action: CreatePartition,
  beside: BesideDefault,
  begun: RecordedSwap | undefined,
  attempt: Attempt,
): Promise<Done> {
  const id = begun?.id ?? (await attempt.step(() => intendSwap(attempt.session, action, beside)));
  let done: Done;
  try {
    done = await goOn(action, beside, id, attempt);
  } catch (error) {
    const willGoOn = !attempt.isLast && retryOf(asMaintenanceError(error).code) === 'same-run';
    // Should this fail too, the next run does it; the first error is the one to tell.
    if (!willGoOn) await clearSwap(action, id, attempt).catch(() => {});
    throw error;
  }
  // The partition is there, whatever becomes of what was set aside: the next run sees to it.
  await clearSwap(action, id, attempt).catch(() => {});
  return done;
}

async function goOn(action: CreatePartition, beside: BesideDefault, id: number, attempt: Attempt): Promise<Done> {
  const { session } = attempt;
  const reach = async (state: SwapState): Promise<RecordedSwap> => {
    const found = await readSwap(session, action.parent, id);
    if (found?.state === state) return found;
    throw new MaintenanceError('STALE_PLAN', `the drain ${id} is no longer on record as ${state}`);
  };
  const stateOf = async (): Promise<SwapState | undefined> => (await readSwap(session, action.parent, id))?.state;

  if ((await stateOf()) === 'intended') await beginSwap(action, beside, id, attempt);
  const tables = await tablesOfSwap(session, action, beside, id);
  if ((await stateOf()) === 'capturing') {
    await copyAll(action, tables, attempt);
    await attempt.step(() => advanceSwap(session, id, 'capturing', 'copied'));
  }
  if ((await stateOf()) === 'copied') {
    await untilFew(action, tables, attempt);
    await sameStructure(action, beside, await reach('copied'), attempt);
    await catchUp(action, tables, attempt, { andProve: true }).catch(async (error: unknown) => {
      // An emptied or rewritten table is no riddle.
      await sameStructure(action, beside, await reach('copied'), attempt);
      throw error;
    });
    await attempt.step(() => advanceSwap(session, id, 'copied', 'proven'));
  }
  const proven = await reach('proven');
  await waitForOlder(session, proven, tables);
  await untilFew(action, tables, attempt);
  return exchange(action, beside, proven, tables, attempt);
}

const sameStructure = (
  action: CreatePartition,
  beside: BesideDefault,
  { structure }: RecordedSwap,
  { session, step }: Attempt,
): Promise<void> => step(() => expectStructure(session, action, beside, structure));

async function untilFew(action: CreatePartition, tables: SwapTables, attempt: Attempt): Promise<void> {
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds += 1)
    if ((await catchUp(action, tables, attempt, { andProve: false })) <= fewChanges(attempt.budget)) return;
  throw new MaintenanceError(
    'LOCK_UNAVAILABLE',
    `could not drain ${formatRelationName(tables.old)}: its rows are changed faster than they are copied`,
  );
}
