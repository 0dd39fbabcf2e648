/**
 * Holds something on a server until it is killed: `lock` that of a run, and is idle; `table` that, in a transaction, and `session` nothing
 * else, both with an answer that is on its way two seconds later. Writes a line once it does. Arguments: which, and the address.
 */

import type { DatabaseOptions } from '../../src/domain/database.ts';
import { openDatabase } from '../../src/postgres/database.ts';
import { lockOver } from '../../src/postgres/run-lock.ts';
import type { Session } from '../../src/postgres/session.ts';

const [, , what, url = ''] = process.argv;
const options: DatabaseOptions = {
  connectionString: url,
  host: undefined,
  port: undefined,
  user: undefined,
  database: undefined,
  password: undefined,
  sslMode: undefined,
  pool: 1,
  connectTimeoutMs: 5_000,
};
const budget = {
  lockTimeoutMs: 1_000,
  lockAttempts: 1,
  statementTimeoutMs: 60_000,
  deferOlderThanMs: 60_000,
  passingMs: 1_000,
  patienceMs: 1_000,
};
const tell = (): void => void process.stdout.write('held\n');

if (what === 'lock') {
  await lockOver(options)('provision/public.events');
  tell();
  setInterval(() => {}, 60_000);
} else {
  const hold = async (session: Session): Promise<void> => {
    if (what === 'table')
      await session.query('lock table public.events in access exclusive mode', [], 'lock the table');
    tell();
    await session.query("select pg_sleep(2), repeat('x', 1000)", [], 'have an answer come');
  };
  await openDatabase(options, budget).use(session =>
    what === 'table' ? session.transaction(budget, () => hold(session)) : hold(session),
  );
}
