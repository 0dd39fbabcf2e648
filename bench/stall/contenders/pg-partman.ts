/** pg_partman 4, as Debian packages it: its functions in the database, called over one connection that is open already. */
import { Client } from 'pg';
import { type Contender, PREMAKE, RETENTION_DAYS } from './contender.ts';

export const pgPartman: Contender = {
  name: 'pg_partman',
  title: 'pg_partman',
  absence: async client => {
    const { rows } = await client.query<{ version: string }>(
      `select default_version as version from pg_available_extensions where name = 'pg_partman'`,
    );
    const version = rows[0]?.version;
    if (version === undefined)
      return 'the extension is not installed on this server (Debian 12: apt-get install postgresql-15-partman)';
    return version.startsWith('4.')
      ? undefined
      : `version ${version} is installed, and this bench speaks that of version 4 only`;
  },
  prepare: async ({ url, client, signal }) => {
    await client.query('create schema partman; create extension pg_partman schema partman');
    await client.query(
      `select partman.create_parent('bench.events', 'ts', 'native', 'daily', p_premake := ${PREMAKE},
         p_start_partition := (date_trunc('day', now()) - interval '${RETENTION_DAYS} days')::text)`,
    );
    await client.query(
      `update partman.part_config set retention = '${RETENTION_DAYS} days', retention_keep_table = false where parent_table = 'bench.events'`,
    );
    const session = new Client({ connectionString: url, application_name: 'pg_partman' });
    session.on('error', () => undefined);
    let warning: string | undefined;
    session.on('notice', ({ severity, message }) => {
      if (severity === 'WARNING') warning ??= message;
    });
    await session.connect();
    signal.throwIfAborted();
    return {
      pass: async () => {
        warning = undefined;
        // Without its ANALYZE of the whole table, which nobody else here does either.
        await session.query(`select partman.run_maintenance('bench.events', p_analyze := false)`);
        return warning;
      },
      close: () => session.end(),
    };
  },
};
