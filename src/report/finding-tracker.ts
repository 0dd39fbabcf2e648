/** Which findings stand at the moment, and what a run changed about that: a fault is news once, not every five minutes. */
import type { Finding } from '../domain/findings.ts';
import type { JobName } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import type { Event, RunIdentity } from './events.ts';

export interface FindingChanges {
  /** Not found by any run before, or found with another message. */
  readonly appeared: readonly Finding[];
  /** Found before with the very same message. */
  readonly remained: readonly Finding[];
  /** Found before, and now by none; not when the same fault merely got another message. */
  readonly cleared: readonly Finding[];
}

export interface FindingTracker {
  /** Tells that a run got as far as a plan, so that its findings will be all there are. */
  readonly planned: (run: RunIdentity) => void;
  readonly update: (finished: Extract<Event, { kind: 'run-finished' }>) => FindingChanges;
  /**
   * Another replica has looked since, and tells what it found: what this one found is out of date.
   *
   * @returns what no longer stands
   */
  readonly forget: (job: JobName, target: RelationName) => readonly Finding[];
  /**
   * Forgets what was found where nothing is looked at any more: `job target` for which this is false.
   *
   * @returns what no longer stands
   */
  readonly keep: (isLookedAt: (slot: string) => boolean) => readonly Finding[];
  /** What stands now, over all jobs, each once. */
  readonly current: () => readonly Finding[];
}

const faultOf = ({ target, code }: Finding): string => JSON.stringify([target.schema, target.name, code]);
const keyOf = (finding: Finding): string => JSON.stringify([faultOf(finding), finding.message]);
const byKey = (findings: readonly Finding[]): ReadonlyMap<string, Finding> =>
  new Map(findings.map(finding => [keyOf(finding), finding]));

/**
 * Jobs look at the same table and find different faults, or the same one: a fault stands as long as the last run of any
 * job has found it. A run that broke down before it had a plan has looked at nothing, so it clears none.
 */
export function trackFindings(): FindingTracker {
  const byRun = new Map<string, readonly Finding[]>();
  const withPlan = new Set<string>();
  const standing = (): ReadonlyMap<string, Finding> => byKey([...byRun.values()].flat());
  const slotOf = (job: JobName, target: RelationName): string => `${job} ${formatRelationName(target)}`;
  const goneSince = (before: ReadonlyMap<string, Finding>): readonly Finding[] => {
    const faults = new Set([...standing().values()].map(faultOf));
    return [...before.values()].filter(finding => !faults.has(faultOf(finding)));
  };

  return {
    current: () => [...standing().values()],
    planned: ({ runId }) => withPlan.add(runId),
    update({ run, findings, error }) {
      const before = standing();
      const slot = slotOf(run.job, run.target);
      const hasLooked = withPlan.delete(run.runId) || error === undefined;
      const kept = hasLooked ? [] : (byRun.get(slot) ?? []);
      byRun.set(slot, [...byKey([...kept, ...findings]).values()]);

      const found = [...byKey(findings)];
      return {
        appeared: found.filter(([key]) => !before.has(key)).map(([, finding]) => finding),
        remained: found.filter(([key]) => before.has(key)).map(([, finding]) => finding),
        cleared: goneSince(before),
      };
    },
    keep(isLookedAt) {
      const before = standing();
      for (const slot of byRun.keys()) if (!isLookedAt(slot)) byRun.delete(slot);
      return goneSince(before);
    },
    forget(job, target) {
      const before = standing();
      byRun.delete(slotOf(job, target));
      return goneSince(before);
    },
  };
}
