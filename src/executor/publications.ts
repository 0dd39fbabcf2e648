/**
 * Where partitions are published one by one, a new one joins: before it is attached, so that no row is written to it that
 * subscribers miss, and while nothing is locked that others use.
 */
import { asMaintenanceError } from '../domain/errors.ts';
import type { CreatePartition } from '../domain/plan.ts';
import { ddl, identifier, type Statement } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';

export const joinPublications = ({ relation, shape }: CreatePartition): readonly Statement[] =>
  shape.publications.map(publication => ddl`alter publication ${identifier(publication)} add table ${relation}`);

/** What fails is undone, and said by a finding later: an insert must not fail for want of a publication. */
export async function unlessRefused(session: Session, work: () => Promise<void>): Promise<void> {
  await session.execute(ddl`savepoint optional`, 'set a savepoint');
  try {
    await work();
    await session.execute(ddl`release savepoint optional`, 'release the savepoint');
  } catch (error) {
    const { code } = asMaintenanceError(error);
    if (code === 'CANCELLED' || code === 'CONNECTION_LOST') throw error;
    await session.execute(ddl`rollback to savepoint optional`, 'go back to the savepoint');
  }
}
