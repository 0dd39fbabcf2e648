/**
 * What the ledger says is left to do: detaches that were interrupted, tables whose grace is over, partitions that somebody
 * wants back. A table that no ledger entry proves to be ours is none of our business, whatever it is called.
 */
import { asWindow, endsBy } from '../domain/bound.ts';
import type { PartitionFacts } from '../domain/facts.ts';
import {
  type Action,
  type Because,
  type FinalizeDetach,
  NOTHING,
  type PlanPart,
  type RestorePartition,
  type Skip,
  type SkipReason,
} from '../domain/plan.ts';
import { formatRelationName, isSameRelation } from '../domain/relation.ts';
import type { LedgerFacts, RetirementFacts } from '../domain/retirement.ts';
import { formatInstant, type Instant, isAfter } from '../domain/time.ts';
import type { Guard } from './retire-guards.ts';
import { type Candidate, onPartition, retirement, type StepContext } from './retire-step.ts';
import { actAs } from './target.ts';

/**
 * @param cutoff in key time; undefined when everything is kept
 * @param guard why nothing may be destroyed
 */
export function planOpenRetirements(
  context: StepContext,
  open: readonly RetirementFacts[],
  cutoff: Instant | undefined,
  guard: Guard | undefined,
): PlanPart {
  const parts = open.map(entry => planOne(context, entry, cutoff));
  const isHeld = (action: Action): boolean => guard !== undefined && DESTROYS.has(action.kind);
  const actions = parts.flatMap(part => part.actions);
  return {
    // What is in the way of every other detach comes first.
    actions: actions.filter(action => !isHeld(action)).toSorted(pendingFirst),
    skips: [
      ...parts.flatMap(({ skips }) => skips),
      ...actions.filter(isHeld).map(({ relation }) => skip(context, { relation }, guard?.reason ?? 'clock-skew')),
    ],
    findings: actions.some(isHeld) ? (guard?.findings ?? []) : [],
  };
}

const DESTROYS: ReadonlySet<Action['kind']> = new Set(['drop-partition']);

/** Detaches that others began: while one is pending, nothing else can be detached concurrently. */
export function finalizeStrangers(context: StepContext, ledger: LedgerFacts | undefined): readonly FinalizeDetach[] {
  const open = ledger?.retirements.get(context.table.oid) ?? [];
  return context.table.partitions
    .filter(({ oid, isDetachPending }) => isDetachPending && !open.some(({ partition }) => partition === oid))
    .map(partition => finalize(context, partition));
}

const pendingFirst = (a: Action, b: Action): number => Number(isPending(b)) - Number(isPending(a));
const isPending = (action: Action): boolean => 'from' in action && action.from === 'pending';

function planOne(context: StepContext, entry: RetirementFacts, cutoff: Instant | undefined): PlanPart {
  const { found, state, bound, dropAfter } = entry;
  const window = asWindow(bound);
  // Gone, or a bound that this version cannot read: nothing to do, and nothing that could be proven.
  if (!found || !window) return NOTHING;
  const candidate: Candidate = {
    oid: entry.partition,
    relation: found.relation,
    boundText: entry.boundText,
    window,
    size: found.size,
  };
  const only = (action: Action): PlanPart => ({ ...NOTHING, actions: [action] });
  const leave = (reason: SkipReason, detail?: string): PlanPart => ({
    ...NOTHING,
    skips: [skip(context, candidate, reason, detail)],
  });
  const isAttached = found.parent === context.table.oid && !found.isPending;

  if (state === 'restored') return isAttached ? leave('restored') : NOTHING;
  if (state === 'restoring') {
    if (isAttached) return leave('restored');
    const askedAt = entry.askedAt ?? entry.intendedAt;
    if (found.parent === undefined || found.isPending)
      return only(restore(context, candidate, { rule: 'restore-asked', askedAt }, true));
    return NOTHING;
  }
  // Attached, here or elsewhere: whoever did that has made another table of it.
  if (isAttached || (found.parent !== undefined && found.parent !== context.table.oid)) return NOTHING;
  if (state === 'kept') return leave('kept');
  // It is ours by its OID; but whoever gave it another name may have a use for it.
  if (!found.isPending && !isSameRelation(found.relation, entry.recorded))
    return leave('renamed', `it was ${formatRelationName(entry.recorded)}`);
  if (found.isPending || state === 'intended') {
    const because = {
      rule: 'interrupted',
      intendedAt: entry.intendedAt,
      found: found.isPending ? 'pending' : 'detached',
    } as const;
    if (isExpired(entry, cutoff)) return only(retirement(context, candidate, because.found, because));
    // Half taken off under a policy that no longer holds: its rows are inside their retention, and belong back.
    return only(restore(context, candidate, { rule: 'not-expired-now', intendedAt: entry.intendedAt }, false));
  }
  if (!isExpired(entry, cutoff)) return leave('within-retention');
  if (dropAfter !== undefined && isAfter(dropAfter, context.now))
    return leave('in-grace', `until ${formatInstant(dropAfter)}`);
  return only({
    kind: 'drop-partition',
    ...onPartition(context, candidate, { rule: 'grace-over', dropAfter: dropAfter ?? entry.intendedAt }),
    from: 'detached',
    way: 'blocking',
  });
}

const restore = (
  context: StepContext,
  candidate: Candidate,
  because: Because,
  isLeftAlone: boolean,
): RestorePartition => ({ kind: 'restore-partition', ...onPartition(context, candidate, because), isLeftAlone });

const isExpired = ({ bound }: RetirementFacts, cutoff: Instant | undefined): boolean =>
  cutoff !== undefined && bound.kind === 'range' && endsBy(bound, cutoff);

const finalize = ({ table, server }: StepContext, { oid, relation }: PartitionFacts): FinalizeDetach => ({
  kind: 'finalize-detach',
  target: table.relation,
  relation,
  parent: table.oid,
  partition: oid,
  actAs: actAs(table.ownership, server),
  because: { rule: 'in-the-way' },
});

const skip = (
  { table }: StepContext,
  { relation }: Pick<Candidate, 'relation'>,
  reason: SkipReason,
  detail?: string,
): Skip => ({
  job: 'retire',
  target: table.relation,
  relation,
  reason,
  detail,
});
