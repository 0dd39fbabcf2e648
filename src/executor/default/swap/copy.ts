/** Filling the copies while everybody goes on, and proving that they are what the default partition is. */
import { MaintenanceError } from '../../../domain/errors.ts';
import type { CreatePartition } from '../../../domain/plan.ts';
import { formatRelationName } from '../../../domain/relation.ts';
import { ddl, identifier, literal, type Statement } from '../../../postgres/ddl.ts';
import { type Attempt, becomeOwner } from '../../runner.ts';
import { keysOf, type SwapTables } from './tables.ts';

/** 4 MB a transaction: it holds up nobody, and VACUUM not for long. */
const PAGES_PER_STEP = 512;

/** By their place in the table, which needs no index. A row that moves meanwhile was changed, and is in the queue. */
export async function copyAll(action: CreatePartition, tables: SwapTables, attempt: Attempt): Promise<void> {
  const { session, step, execute } = attempt;
  const what = `copy ${formatRelationName(tables.old)}`;
  const asOwner = ownerOf(action, attempt, what);
  // What an earlier try has copied is copied again: nobody knows how far it came.
  await step(async () => {
    await asOwner();
    await execute(ddl`truncate table only ${tables.partition}, only ${tables.fresh}`, what);
  });
  const pages = await step(async () => {
    const [row] = await session.query<{ pages: number }>(
      ddl`select pg_relation_size(${literal(regclass(tables))}::regclass) / current_setting('block_size')::bigint as pages`
        .text,
      [],
      what,
    );
    return row?.pages ?? 0;
  });
  for (let from = 0; from < pages; from += PAGES_PER_STEP)
    await step(async () => {
      await asOwner();
      const place = ddl`ctid >= ${literal(`(${from},0)`)} and ctid < ${literal(`(${from + PAGES_PER_STEP},0)`)}`;
      // A row in the way is a former state of one that was changed; the queue has it.
      for (const statement of insertions(tables, place)) await execute(ddl`${statement} on conflict do nothing`, what);
    });
  for (const copy of [tables.partition, tables.fresh])
    await step(async () => {
      await asOwner();
      await execute(ddl`analyze ${copy}`, what);
    });
}

const regclass = ({ old }: SwapTables): string => ddl`${old}`.text;

const insertions = (
  { columns, partition, fresh, old, inWindow }: SwapTables,
  which: Statement,
): readonly Statement[] => [
  ddl`insert into ${partition} (${columns}) select ${columns} from only ${old} where ${which} and (${inWindow})`,
  ddl`insert into ${fresh} (${columns}) select ${columns} from only ${old} where ${which} and (${inWindow}) is not true`,
];

/** Brings the rows of the queue up to date in the copies; in a transaction in which nothing is added to the queue, or seen of it. */
export async function applyQueue(tables: SwapTables, { execute }: Attempt): Promise<void> {
  const what = `apply changes of ${formatRelationName(tables.old)}`;
  const { keys, queue } = tables;
  const columns = keys.map(key => ddl`${identifier(key)}`);
  // Every table has an index on the key, and the queue is short, whatever the statistics may say.
  await execute(ddl`set local enable_seqscan = off`, what);
  for (const copy of [tables.partition, tables.fresh])
    await execute(
      ddl`delete from only ${copy} c using ${queue} q where (${keysOf(keys, 'c')}) = (${keysOf(keys, 'q')})`,
      what,
    );
  const isChanged = ddl`(${columns}) in (select ${columns} from ${queue})`;
  for (const statement of insertions(tables, isChanged)) await execute(statement, what);
}

export async function countQueue({ queue, old }: SwapTables, { session }: Pick<Attempt, 'session'>): Promise<number> {
  const [row] = await session.query<{ n: number }>(
    ddl`select count(*) as n from ${queue}`.text,
    [],
    `count the changes of ${formatRelationName(old)}`,
  );
  return row?.n ?? 0;
}

/**
 * One round: of one and the same moment are the changes that it applies, the rows that it takes and the queue that it empties.
 *
 * @returns how many keys there were
 */
export const catchUp = (
  action: CreatePartition,
  tables: SwapTables,
  attempt: Attempt,
  { andProve }: { readonly andProve: boolean },
): Promise<number> =>
  attempt.step(async () => {
    const what = `apply changes of ${formatRelationName(tables.old)}`;
    // First of all, before anything is read.
    await attempt.execute(ddl`set transaction isolation level repeatable read`, what);
    await ownerOf(action, attempt, what)();
    const changes = await countQueue(tables, attempt);
    await applyQueue(tables, attempt);
    await attempt.execute(ddl`delete from ${tables.queue}`, what);
    if (andProve) await prove(tables, attempt);
    return changes;
  });

/** Row by row, as text: not every type can be compared. */
async function prove(tables: SwapTables, { session, execute }: Attempt): Promise<void> {
  const { columns, old, partition, fresh } = tables;
  const what = `compare the copies of ${formatRelationName(old)}`;
  await execute(ddl`set local enable_seqscan = on`, what);
  const sumOf = (source: Statement): Statement =>
    ddl`(select count(*) || ' ' || coalesce(sum(hashtextextended(row(${columns})::text, 0)::numeric), 0) from ${source})`;
  const copies = ddl`(select ${columns} from only ${partition} union all select ${columns} from only ${fresh}) c`;
  const [row] = await session.query<{ is_same: boolean }>(
    ddl`select ${sumOf(ddl`only ${old}`)} = ${sumOf(copies)} as is_same`.text,
    [],
    what,
  );
  if (row?.is_same !== true)
    throw new MaintenanceError(
      'UNEXPECTED',
      `the copies of ${formatRelationName(old)} are not what it is; nothing was changed`,
      {
        hint: 'Please report this, with the definition of the table.',
      },
    );
}

/** As the owner, and rather an error than rows that are not seen. */
export const ownerOf =
  ({ actAs }: CreatePartition, { execute }: Attempt, what: string) =>
  async (): Promise<void> => {
    for (const statement of becomeOwner(actAs)) await execute(statement, what);
    await execute(ddl`set local row_security = off`, what);
  };
