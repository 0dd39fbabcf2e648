/** Which materialized views are due, in the order in which they read each other, and how each can be refreshed. */
import type { Facts, MaterializedViewFacts, Oid, ServerFacts } from '../domain/facts.ts';
import { type Finding, finding } from '../domain/findings.ts';
import { type Because, joinParts, NOTHING, type PlanPart, type RefreshView, type SkipReason } from '../domain/plan.ts';
import type { ViewPolicy } from '../domain/policy.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import { formatInstant, type Instant, isBefore } from '../domain/time.ts';
import { actAs, planUnchangeable } from './target.ts';

export interface RefreshRequest {
  readonly policy: ViewPolicy;
  /** The last tick of the view's schedule at or before now; undefined without a schedule. */
  readonly dueSince: Instant | undefined;
  /** A person or a program asked for it now. */
  readonly isAskedFor: boolean;
}

export function planRefresh(
  facts: Facts,
  requests: readonly { readonly view: MaterializedViewFacts; readonly request: RefreshRequest }[],
): PlanPart {
  const refreshed = new Map<Oid, RelationName>();
  const parts = requests
    .toSorted((a, b) => a.view.level - b.view.level)
    .map(({ view, request }) => {
      const part = planView(view, request, facts, refreshed);
      if (part.actions.length > 0) refreshed.set(view.oid, view.relation);
      return part;
    });
  return joinParts([
    ...parts,
    ...forgetful(
      facts,
      requests.map(({ view }) => view),
    ),
  ]);
}

function planView(
  view: MaterializedViewFacts,
  request: RefreshRequest,
  facts: Facts,
  refreshed: ReadonlyMap<Oid, RelationName>,
): PlanPart {
  const unchangeable = planUnchangeable('refresh', view.relation, view.ownership, facts.server);
  if (unchangeable) return unchangeable;
  const reason = reasonToRefresh(view, request, refreshed);
  if ('skip' in reason) return skipped(view, reason.skip, reason.detail);
  const way = wayToRefresh(view, request.policy);
  if ('skip' in way) return { ...skipped(view, way.skip), findings: [way.finding] };
  return {
    ...NOTHING,
    actions: [refreshAction(view, way.concurrently, reason.because, facts.server, facts.hasBookkeeping)],
  };
}

type Reason = { readonly because: Because } | { readonly skip: SkipReason; readonly detail: string };

function reasonToRefresh(
  view: MaterializedViewFacts,
  { policy, dueSince, isAskedFor }: RefreshRequest,
  refreshed: ReadonlyMap<Oid, RelationName>,
): Reason {
  const { lastRefresh } = view;
  if (!view.isPopulated) return { because: { rule: 'never-populated' } };
  if (isAskedFor) return { because: { rule: 'asked-for' } };
  if (!lastRefresh) return { because: { rule: 'never-refreshed' } };
  const base = view.reads.find(oid => refreshed.has(oid));
  const baseName = base === undefined ? undefined : refreshed.get(base);
  if (baseName) return { because: { rule: 'reads-refreshed', view: baseName } };
  const at = formatInstant(lastRefresh.at);
  if (dueSince === undefined)
    return { skip: 'not-configured', detail: `refreshed at ${at}; without a schedule it is refreshed when asked for` };
  if (!isBefore(lastRefresh.at, dueSince))
    return { skip: 'fresh', detail: `refreshed at ${at}, was due at ${formatInstant(dueSince)}` };
  if (view.isTimeDependent) return { because: { rule: 'window-moved', lastRefresh: lastRefresh.at } };
  if (policy.skipUnchanged && view.fingerprint !== undefined && view.fingerprint === lastRefresh.fingerprint)
    return { skip: 'unchanged', detail: `refreshed at ${at}` };
  return { because: { rule: 'bases-changed', lastRefresh: lastRefresh.at } };
}

type Way = { readonly concurrently: boolean } | { readonly skip: SkipReason; readonly finding: Finding };

function wayToRefresh(view: MaterializedViewFacts, policy: ViewPolicy): Way {
  const name = formatRelationName(view.relation);
  if (!view.isPopulated) {
    if (policy.populate) return { concurrently: false };
    const message = `${name} was never populated, so it cannot be refreshed concurrently, and a plain refresh is not allowed`;
    return {
      skip: 'not-populated',
      finding: finding(
        'VIEW_NOT_POPULATED',
        view.relation,
        message,
        'Set populate: true, or run the first refresh by hand.',
      ),
    };
  }
  if (view.concurrentIndex !== undefined) return { concurrently: true };
  if (policy.blocking) return { concurrently: false };
  const message = `${name} has no unique index that a concurrent refresh can use (plain columns, no WHERE, valid, not deferrable)`;
  const hint = `create unique index concurrently on ${name} (…); or set blocking: true, which stops its readers during each refresh`;
  return { skip: 'not-concurrent', finding: finding('VIEW_NOT_CONCURRENT', view.relation, message, hint) };
}

const refreshAction = (
  view: MaterializedViewFacts,
  concurrently: boolean,
  because: Because,
  server: ServerFacts,
  remember: boolean,
): RefreshView => ({
  kind: 'refresh-view',
  target: view.relation,
  relation: view.relation,
  view: view.oid,
  concurrently,
  fingerprint: view.fingerprint,
  remember,
  actAs: actAs(view.ownership, server),
  because,
});

const skipped = (view: MaterializedViewFacts, reason: SkipReason, detail?: string): PlanPart => ({
  actions: [],
  skips: [{ job: 'refresh', target: view.relation, relation: view.relation, reason, detail }],
  findings: [],
});

/** Without its own schema partkeeper cannot know what is fresh, and refreshes whenever a view is looked at. */
const forgetful = (facts: Facts, views: readonly MaterializedViewFacts[]): readonly PlanPart[] =>
  facts.hasBookkeeping
    ? []
    : views.map(({ relation }) => ({
        ...NOTHING,
        findings: [
          finding(
            'BOOKKEEPING_MISSING',
            relation,
            `refreshes of ${formatRelationName(relation)} are not remembered: partkeeper's own schema is not installed, or may not be used`,
            'Run `partkeeper migrate up` once, as a role that may create a schema.',
          ),
        ],
      }));
