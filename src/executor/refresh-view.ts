/** Refreshes a materialized view and remembers it in the same transaction, so that both have happened or neither. */
import { MaintenanceError } from '../domain/errors.ts';
import type { RefreshView } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { ddl, type Statement } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { holdsLock, readBlockers, refuseIfBlocked } from './blockers.ts';
import { type ActionKindDefinition, becomeOwner } from './runner.ts';

export const refreshView: ActionKindDefinition<RefreshView> = {
  statements: action => [...becomeOwner(action.actAs), refresh(action)],
  async run(action, { session, budget, transaction, execute }) {
    const what = `refresh ${formatRelationName(action.relation)}`;
    // Readers would queue behind our ACCESS EXCLUSIVE while it waits for one of them.
    if (!action.concurrently)
      refuseIfBlocked((await readBlockers(session, [action.view], budget.passingMs)).filter(holdsLock), what);
    return transaction(async () => {
      await viewFound(session, action);
      for (const statement of becomeOwner(action.actAs)) await execute(statement, what);
      await execute(refresh(action), what);
      if (action.remember) await remember(session, action);
      return { outcome: 'done' };
    });
  },
};

// CONCURRENTLY takes EXCLUSIVE on the view: readers go on, a second refresh waits.
const refresh = ({ relation, concurrently }: RefreshView): Statement =>
  concurrently ? ddl`refresh materialized view concurrently ${relation}` : ddl`refresh materialized view ${relation}`;

async function viewFound(session: Session, { view, relation }: RefreshView): Promise<void> {
  const rows = await session.query(
    "select from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1 and n.nspname = $2 and c.relname = $3 and c.relkind = 'm'",
    [view, relation.schema, relation.name],
    `look at ${formatRelationName(relation)} again`,
  );
  if (rows.length === 0)
    throw new MaintenanceError(
      'STALE_PLAN',
      `${formatRelationName(relation)} was dropped, renamed or replaced since the plan was made`,
    );
}

async function remember(
  session: Session,
  { view, relation, fingerprint, concurrently, actAs }: RefreshView,
): Promise<void> {
  if (actAs.how === 'set-role') await session.execute(ddl`reset role`, 'become ourselves again');
  await session.query(
    `insert into partkeeper.view_refreshes as v (view, relation, refreshed_at, fingerprint, is_concurrent, duration_ms)
     values ($1, $2, now(), $3, $4, extract(epoch from clock_timestamp() - now()) * 1000)
     on conflict (view) do update set relation = excluded.relation, refreshed_at = excluded.refreshed_at,
       fingerprint = excluded.fingerprint, is_concurrent = excluded.is_concurrent, duration_ms = excluded.duration_ms`,
    [view, formatRelationName(relation), fingerprint ?? null, concurrently],
    `remember the refresh of ${formatRelationName(relation)}`,
  );
}
