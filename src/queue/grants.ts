/** The rights that the service needs on its own tables when another role has made them: nothing there may be created. */
import type { Client } from 'pg';
import { MaintenanceError } from '../domain/errors.ts';
import { ddl, identifier, type Statement } from '../postgres/ddl.ts';
import { classify } from '../postgres/sqlstate.ts';

type Right = 'select' | 'insert' | 'update' | 'delete';

const RIGHTS: { readonly [K in Right]: Statement } = {
  select: ddl`select`,
  insert: ddl`insert`,
  update: ddl`update`,
  delete: ddl`delete`,
};

/** Of the ledger; what its partitions hold is reached through these. */
const LEDGER: Readonly<Record<string, readonly Right[]>> = {
  runs: ['select', 'insert', 'update'],
  actions: ['select', 'insert', 'update'],
  // Written by `pause` and `resume`, which are run as the same role.
  pauses: ['select', 'insert', 'update', 'delete'],
  targets: ['select', 'insert', 'update', 'delete'],
  view_refreshes: ['select', 'insert', 'update'],
  retirements: ['select', 'insert', 'update', 'delete'],
  retentions: ['select', 'insert', 'update', 'delete'],
  identity: ['select', 'insert', 'update'],
  drains: ['select', 'insert', 'update', 'delete'],
};

/** Every table of partkeeper's own that this version works with. */
export const OWN_TABLES: readonly string[] = Object.keys(LEDGER);

/** Of the queue, as `openBoss` sets pg-boss up, which works on the partition `job_common`; ticks that are left out go through `job`. */
const QUEUE: Readonly<Record<string, readonly Right[]>> = {
  version: ['select'],
  queue: ['select', 'update'],
  job: ['select', 'insert'],
  job_common: ['select', 'insert', 'update', 'delete'],
  job_dependency: ['select', 'delete'],
};

/** What is granted, for people and for tests: `partkeeper.runs: select, insert, update`. */
export const grantedRights = (queueSchema: string): Readonly<Record<string, readonly Right[]>> =>
  Object.fromEntries(
    [...entriesOf(queueSchema)].flatMap(([schema, tables]) =>
      Object.entries(tables).map(([table, rights]) => [`${schema}.${table}`, rights]),
    ),
  );

const entriesOf = (queueSchema: string): ReadonlyMap<string, Readonly<Record<string, readonly Right[]>>> =>
  new Map([
    ['partkeeper', LEDGER],
    [queueSchema, QUEUE],
  ]);

/**
 * Idempotent. Takes no right away that the role has already.
 *
 * @returns what a person should know about the role, a line each
 */
export async function grantTo(client: Client, role: string, queueSchema: string): Promise<readonly string[]> {
  const { rows } = await client.query('select from pg_catalog.pg_roles where rolname = $1', [role]);
  if (rows.length === 0) throw new MaintenanceError('USAGE', `--grant-to: there is no role ${role}`);
  const statements = [
    ...[...entriesOf(queueSchema)].flatMap(([schema, tables]) => [
      ddl`grant usage on schema ${identifier(schema)} to ${identifier(role)}`,
      ...Object.entries(tables).map(
        ([name, rights]) =>
          ddl`grant ${rights.map(right => RIGHTS[right])} on table ${{ schema, name }} to ${identifier(role)}`,
      ),
    ]),
    ddl`grant execute on function partkeeper.trigger(text, text, text, text) to ${identifier(role)}`,
  ];
  try {
    // As one text it is one transaction.
    await client.query(statements.map(({ text }) => text).join(';\n'));
  } catch (error) {
    throw classify(error, `grant ${role} what the service needs`);
  }
  return noteOnOwner(client, role);
}

/** Partitions of the ledger are made and dropped like any other: by its owner, or a role that may act as the owner. */
async function noteOnOwner(client: Client, role: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ owner: string }>(
    `select pg_catalog.pg_get_userbyid(c.relowner) as owner
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'partkeeper' and c.relname = 'runs' and not pg_catalog.pg_has_role($1::name, c.relowner, 'member')`,
    [role],
  );
  return rows.map(
    ({ owner }) =>
      `${role} cannot act as ${owner}, who owns the ledger: make it a member (grant "${owner}" to "${role}"), or run 'partkeeper apply --job provision' and '--job retire' as ${owner} once a month`,
  );
}
