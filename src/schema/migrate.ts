/**
 * Applies the two sets of migrations: partkeeper's own bookkeeping, and the bundled schema of events and sessions.
 *
 * node-pg-migrate reads, orders and records them. Around it this file keeps three promises: runs wait for each other, each
 * set is applied or taken back in one transaction, and the session is given back as it was found.
 */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { MaintenanceError } from '../domain/errors.ts';
import { ddl, identifier } from '../postgres/ddl.ts';
import { classify } from '../postgres/sqlstate.ts';

export type MigrationSet = 'bookkeeping' | 'bundled';

export interface MigrationStatus {
  readonly set: MigrationSet;
  /** The file's name without direction and ending, such as `0001_events`. */
  readonly name: string;
  /** Null while it is pending. */
  readonly appliedAt: Date | null;
}

/** Where each set lives, and which table of schema `partkeeper` remembers what was applied. */
const SETS = {
  bookkeeping: { folder: new URL('../../sql/bookkeeping/', import.meta.url), table: 'bookkeeping_migrations' },
  bundled: { folder: new URL('../../sql/schema/', import.meta.url), table: 'bundled_migrations' },
} as const satisfies Record<MigrationSet, { folder: URL; table: string }>;

const SCHEMA = 'partkeeper';
/** Tells a schema of ours from one that an administrator made for us: that one stays. */
const SCHEMA_COMMENT = "partkeeper's own records.";

/** Not node-pg-migrate's default key: an application that uses the library too shall not be stopped by us. */
const LOCK_KEY = 7_240_118_235_871;

/**
 * Applies what is pending, in the order of `sets` and of the files' numbers. Several callers may do so at once: one applies,
 * the others wait and find nothing to do.
 *
 * @param client connected directly, not through a transaction pooler; its owner goes on using it afterwards
 * @returns the names applied, in order
 */
export async function migrateUp(
  client: pg.ClientBase,
  sets: readonly MigrationSet[],
  log: (line: string) => void = () => {},
): Promise<readonly string[]> {
  return alone(client, async () => {
    const applied: string[] = [];
    for (const set of sets) {
      const names = await run(client, set, 'up', Number.POSITIVE_INFINITY);
      for (const name of names) log(`applied ${set} migration ${name}`);
      applied.push(...names);
    }
    return applied;
  });
}

/**
 * Takes back the `count` migrations applied last, whichever of `sets` they are from. Tables go with all their rows. Once
 * nothing of a set is applied its record goes too, and schema `partkeeper` with the last thing in it.
 *
 * @returns the names taken back, newest first
 */
export async function migrateDown(
  client: pg.ClientBase,
  sets: readonly MigrationSet[],
  { count = 1 }: { readonly count?: number } = {},
): Promise<readonly string[]> {
  return alone(client, async () => {
    const applied = (await migrationStatus(client, sets)).filter(({ appliedAt }) => appliedAt !== null);
    // The sort is stable: what was applied in one transaction stays in reversed order of its numbers.
    const newestFirst = applied.toReversed().sort((a, b) => Number(b.appliedAt) - Number(a.appliedAt));
    const perSet = new Map<MigrationSet, number>();
    for (const { set } of newestFirst.slice(0, count)) perSet.set(set, (perSet.get(set) ?? 0) + 1);

    const undone: string[] = [];
    for (const [set, some] of perSet) {
      undone.push(...(await run(client, set, 'down', some)));
      await forgetEmptySet(client, set);
    }
    return undone;
  });
}

/** Every migration of `sets` in their order, applied or pending. Only reads, and needs no more than the right to. */
export async function migrationStatus(
  client: pg.ClientBase,
  sets: readonly MigrationSet[],
): Promise<readonly MigrationStatus[]> {
  const all: MigrationStatus[] = [];
  for (const set of sets) {
    const applied = await readApplied(client, set);
    for (const name of await namesOf(set)) all.push({ set, name, appliedAt: applied.get(name) ?? null });
  }
  return all;
}

async function namesOf(set: MigrationSet): Promise<readonly string[]> {
  const files = await readdir(SETS[set].folder);
  return files
    .filter(file => file.endsWith('.up.sql'))
    .map(file => file.slice(0, -'.up.sql'.length))
    .sort();
}

async function run(
  client: pg.ClientBase,
  set: MigrationSet,
  direction: 'up' | 'down',
  count: number,
): Promise<readonly string[]> {
  // Imported late: it takes longer to load than the service to start, and a database that is up to date has no use for it.
  const { runner } = await import('node-pg-migrate');
  try {
    await ensureSchema(client);
    const done = await runner({
      dbClient: client,
      dir: fileURLToPath(SETS[set].folder),
      // Up and down are files of their own, so that feeding one of them to psql never runs the other as well.
      migrationLoaderStrategies: [{ extensions: ['.sql'], loader: 'sql' }],
      ignorePattern: '(?!.*\\.sql$).*',
      migrationsSchema: SCHEMA,
      migrationsTable: SETS[set].table,
      direction,
      count,
      singleTransaction: true,
      // The lock is held already: the library would let it go between two sets.
      noLock: true,
      logger: SILENT,
    });
    return done.map(({ name }) => name);
  } catch (error) {
    // A first run that failed leaves no empty record behind. Should this fail too, the first error is the one to tell.
    await forgetEmptySet(client, set).catch(() => {});
    throw explain(error, `${direction === 'up' ? 'apply' : 'take back'} the ${set} migrations`);
  }
}

/** What the library has to say is either returned or thrown. */
const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

/** The migrations say themselves what to do about it. */
function explain(error: unknown, attempted: string): MaintenanceError {
  const { code, message, hint, sqlstate } = classify(error, attempted);
  const own = error instanceof Error ? Reflect.get(error, 'hint') : undefined;
  return new MaintenanceError(code, message, { cause: error, sqlstate, hint: typeof own === 'string' ? own : hint });
}

// Not "if not exists": that wants the right to create schemas even where there is nothing to create.
async function ensureSchema(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query('select from pg_catalog.pg_namespace where nspname = $1', [SCHEMA]);
  if (rows.length > 0) return;
  const schema = identifier(SCHEMA);
  await client.query(ddl`create schema ${schema}; comment on schema ${schema} is ${{ literal: SCHEMA_COMMENT }}`.text);
}

const recordOf = (set: MigrationSet) => ({ schema: SCHEMA, name: SETS[set].table });

async function readApplied(client: pg.ClientBase, set: MigrationSet): Promise<ReadonlyMap<string, Date>> {
  const { schema, name } = recordOf(set);
  const { rows: found } = await client.query(
    `select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2`,
    [schema, name],
  );
  if (found.length === 0) return new Map();
  // The library's column has no zone; what stands in it was written by a session in UTC, see alone().
  const { rows } = await client.query<{ name: string; ms: number }>(
    ddl`select name, (extract(epoch from run_on) * 1000)::float8 as ms from ${recordOf(set)}`.text,
  );
  return new Map(rows.map(row => [row.name, new Date(row.ms)]));
}

async function forgetEmptySet(client: pg.ClientBase, set: MigrationSet): Promise<void> {
  if ((await readApplied(client, set)).size > 0) return;
  await client.query(ddl`drop table if exists ${recordOf(set)}`.text);
  const { rows } = await client.query(
    `select from pg_catalog.pg_namespace n
     where n.nspname = $1 and pg_catalog.obj_description(n.oid, 'pg_namespace') = $2
       and not exists (select from pg_catalog.pg_depend d
                       where d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.refobjid = n.oid)`,
    [SCHEMA, SCHEMA_COMMENT],
  );
  if (rows.length > 0) await client.query(ddl`drop schema ${identifier(SCHEMA)}`.text);
}

/**
 * What a migration wants from its session. Waiting for another run has no time limit, and every migration sets a
 * lock_timeout of its own; the zone decides what the library writes into its zoneless column.
 */
const SETTINGS = {
  TimeZone: 'UTC',
  search_path: 'pg_catalog, pg_temp',
  lock_timeout: '0',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
} as const satisfies Record<string, string>;

/** Runs `work` while no other migration runs on this database. */
async function alone<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  const { rows: found } = await client.query<{ name: string; value: string }>(
    'select name, pg_catalog.current_setting(name) as value from pg_catalog.unnest($1::text[]) as name',
    [Object.keys(SETTINGS)],
  );
  await applySettings(client, SETTINGS);
  const giveBack = async (): Promise<void> => {
    await client.query('select pg_catalog.pg_advisory_unlock($1)', [LOCK_KEY]);
    await applySettings(client, Object.fromEntries(found.map(({ name, value }) => [name, value])));
  };
  await client.query('select pg_catalog.pg_advisory_lock($1)', [LOCK_KEY]);
  try {
    const result = await work();
    await giveBack();
    return result;
  } catch (error) {
    // Should this fail as well, the connection is gone, and the lock with it. The first error is the one to tell.
    await giveBack().catch(() => {});
    throw error;
  }
}

const applySettings = (client: pg.ClientBase, settings: Readonly<Record<string, string>>): Promise<unknown> =>
  client.query(
    'select pg_catalog.set_config(name, value, false) from pg_catalog.jsonb_each_text($1::jsonb) as s (name, value)',
    [JSON.stringify(settings)],
  );
