/** Is a table ready for now and for the windows to come? Retiring waits until it is. */
import { type CoverageRun, coverageRun } from '../domain/coverage.ts';
import { type Finding, finding } from '../domain/findings.ts';
import { nextWindow, windowAt } from '../domain/interval.ts';
import type { TablePolicy } from '../domain/policy.ts';
import { formatRelationName } from '../domain/relation.ts';
import { calendarZone, formatInstant, type Instant, isBefore } from '../domain/time.ts';
import type { TimeTable } from './target.ts';

/** The end of the last window that the policy wants to exist, in key time. */
export function horizonOf(table: TimeTable, policy: TablePolicy, keyNow: Instant): Instant {
  const zone = calendarZone(table.key.type, policy.timezone);
  let window = windowAt(keyNow, policy.interval, zone);
  for (let ahead = 0; ahead < policy.premake; ahead += 1) window = nextWindow(window, policy.interval, zone);
  return window.upper;
}

/** Undefined when rows find a partition without a gap from now to the horizon. */
export function brokenCoverage(table: TimeTable, policy: TablePolicy, keyNow: Instant): string | undefined {
  const run: CoverageRun | undefined = coverageRun(table.partitions, keyNow);
  if (run === undefined) return 'no partition covers this moment';
  const horizon = horizonOf(table, policy, keyNow);
  if (run.to === 'unbounded' || !isBefore(run.to, horizon)) return undefined;
  return `its partitions end at ${formatInstant(run.to)}, before ${formatInstant(horizon)}`;
}

export function coverageFindings(table: TimeTable, policy: TablePolicy, keyNow: Instant): readonly Finding[] {
  const problem = brokenCoverage(table, policy, keyNow);
  if (problem === undefined) return [];
  const hasDefault = table.partitions.some(({ bound }) => bound.kind === 'default');
  const consequence = hasDefault ? 'such rows go to the default partition' : 'inserts beyond it fail';
  const message = `${formatRelationName(table.relation)}: ${problem}; ${consequence}`;
  return [
    finding(
      'COVERAGE_BROKEN',
      table.relation,
      message,
      'Run `partkeeper apply --job provision` and see what it reports.',
    ),
  ];
}
