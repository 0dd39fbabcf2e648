/**
 * Does a row of the last moment that a new partition covers land in it? Asked of the server by an insert through the table,
 * which is rolled back. Nothing that goes wrong here makes the creation fail: that is committed by now.
 */
import { readFileSync } from 'node:fs';
import { asMaintenanceError, type MaintenanceError, retryOf } from '../domain/errors.ts';
import type { Oid } from '../domain/facts.ts';
import { type Finding, finding } from '../domain/findings.ts';
import { formatKey } from '../domain/key-text.ts';
import type { CreatePartition } from '../domain/plan.ts';
import type { StatementBudget } from '../domain/policy.ts';
import { formatRelationName } from '../domain/relation.ts';
import { ddl } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { type ProbeColumn, probeRow, resolutionOf } from './probe-row.ts';
import { becomeOwner } from './runner.ts';

// Two levels up from src/executor and from dist/executor alike.
const PROBE = readFileSync(new URL('../../sql/executor/probe.sql', import.meta.url), 'utf8');

/** An insert of one row that takes longer is not worth waiting for. */
const STATEMENT_TIMEOUT_MS = 2_000;

interface Surroundings {
  readonly partition: Oid;
  readonly has_side_effects: boolean;
  readonly columns: readonly ProbeColumn[];
}

/** What a person should know, if anything. Throws only when the connection is lost or the run is stopped. */
export async function probeInsert(
  session: Session,
  budget: StatementBudget,
  action: CreatePartition,
): Promise<readonly Finding[]> {
  if (!action.probe) return [];
  const found = await look(session, action);
  if (!found || found.has_side_effects) return [];
  const key = lastKey(action, found.columns);
  const row = probeRow(found.columns, key);
  if (!row) return [];

  const where = `a row of ${key} in ${formatRelationName(action.target)}`;
  const insert = ddl`insert into ${action.target} (${row.columns}) overriding system value values (${row.values}) returning tableoid as landed, tableoid::regclass::text as name`;
  const limits = { ...budget, statementTimeoutMs: Math.min(budget.statementTimeoutMs, STATEMENT_TIMEOUT_MS) };
  const undo = new Error('rolled back on purpose');
  let landed: { readonly landed: Oid; readonly name: string } | undefined;
  try {
    await session.transaction(limits, async () => {
      for (const statement of becomeOwner(action.actAs)) await session.execute(statement, `probe ${where}`);
      [landed] = await session.query<{ landed: Oid; name: string }>(insert.text, [], `probe ${where}`);
      throw undo;
    });
  } catch (thrown) {
    if (thrown !== undo) return misfit(session, action, asMaintenanceError(thrown), where);
  }
  if (landed?.landed === found.partition || (await look(session, action))?.partition !== found.partition) return [];
  return [
    failed(action, `${where} lands in ${landed?.name ?? 'no table'}, not in ${formatRelationName(action.relation)}`),
  ];
}

const look = async (
  session: Session,
  { parent, target, relation }: CreatePartition,
): Promise<Surroundings | undefined> => {
  const parameters = [parent, target.schema, target.name, relation.schema, relation.name];
  const [found] = await session.query<Surroundings>(PROBE, parameters, `look at ${formatRelationName(relation)}`);
  return found;
};

function lastKey({ window, keyType }: CreatePartition, columns: readonly ProbeColumn[]): string {
  const step = keyType === 'date' ? { hours: 24 } : { microseconds: resolutionOf(columns) };
  return formatKey(window.upper.subtract(step), keyType);
}

async function misfit(
  session: Session,
  action: CreatePartition,
  error: MaintenanceError,
  where: string,
): Promise<readonly Finding[]> {
  if (error.code === 'CANCELLED' || error.code === 'CONNECTION_LOST') throw error;
  // No partition for it: the same state as a CHECK that objects, but then the constraint has a name.
  if (error.sqlstate === '23514' && constraintOf(error) === undefined)
    return (await look(session, action)) ? [failed(action, `${where} finds no partition: ${error.message}`)] : [];
  if (retryOf(error.code) !== undefined || error.code === 'STATEMENT_TIMEOUT') return [];
  return [
    finding(
      'PROBE_REFUSED',
      action.target,
      // The same for every partition of the table, so that it is read once.
      `${formatRelationName(action.target)} refuses a made-up row (${reasonOf(error)}), so whether rows land in new partitions was not tried`,
      'No harm is done. To do without the probe, set probe: false for this table.',
    ),
  ];
}

const reasonOf = (error: MaintenanceError): string => {
  const constraint = constraintOf(error);
  return [error.sqlstate ?? error.code, ...(typeof constraint === 'string' ? [`constraint ${constraint}`] : [])].join(
    ', ',
  );
};

const constraintOf = ({ cause }: MaintenanceError): unknown =>
  typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'constraint') : undefined;

const failed = (action: CreatePartition, message: string): Finding =>
  finding(
    'PROBE_FAILED',
    action.target,
    message,
    `Rows of ${formatRelationName(action.relation)} go astray: look at the bounds (\\d+ ${formatRelationName(action.target)}) before they arrive.`,
  );
