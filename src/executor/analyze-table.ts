/** Runs ANALYZE, outside a transaction: it would hold SHARE UPDATE EXCLUSIVE on every partition until the end otherwise. */
import { asMaintenanceError, MaintenanceError } from '../domain/errors.ts';
import type { AnalyzeTable } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { ddl, identifier, type Statement } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import type { ActionKindDefinition, Attempt } from './runner.ts';

export const analyzeTable: ActionKindDefinition<AnalyzeTable> = {
  statements: action => [...becomeOwnerForSession(action), analyze(action)],
  async run(action, { session, execute, conclude }) {
    const what = `analyze ${formatRelationName(action.relation)}`;
    const expected = await readExpected(session, action);
    await asOwner(action, execute, () => execute(analyze(action), what));
    const passedOver = await readPassedOver(session, action, expected);
    if (passedOver.length > 0)
      throw new MaintenanceError(
        'PERMISSION_DENIED',
        `could not ${what} as a whole: the server passed over ${passedOver.map(formatRelationName).join(', ')}`,
        { hint: 'Give partitions the same owner as their parent; ANALYZE without the right only warns.' },
      );
    return conclude({ outcome: 'done' });
  },
};

/** Not for a transaction, so what was become is given up by hand; a session that failed to is of no more use. */
async function asOwner(action: AnalyzeTable, execute: Attempt['execute'], work: () => Promise<void>): Promise<void> {
  const roles = becomeOwnerForSession(action);
  let failure: MaintenanceError | undefined;
  try {
    for (const statement of roles) await execute(statement, `analyze ${formatRelationName(action.relation)}`);
    await work();
  } catch (error) {
    failure = asMaintenanceError(error);
  }
  try {
    if (roles.length > 0) await execute(ddl`reset role`, 'become ourselves again');
  } catch (error) {
    const { code, message } = asMaintenanceError(error);
    // Its code decides over the session, but what went wrong first is what a person wants to read.
    failure = new MaintenanceError(code, failure?.message ?? message, {
      cause: failure ?? error,
      hint: failure?.hint,
      sqlstate: failure?.sqlstate,
    });
  }
  if (failure !== undefined) throw failure;
}

// Without the right, ANALYZE only warns and does nothing: hence as the owner.
const becomeOwnerForSession = ({ actAs }: AnalyzeTable): readonly Statement[] =>
  actAs.how === 'set-role' ? [ddl`set role ${identifier(actAs.owner)}`] : [];

const analyze = ({ relation, only }: AnalyzeTable): Statement =>
  only ? ddl`analyze only ${relation}` : ddl`analyze ${relation}`;

/** What the statement is about to read. */
interface Expected {
  readonly tables: readonly number[];
  readonly since: string;
}

async function readExpected(session: Session, { table, relation, only }: AnalyzeTable): Promise<Expected> {
  const [row] = await session.query<{ tables: readonly number[] | null; since: string }>(
    `with recursive tree as (
       select $1::oid as oid
       union all
       select i.inhrelid from tree t join pg_inherits i on i.inhparent = t.oid and not i.inhdetachpending and not $2
     )
     select json_agg(c.oid::bigint) as tables, clock_timestamp() as since
     from tree t join pg_class c on c.oid = t.oid
     where (c.relkind = 'r' or c.oid = $1) and exists (
       select from pg_class a join pg_namespace n on n.oid = a.relnamespace where a.oid = $1 and n.nspname = $3 and a.relname = $4
     )`,
    [table, only, relation.schema, relation.name],
    `see what belongs to ${formatRelationName(relation)}`,
  );
  if (!row?.tables)
    throw new MaintenanceError(
      'STALE_PLAN',
      `${formatRelationName(relation)} was dropped, renamed or replaced since the plan was made`,
    );
  return { tables: row.tables, since: row.since };
}

/** Without the right on a table, the server only warns: whether it was done shows in its figures, where it keeps them. */
const readPassedOver = (
  session: Session,
  { relation }: AnalyzeTable,
  { tables, since }: Expected,
): Promise<readonly RelationName[]> =>
  session.query<RelationName>(
    `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = any ($1::oid[]) and current_setting('track_counts')::bool
       and coalesce(pg_stat_get_last_analyze_time(c.oid) < $2::timestamptz, true)
     order by 1, 2`,
    [tables, since],
    `see whether ${formatRelationName(relation)} was analysed`,
  );
