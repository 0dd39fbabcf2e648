/** A database between whose statements something happens: a process is killed there, a backend ended, a table altered. */
import { MaintenanceError } from '../../src/domain/errors.ts';
import type { RelationName } from '../../src/domain/relation.ts';
import type { Instant } from '../../src/domain/time.ts';
import type { Database } from '../../src/postgres/database.ts';
import type { Session } from '../../src/postgres/session.ts';
import { type Runner, runJob } from '../../src/run-job.ts';

/** Right before a statement is sent. What it throws keeps the statement from the server. */
export type Accident = (text: string, number: number, session: Session) => Promise<unknown>;

/** @returns the database, and the statements as they come */
export function withAccident(
  database: Database,
  accident: Accident,
): { readonly database: Database; readonly statements: readonly string[] } {
  const statements: string[] = [];
  const before = async (session: Session, text: string): Promise<void> => {
    statements.push(text);
    await accident(text, statements.length, session);
  };
  const over = (session: Session): Session => ({
    pid: session.pid,
    async query(sql, parameters, attempted) {
      await before(session, sql);
      return session.query(sql, parameters, attempted);
    },
    async execute(statement, attempted) {
      await before(session, statement.text);
      return session.execute(statement, attempted);
    },
    async executeUnbounded(statement, attempted) {
      await before(session, statement.text);
      return session.executeUnbounded(statement, attempted);
    },
    transaction: (budget, work) => session.transaction(budget, work),
  });
  return {
    statements,
    database: {
      ...database,
      use: (work, signal) => database.use(session => work(over(session)), signal),
      useOnce: (work, signal) => database.useOnce(session => work(over(session)), signal),
      read: (work, signal) => database.read(session => work(over(session)), signal),
    },
  };
}

/**
 * The process is killed at its `number`-th statement, counted from one: from then on nothing reaches the server but the ROLLBACK
 * with which it ends the transaction of somebody who has gone.
 */
export const killedAt =
  (number: number): Accident =>
  async (text, at) => {
    if (at >= number) throw new MaintenanceError('CONNECTION_LOST', `killed at ${text}`);
  };

/** Once, before the first statement of this kind. */
export function onceBefore(pattern: RegExp, work: () => Promise<unknown>): Accident {
  let isDone = false;
  return async text => {
    if (isDone || !pattern.test(text)) return;
    isDone = true;
    await work();
  };
}

/** A run of provision with an accident, and with clocks that stand still. */
export function provisionWith(runner: Runner, accident: Accident, target: RelationName, at: Instant) {
  const never = new AbortController().signal;
  return runJob(
    { ...runner, database: withAccident(runner.database, accident).database },
    {
      job: 'provision',
      targets: [target],
      origin: { trigger: 'manual' },
      isAskedFor: false,
      signal: never,
      stopping: never,
      at,
    },
  );
}
