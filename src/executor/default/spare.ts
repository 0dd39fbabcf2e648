/**
 * Attaching beside a large default partition without searching it under a lock: a CHECK says that it holds no row of the range,
 * VALIDATE proves it while everybody goes on, and ATTACH takes its word.
 *
 * While the CHECK is there, an insert into that range fails; hence only for windows that lie in the future as a whole, never
 * for the current one. It is gone with the commit of the ATTACH, or when anything fails; after a crash, with the next run's
 * first action.
 */
import { asMaintenanceError, MaintenanceError } from '../../domain/errors.ts';
import type { BesideDefault, CreatePartition } from '../../domain/plan.ts';
import { formatRelationName, type RelationName } from '../../domain/relation.ts';
import { ddl, identifier, type Statement } from '../../postgres/ddl.ts';
import type { Session } from '../../postgres/session.ts';
import { makeAndAttach } from '../attach-partition.ts';
import { type Attempt, becomeOwner, type Done } from '../runner.ts';
import { defaultFound } from './look.ts';
import { isInWindow } from './range.ts';

/** `sql/catalog/partitions.sql` looks for it. */
const CHECK = identifier('partkeeper_no_rows');

export async function attachSpared(action: CreatePartition, beside: BesideDefault, attempt: Attempt): Promise<Done> {
  const { step, session, execute } = attempt;
  const name = formatRelationName(beside.relation);
  const asOwner = (statement: Statement, attempted: string): Promise<void> =>
    step(async () => {
      await defaultFound(session, action, beside);
      for (const become of becomeOwner(action.actAs)) await execute(become, attempted);
      await execute(statement, attempted);
    });
  const key = identifier(beside.column);
  // In the form that the server proves from it what it would search for.
  const noRows = ddl`not (${key} is not null and ${isInWindow(action, beside)})`;
  await asOwner(
    ddl`alter table ${beside.relation} add constraint ${CHECK} check (${noRows}) not valid`,
    `prepare ${name} for a new partition`,
  );
  try {
    await asOwner(
      ddl`alter table ${beside.relation} validate constraint ${CHECK}`,
      `prove that ${name} holds no row of the new partition`,
    );
    return await makeAndAttach(action, attempt, {
      // ATTACH has locked the default partition already.
      after: () => execute(dropCheck(beside.relation), `give ${name} back as it was`),
    });
  } catch (error) {
    await attempt
      .insist(() => lift(action, beside.relation, attempt))
      .catch(trouble => leftBehind(error, trouble, name));
    throw error;
  }
}

const dropCheck = (relation: RelationName): Statement =>
  ddl`alter table ${relation} drop constraint if exists ${CHECK}`;

/** Takes the CHECK off again, in the caller's transaction. */
export async function lift(
  { actAs }: Pick<CreatePartition, 'actAs'>,
  relation: RelationName,
  { execute }: Attempt,
): Promise<void> {
  const what = `take the CHECK partkeeper_no_rows off ${formatRelationName(relation)}`;
  for (const statement of liftStatements({ actAs, relation })) await execute(statement, what);
}

export const liftStatements = ({
  actAs,
  relation,
}: Pick<CreatePartition, 'actAs' | 'relation'>): readonly Statement[] => [...becomeOwner(actAs), dropCheck(relation)];

/** Of a table that is still the default partition of the same parent. */
export async function isCheckThere(
  session: Session,
  { parent, relation }: Pick<CreatePartition, 'parent' | 'relation'>,
): Promise<boolean> {
  const rows = await session.query(
    `select from pg_partitioned_table p join pg_class c on c.oid = p.partdefid join pg_namespace n on n.oid = c.relnamespace
     join pg_constraint k on k.conrelid = c.oid and k.contype = 'c' and k.conname = $4
     where p.partrelid = $1 and n.nspname = $2 and c.relname = $3`,
    [parent, relation.schema, relation.name, CHECK.identifier],
    `look for the CHECK on ${formatRelationName(relation)}`,
  );
  return rows.length > 0;
}

/** The first error is the one to tell, with what is still to be done. */
function leftBehind(error: unknown, trouble: unknown, name: string): never {
  const { code, message, sqlstate, hint } = asMaintenanceError(error);
  throw new MaintenanceError(code, `${message}; ${asMaintenanceError(trouble).message}`, {
    cause: error,
    sqlstate,
    hint: `${name} refuses rows of that range until the next run of provision has taken the CHECK off. ${hint ?? ''}`.trim(),
  });
}
