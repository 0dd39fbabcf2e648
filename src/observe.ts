/** Reads the facts of some targets, and tells everyone who keeps figures. */
import { type Clock, type FactsRequest, readFacts } from './catalog/read-facts.ts';
import { asMaintenanceError } from './domain/errors.ts';
import type { Facts } from './domain/facts.ts';
import { takenNamePattern } from './domain/naming.ts';
import type { Policies } from './domain/policy.ts';
import { isSameRelation, type RelationName } from './domain/relation.ts';
import type { Database } from './postgres/database.ts';
import type { Emit } from './report/events.ts';

export interface Observer {
  readonly database: Database;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly emit: Emit;
}

/** Throws a MaintenanceError when the facts cannot be read. */
export async function observe(
  observer: Observer,
  targets: readonly RelationName[],
  signal?: AbortSignal,
): Promise<Facts> {
  const { database, policies, clock, monotonicMs, emit } = observer;
  const started = monotonicMs();
  try {
    const facts = await database.read(session => readFacts(session, requestFor(policies, targets), clock), signal);
    emit({ kind: 'observed', facts, durationMs: monotonicMs() - started });
    return facts;
  } catch (thrown) {
    const error = asMaintenanceError(thrown);
    emit({ kind: 'observation-failed', error, durationMs: monotonicMs() - started });
    throw error;
  }
}

export const allTargets = ({ tables, views }: Policies): readonly RelationName[] =>
  [...tables, ...views].map(({ relation }) => relation);

const requestFor = ({ tables, views }: Policies, targets: readonly RelationName[]): FactsRequest => {
  const isIn =
    (names: readonly RelationName[]) =>
    ({ relation }: { readonly relation: RelationName }) =>
      names.some(name => isSameRelation(name, relation));
  const wanted = tables.filter(isIn(targets));
  return {
    tables: wanted.map(({ relation, name }) => ({ relation, namePattern: takenNamePattern(name, relation.name) })),
    views: views
      .filter(isIn([...targets, ...wanted.flatMap(({ retireAfter }) => retireAfter)]))
      .map(({ relation }) => relation),
  };
};
