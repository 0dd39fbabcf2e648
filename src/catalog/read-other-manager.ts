/** Is a table managed by another tool as well? Known by the configuration that pg_partman keeps in the database. */
import { asMaintenanceError, type ErrorCode } from '../domain/errors.ts';
import type { PartitionedTableFacts } from '../domain/facts.ts';
import type { RelationName } from '../domain/relation.ts';
import { ddl } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';

/** pg_partman spells its tables without quotes, whatever they are called. */
const spellingOfPartman = ({ schema, name }: RelationName): string => `${schema}.${name}`;

/** @param schema where its configuration is, and can be read; undefined where it is not */
export async function readOtherManager(
  session: Session,
  tables: readonly PartitionedTableFacts[],
  schema: string | undefined,
): Promise<(table: PartitionedTableFacts) => RelationName | undefined> {
  if (schema === undefined || tables.length === 0) return () => undefined;
  const config = { schema, name: 'part_config' };
  const read = ddl`select parent_table::text as name from ${config} where parent_table = any ($1::text[])`;
  const names = tables.map(({ relation }) => spellingOfPartman(relation));
  const rows = await session
    .query<{ name: string }>(read.text, [names], 'read what pg_partman manages')
    .catch(error => {
      // Locked, altered or forbidden since a moment ago: somebody else's table is not worth our facts.
      if (BEYOND_OUR_FACTS.has(asMaintenanceError(error).code)) return [];
      throw error;
    });
  const managed = new Set(rows.map(({ name }) => name));
  return ({ relation }) => (managed.has(spellingOfPartman(relation)) ? config : undefined);
}

const BEYOND_OUR_FACTS: ReadonlySet<ErrorCode> = new Set([
  'LOCK_UNAVAILABLE',
  'PERMISSION_DENIED',
  'RELATION_MISSING',
  'UNEXPECTED',
]);
