/** Some failures are faults of the table that a person has to know of for as long as they last. */
import type { ErrorCode, MaintenanceError } from './errors.ts';
import { type Finding, type FindingCode, finding } from './findings.ts';
import type { RelationName } from './relation.ts';

const FINDING_OF = {
  DEFAULT_HAS_ROWS: 'DEFAULT_HAS_ROWS',
  DRAIN_REFUSED: 'DRAIN_REFUSED',
} as const satisfies Partial<Record<ErrorCode, FindingCode>>;

/** What only acting could find out. */
export function findingsOfFailures(target: RelationName, failures: readonly MaintenanceError[]): readonly Finding[] {
  return failures.flatMap(({ code, message, hint }) => {
    const found = (FINDING_OF as Partial<Record<ErrorCode, FindingCode>>)[code];
    return found === undefined ? [] : [finding(found, target, message, hint ?? 'Look at the rows in question.')];
  });
}
