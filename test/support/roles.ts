/** Roles belong to the whole server: these have names of their own, and go with everything they own before the database does. */
import { randomBytes } from 'node:crypto';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { partkeeperTest } from './partkeeper.ts';

export interface TestRole {
  readonly name: string;
  /** Quoted, for statements. */
  readonly sql: string;
  /** The test database as this role; useless without `login`. */
  readonly url: string;
}

/** `await role('login noinherit')` makes a role with these attributes, and a password when it may log in. */
export const roleTest = partkeeperTest.extend('role', ({ database }, { onCleanup }) => {
  const names: string[] = [];
  onCleanup(async () => {
    if (names.length === 0) return;
    // A test that failed may have left transactions open, and their locks would be waited for without an end.
    await database.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    for (const name of names) {
      await database.query(`reassign owned by ${name} to current_user`);
      await database.query(`drop owned by ${name} cascade`);
    }
    // Last: a member cannot hold on to a role that is gone.
    for (const name of names) await database.query(`drop role ${name}`);
  });
  return async (attributes = 'nologin', kind = 'role'): Promise<TestRole> => {
    const name = `pk ${kind} ${randomBytes(6).toString('hex')}`;
    const sql = escapeIdentifier(name);
    const password = randomBytes(12).toString('hex');
    await database.query(`create role ${sql} ${attributes} password ${escapeLiteral(password)}`);
    names.push(sql);
    const url = new URL(database.url);
    url.username = encodeURIComponent(name);
    url.password = password;
    return { name, sql, url: url.href };
  };
});
