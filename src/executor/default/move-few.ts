/**
 * Few rows: moved in the transaction that attaches their partition. Everybody waits at the parent until it is over, so the
 * bound on the rows is what keeps it within the budget.
 *
 * A weaker lock on the parent, which lets readers through, would hide the rows from some of them: who has seen which partitions
 * there are, and then waits at the default partition, reads that one without its rows and the new one not at all.
 */
import { MaintenanceError } from '../../domain/errors.ts';
import type { BesideDefault, CreatePartition } from '../../domain/plan.ts';
import type { StatementBudget } from '../../domain/policy.ts';
import { formatRelationName } from '../../domain/relation.ts';
import { ddl, literal } from '../../postgres/ddl.ts';
import { makeAndAttach } from '../attach-partition.ts';
import type { Attempt, Done } from '../runner.ts';
import { defaultFound } from './look.ts';
import { isInWindow } from './range.ts';
import { readShape } from './shape.ts';

/** About what the slowest insert takes when nobody is in its way. */
export const WAIT_WITH_PARENT_LOCKED_MS = 20;

/** 30 ms for 1,000 rows in three indexes were measured, on a busy machine. */
export const isMovedInTime = (rows: number, { lockTimeoutMs }: StatementBudget): boolean =>
  rows <= lockTimeoutMs * ROWS_PER_MS;

const ROWS_PER_MS = 10;

export const moveFew = (action: CreatePartition, beside: BesideDefault, attempt: Attempt): Promise<Done> =>
  makeAndAttach(action, attempt, {
    before: async () => {
      const { session, execute } = attempt;
      const source = beside.relation;
      const what = `move rows from ${formatRelationName(source)} to ${formatRelationName(action.relation)}`;
      await execute(ddl`lock table only ${action.target} in access exclusive mode`, what);
      // With everybody waiting already: hardly a moment for who uses the default partition by its own name, rather another try.
      await execute(ddl`set local lock_timeout = ${literal(`${WAIT_WITH_PARENT_LOCKED_MS}ms`)}`, what);
      await execute(ddl`lock table only ${source} in access exclusive mode`, what);
      await defaultFound(session, action, beside);
      // Rather an error than rows that are not seen.
      await execute(ddl`set local row_security = off`, what);
      const { columns } = await readShape(session, action, beside);
      const inWindow = isInWindow(action, beside);
      const insert = ddl`insert into ${action.relation} (${columns}) select ${columns} from only ${source} where ${inWindow}`;
      await execute(insert, what);
      const [deleted] = await session.query<{ rows: number }>(
        // Both counts are the server's at once: they would come after the ANALYZE that follows, which would be due again.
        ddl`with gone as (delete from only ${source} where ${inWindow} returning 1)
          select count(*) as rows, pg_stat_force_next_flush() from gone`.text,
        [],
        what,
      );
      const rows = deleted?.rows ?? 0;
      if (!isMovedInTime(rows / 2, attempt.budget))
        throw new MaintenanceError(
          'STALE_PLAN',
          `could not ${what}: there are ${rows} by now, too many to be moved at once`,
        );
      return { rows };
    },
  });
