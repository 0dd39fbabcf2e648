/** The first steps of a swap: the tables that will be filled, and the trigger that tells which rows change meanwhile. */
import type { BesideDefault, CreatePartition } from '../../../domain/plan.ts';
import { formatRelationName } from '../../../domain/relation.ts';
import { ddl, identifier, literal, type Statement } from '../../../postgres/ddl.ts';
import { lockParent, parentFound } from '../../evidence.ts';
import { makeTable } from '../../partition-table.ts';
import { type Attempt, becomeOwner } from '../../runner.ts';
import { defaultFound } from '../look.ts';
import { drains } from '../statements.ts';
import { keysOf, readChecks, readStructure, type SwapTables, tablesOfSwap } from './tables.ts';

/** For as long as the copies are not attached: they spare the server the search. */
export const CHECK = identifier('partkeeper_range');

/**
 * One transaction makes everything and puts its OIDs on record. The trigger comes last: from its lock on, which waits for
 * everybody who has changed the default partition and not committed, until the commit, writers of the default partition wait.
 * What a copy reads afterwards is therefore either as it was before, or in the queue.
 */
export const beginSwap = (
  action: CreatePartition,
  beside: BesideDefault,
  id: number,
  { session, step, execute }: Attempt,
): Promise<void> =>
  step(async () => {
    const what = `prepare the drain of ${formatRelationName(beside.relation)}`;
    await lockParent(session, action.parent);
    await parentFound(session, action);
    await defaultFound(session, action, beside);
    const structure = await readStructure(session, action, beside);
    const tables = await tablesOfSwap(session, action, beside, id);
    const { partition, fresh, old, queue, capture, shape } = tables;
    const checks = await readChecks(session, action, beside, tables.inWindow);
    const statements = [
      ...becomeOwner(action.actAs),
      ...makeTable({ ...action, like: action.target }),
      ddl`alter table ${partition} add constraint ${CHECK} check (${checks.partition})`,
      ...makeTable({ relation: fresh, like: old, shape, actAs: action.actAs }),
      ddl`alter table ${fresh} add constraint ${CHECK} check (${checks.fresh})`,
      ...makeCapture(tables, action),
      ddl`create trigger ${identifier(capture.name)} after insert or update or delete on ${old} for each row execute function ${capture}()`,
      // Also for what a subscription writes.
      ddl`alter table ${old} enable always trigger ${identifier(capture.name)}`,
    ];
    for (const statement of statements) await execute(statement, what);
    if (action.actAs.how === 'set-role') await execute(ddl`reset role`, what);
    const pair = ({ schema, name }: { schema: string; name: string }): readonly string[] => [schema, name];
    const parameters = [id, pair(partition), pair(fresh), pair(queue), structure, pair(capture)];
    await session.query(drains.made, parameters, 'put what was made for the drain on record');
  });

/** Whoever writes into the default partition need not have rights on the queue, so the function has its owner's. */
function makeCapture({ old, queue, capture, keys }: SwapTables, { actAs }: CreatePartition): readonly Statement[] {
  const columns = keys.map(key => ddl`${identifier(key)}`);
  const note = (row: string): Statement => ddl`insert into ${queue} (${columns}) values (${keysOf(keys, row)});`;
  // The names of the two rows are PL/pgSQL's own and work in quotes as well.
  const body = ddl`begin if tg_op <> 'INSERT' then ${note('old')} end if; if tg_op <> 'DELETE' then ${note('new')} end if; return null; end`;
  const owner = identifier(actAs.owner);
  return [
    ddl`create table ${queue} as select ${columns} from only ${old} with no data`,
    ddl`create function ${capture}() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as ${literal(body.text)}`,
    ddl`revoke all on function ${capture}() from public`,
    ...(actAs.how === 'superuser'
      ? [ddl`alter table ${queue} owner to ${owner}`, ddl`alter function ${capture}() owner to ${owner}`]
      : []),
  ];
}
