/** Writes down what is to become of a partition, and what has: the proof, later on, that a detached table is ours. */
import { MaintenanceError } from '../domain/errors.ts';
import type { Action, ActionKind, OnPartition } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import type { RetirementState } from '../domain/retirement.ts';
import { formatInstant } from '../domain/time.ts';
import type { Done } from '../executor/runner.ts';
import type { Session } from '../postgres/session.ts';
import { explainAction } from '../report/explain.ts';
import { statements } from './statements.ts';

interface End {
  readonly state: RetirementState;
  readonly isOver: boolean;
}

type ActionOf = { readonly [K in ActionKind]: Extract<Action, { kind: K }> };

/** What an action makes of the retirement of its partition; undefined where it is about none. */
const AFTER: { readonly [K in ActionKind]: ((action: ActionOf[K], done: Done) => End) | undefined } = {
  'create-partition': undefined,
  'clear-leftovers': undefined,
  // Gone before we came: whoever did that, it was not this retirement.
  'drop-partition': (_, { outcome }) => ({ state: outcome === 'done' ? 'dropped' : 'abandoned', isOver: true }),
  'detach-partition': ({ dropAfter }, { outcome }) =>
    outcome === 'done'
      ? { state: dropAfter === undefined ? 'kept' : 'detached', isOver: false }
      : { state: 'abandoned', isOver: true },
  // Somebody else's detach: it is not on record here, and so the table is not ours to drop.
  'finalize-detach': undefined,
  'restore-partition': ({ isLeftAlone }) =>
    isLeftAlone ? { state: 'restored', isOver: false } : { state: 'abandoned', isOver: true },
  'refresh-view': undefined,
  'analyze-table': undefined,
};

const endOf = <K extends ActionKind>(kind: K, action: ActionOf[K], done: Done): End | undefined =>
  AFTER[kind]?.(action, done);

const isRetirement = (action: Action): action is Action & OnPartition => AFTER[action.kind] !== undefined;

/** Before the deed. */
export async function intendRetirement(
  session: Session,
  action: Action,
  retirementId: string,
  runId: string,
): Promise<void> {
  if (!isRetirement(action)) return;
  const { target, relation, parent, partition, boundText } = action;
  const dropAfter = action.kind === 'detach-partition' ? action.dropAfter : undefined;
  const isKept = action.kind === 'detach-partition' && dropAfter === undefined;
  await session.query(
    statements.intendRetirement,
    [
      retirementId,
      formatRelationName(target),
      parent,
      relation.schema,
      relation.name,
      partition,
      boundText,
      isKept,
      dropAfter ? formatInstant(dropAfter) : null,
      explainAction(action).why,
      runId,
    ],
    'put the retirement on record',
  );
}

/** In the transaction of the deed. */
export async function concludeRetirement(session: Session, action: Action, done: Done): Promise<void> {
  const end = endOf(action.kind, action, done);
  if (!end || !isRetirement(action)) return;
  const rows = await session.query(
    statements.concludeRetirement,
    [action.partition, end.state, end.isOver],
    'put what became of the partition on record',
  );
  if (rows.length !== 1) throw new MaintenanceError('LEDGER_UNAVAILABLE', 'the intent is no longer on record');
}

/** After a try that failed, and before the next run: what the catalog contradicts is over. */
export async function abandonRetirements(session: Session, action: Pick<Action, 'target'>): Promise<void> {
  await session.query(
    statements.abandonRetirements,
    [formatRelationName(action.target)],
    'end the retirements that nothing came of',
  );
}
