/** Taking back a swap that was not finished, or dropping what a finished one has set aside. By OID: names prove nothing. */
import { MaintenanceError } from '../../../domain/errors.ts';
import type { Oid } from '../../../domain/facts.ts';
import type { ActAs } from '../../../domain/plan.ts';
import { formatRelationName, type RelationName } from '../../../domain/relation.ts';
import { ddl, identifier, type Statement } from '../../../postgres/ddl.ts';
import { lockParent } from '../../evidence.ts';
import { type Attempt, becomeOwner } from '../../runner.ts';
import { forgetSwap, type RecordedSwap, readSwap } from './record.ts';

export interface OfParent {
  readonly parent: Oid;
  readonly actAs: ActAs;
}

/** Each transaction leaves something that the next try, or the next run, can go on from. @returns whether there was anything */
export async function clearSwap(of: OfParent, id: number, attempt: Attempt): Promise<boolean> {
  const wasThere = await attempt.insist(async () => {
    const swap = await readLocked(of, id, attempt);
    // First of all: without its queue the trigger would make every write fail.
    if (swap?.trigger != null && swap.old !== null)
      await asOwner(of, attempt, [ddl`drop trigger ${identifier(swap.trigger)} on ${swap.old}`]);
    return swap !== undefined;
  });
  if (wasThere)
    await attempt.insist(async () => {
      const swap = await readLocked(of, id, attempt);
      if (swap === undefined) return;
      await asOwner(of, attempt, removals(swap));
      if (of.actAs.how === 'set-role') await attempt.execute(ddl`reset role`, 'become ourselves again');
      await forgetSwap(attempt.session, id);
    });
  return wasThere;
}

async function readLocked({ parent }: OfParent, id: number, { session }: Attempt): Promise<RecordedSwap | undefined> {
  await lockParent(session, parent);
  return readSwap(session, parent, id);
}

async function asOwner({ actAs }: OfParent, { execute }: Attempt, statements: readonly Statement[]): Promise<void> {
  for (const statement of [...becomeOwner(actAs), ...statements])
    await execute(statement, 'clear what is left of a drain');
}

function removals(swap: RecordedSwap): readonly Statement[] {
  const drop = (relation: RelationName | null): readonly Statement[] =>
    relation === null ? [] : [ddl`drop table ${relation}`];
  if (swap.state === 'swapped') {
    // The copies were proven to be what it was, and have taken its place.
    if (swap.old_is_partition === true) throw misplaced(swap.old, 'is a partition again');
    if (swap.old !== null && (swap.partition === null || swap.new_default === null))
      throw misplaced(swap.old, 'has lost a table that holds its rows');
    return drop(swap.old);
  }
  if (swap.partition_is_partition === true) throw misplaced(swap.partition, 'is a partition already');
  if (swap.new_default_is_partition === true) throw misplaced(swap.new_default, 'is a partition already');
  return [
    ...drop(swap.partition),
    ...drop(swap.new_default),
    ...(swap.capture === null ? [] : [ddl`drop function ${swap.capture}()`]),
    ...drop(swap.queue),
  ];
}

const misplaced = (relation: RelationName | null, what: string): MaintenanceError =>
  new MaintenanceError(
    'UNEXPECTED',
    `${relation === null ? 'a table of a drain' : formatRelationName(relation)} ${what}; it was left alone`,
    {
      hint: 'See which rows it holds, drop it by hand if they are elsewhere, and delete its row from partkeeper.drains.',
    },
  );
