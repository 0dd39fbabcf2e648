/** A database that a process loses sight of at a certain statement, as if it had been killed there. */
import { MaintenanceError } from '../../src/domain/errors.ts';
import type { Database } from '../../src/postgres/database.ts';
import type { Session } from '../../src/postgres/session.ts';

export interface Mortal {
  readonly database: Database;
  /** Statements so far, the one that was not sent any more included. */
  readonly statements: readonly string[];
}

/**
 * From its `number`-th statement on, counted from one, nothing reaches the server any more but the ROLLBACK with which a server
 * ends the transaction of somebody who has gone.
 *
 * @param accident done before that statement, which is then sent; nothing else is kept from the server
 */
export function mortalAt(
  database: Database,
  number: number,
  accident?: (session: Session) => Promise<unknown>,
): Mortal {
  const statements: string[] = [];
  const before = async (session: Session, text: string): Promise<void> => {
    statements.push(text);
    if (accident === undefined ? statements.length >= number : false)
      throw new MaintenanceError('CONNECTION_LOST', `killed at ${text}`);
    if (accident !== undefined && statements.length === number) await accident(session);
  };
  const over = (session: Session): Session => ({
    async query(sql, parameters, attempted) {
      await before(session, sql);
      return session.query(sql, parameters, attempted);
    },
    async execute(statement, attempted) {
      await before(session, statement.text);
      return session.execute(statement, attempted);
    },
    transaction: (budget, work) => session.transaction(budget, work),
  });
  return {
    statements,
    database: {
      ...database,
      use: (work, signal) => database.use(session => work(over(session)), signal),
      read: (work, signal) => database.read(session => work(over(session)), signal),
    },
  };
}
