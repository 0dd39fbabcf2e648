/** The names given to `--acknowledge`: each has to be one that a finding asks for now, or what somebody agrees to is not what would be done. */
import { nearest } from '../config/suggest.ts';
import { MaintenanceError } from '../domain/errors.ts';
import type { Plan } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';

/** `plan` is made as if nobody had agreed to anything. @throws MaintenanceError USAGE, naming those that are asked for */
export function refuseUnknownAcknowledgements(given: readonly string[], { findings }: Pick<Plan, 'findings'>): void {
  const asked = findings.flatMap(({ acknowledge, target }) =>
    acknowledge === undefined ? [] : [{ name: acknowledge, target: formatRelationName(target) }],
  );
  const unknown = given.find(name => asked.every(each => each.name !== name));
  if (unknown === undefined) return;
  const near = nearest(
    unknown,
    asked.map(({ name }) => name),
  );
  const known = asked.map(({ name, target }) => `${name} (${target})`).join(', ');
  throw new MaintenanceError('USAGE', `--acknowledge: nothing asks for '${unknown}', or not any more`, {
    hint:
      asked.length === 0
        ? 'No plan is held back for want of an acknowledgement.'
        : `${near === undefined ? '' : `Did you mean ${near}? `}Asked for now: ${known}. Look at the plan again first: a name is good for one plan only.`,
  });
}
