/** The roles that ops/roles.sql makes, under names of their own, and what they are refused. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { roleTest } from './roles.ts';

const ROLES = readFileSync(new URL('../../ops/roles.sql', import.meta.url), 'utf8');

type Name = 'owner' | 'service' | 'trigger' | 'reader';
export interface MadeRoles {
  readonly names: Readonly<Record<Name, string>>;
  /** Runs the file. @returns what it had to say */
  readonly run: (client: Client) => Promise<readonly string[]>;
  /** The database as the service; only once there is the role. */
  readonly serviceUrl: () => Promise<string>;
}

/** Names of the file's roles, which go at the end with everything they own. */
export const madeRolesTest = roleTest
  .extend('template', 'empty')
  .extend('made', async ({ database }, { onCleanup }): Promise<MadeRoles> => {
    const suffix = randomBytes(6).toString('hex');
    const names = {
      owner: `pk made Owner ${suffix}`,
      service: `pk made service ${suffix}`,
      trigger: `pk made trigger ${suffix}`,
      reader: `pk made reader ${suffix}`,
    };
    onCleanup(async () => {
      await database.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      const there = await database.query<{ name: string }>(
        'select rolname as name from pg_roles where rolname = any ($1)',
        [Object.values(names)],
      );
      for (const { name } of there)
        await database.query(
          `reassign owned by ${escapeIdentifier(name)} to current_user; drop owned by ${escapeIdentifier(name)} cascade`,
        );
      for (const { name } of there) await database.query(`drop role ${escapeIdentifier(name)}`);
    });
    return {
      names,
      async run(client) {
        const said: string[] = [];
        const onNotice = ({ message }: { message?: string | undefined }): void => void said.push(message ?? '');
        client.on('notice', onNotice);
        for (const [name, value] of Object.entries(names))
          await client.query(`select set_config('partkeeper.${name}', $1, false)`, [value]);
        await client.query(ROLES);
        client.off('notice', onNotice);
        return said;
      },
      async serviceUrl() {
        const password = randomBytes(12).toString('hex');
        await database.query(`alter role ${escapeIdentifier(names.service)} password '${password}'`);
        const url = new URL(database.url);
        url.username = encodeURIComponent(names.service);
        url.password = password;
        return url.href;
      },
    };
  });

/** The SQLSTATE with which it is refused; what is allowed is taken back. */
export const codeOf = async (client: Client, sql: string): Promise<string> => {
  // These two are for nobody's transaction.
  const isAlone = /^(create database|alter system)/.test(sql);
  if (!isAlone) await client.query('begin');
  try {
    await client.query(sql);
    return 'allowed';
  } catch (error) {
    return error instanceof DatabaseError ? `${error.code}` : String(error);
  } finally {
    if (!isAlone) await client.query('rollback');
  }
};

export const refusals = async (client: Client, statements: readonly string[]): Promise<Record<string, string>> => {
  const codes: Record<string, string> = {};
  for (const sql of statements) codes[sql] = await codeOf(client, sql);
  return codes;
};
export const DENIED = '42501';
