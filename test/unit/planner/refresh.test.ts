import { describe, expect, test } from 'vitest';
import type { Facts, MaterializedViewFacts } from '../../../src/domain/facts.ts';
import type { PlanPart } from '../../../src/domain/plan.ts';
import type { ViewPolicy } from '../../../src/domain/policy.ts';
import { planRefresh, type RefreshRequest } from '../../../src/planner/refresh.ts';
import {
  anOwnership,
  aServer,
  at,
  aView,
  aViewPolicy,
  plusMicroseconds,
  relation,
  someFacts,
} from '../../support/facts.ts';
import { codes } from '../../support/plans.ts';

const LAST = at('2026-11-21T05:00:00Z');
const DUE = at('2026-11-21T05:30:00Z');
/** Refreshed before it was due, and its bases have changed since. */
const stale = (over: Partial<MaterializedViewFacts> = {}) =>
  aView({ lastRefresh: { at: LAST, fingerprint: 'f0' }, fingerprint: 'f1', ...over });

interface Ask extends Partial<Omit<RefreshRequest, 'policy'>> {
  readonly policy?: Partial<ViewPolicy>;
}
const request = (ask: Ask = {}): RefreshRequest => ({
  dueSince: DUE,
  isAskedFor: false,
  ...ask,
  policy: aViewPolicy(ask.policy),
});
const plan = (view: MaterializedViewFacts, ask: Ask = {}, facts: Partial<Facts> = {}): PlanPart =>
  planRefresh(someFacts({ views: [view], ...facts }), [{ view, request: request(ask) }]);

/** `reads-refreshed, concurrently`, or the reason for leaving it alone. */
const verdict = ({ actions, skips }: PlanPart): string => {
  const [action] = actions;
  if (action?.kind !== 'refresh-view') return skips.map(({ reason }) => reason).join();
  return `${action.because.rule}, ${action.concurrently ? 'concurrently' : 'plainly'}`;
};

describe('a view is refreshed because', () => {
  test.each<[string, MaterializedViewFacts, Ask, string]>([
    ['it was never populated', aView({ isPopulated: false }), {}, 'never-populated, plainly'],
    [
      'it was never populated, though asked for',
      aView({ isPopulated: false }),
      { isAskedFor: true },
      'never-populated, plainly',
    ],
    [
      'it was asked for, though fresh',
      stale({ lastRefresh: { at: DUE, fingerprint: 'f1' } }),
      { isAskedFor: true },
      'asked-for, concurrently',
    ],
    [
      'it was asked for, though nothing has changed',
      stale({ fingerprint: 'f0' }),
      { isAskedFor: true },
      'asked-for, concurrently',
    ],
    ['it was asked for and never refreshed', aView(), { isAskedFor: true }, 'asked-for, concurrently'],
    ['no refresh of it is remembered', aView(), {}, 'never-refreshed, concurrently'],
    [
      'no refresh of it is remembered, and it has no schedule',
      aView(),
      { dueSince: undefined },
      'never-refreshed, concurrently',
    ],
    ['its bases have changed', stale(), {}, 'bases-changed, concurrently'],
    [
      'it changes with the clock',
      stale({ isTimeDependent: true, fingerprint: 'f0' }),
      {},
      'window-moved, concurrently',
    ],
    [
      'unchanged ones are not to be left out',
      stale({ fingerprint: 'f0' }),
      { policy: { skipUnchanged: false } },
      'bases-changed, concurrently',
    ],
    [
      'its bases leave no fingerprint',
      stale({ fingerprint: undefined, lastRefresh: { at: LAST, fingerprint: undefined } }),
      {},
      'bases-changed, concurrently',
    ],
    [
      'its bases had no fingerprint then',
      stale({ lastRefresh: { at: LAST, fingerprint: undefined } }),
      {},
      'bases-changed, concurrently',
    ],
    [
      'it may be refreshed plainly',
      stale({ concurrentIndex: undefined }),
      { policy: { blocking: true } },
      'bases-changed, plainly',
    ],
    [
      'it may be refreshed plainly, but need not',
      stale(),
      { policy: { blocking: true } },
      'bases-changed, concurrently',
    ],
  ])('%s', (_, view, ask, expected) => {
    const part = plan(view, ask);
    expect(verdict(part)).toBe(expected);
    expect({ skips: part.skips, findings: part.findings }).toEqual({ skips: [], findings: [] });
  });
});

describe('a view is left alone because', () => {
  test.each<[string, MaterializedViewFacts, Ask, string, readonly string[]]>([
    [
      'it was refreshed since it was due',
      stale({ lastRefresh: { at: at('2026-11-21T05:45:00Z'), fingerprint: 'f0' } }),
      {},
      'fresh',
      [],
    ],
    [
      'it was refreshed since, though it changes with the clock',
      stale({ isTimeDependent: true, lastRefresh: { at: DUE, fingerprint: 'f0' } }),
      {},
      'fresh',
      [],
    ],
    ['nothing that it reads has changed', stale({ fingerprint: 'f0' }), {}, 'unchanged', []],
    ['it has no schedule', stale(), { dueSince: undefined }, 'not-configured', []],
    [
      'it may not be populated',
      aView({ isPopulated: false }),
      { policy: { populate: false } },
      'not-populated',
      ['VIEW_NOT_POPULATED'],
    ],
    [
      'it may not be populated, though asked for',
      aView({ isPopulated: false }),
      { policy: { populate: false, blocking: true }, isAskedFor: true },
      'not-populated',
      ['VIEW_NOT_POPULATED'],
    ],
    [
      'it cannot be refreshed concurrently',
      stale({ concurrentIndex: undefined }),
      {},
      'not-concurrent',
      ['VIEW_NOT_CONCURRENT'],
    ],
    [
      'it cannot be refreshed concurrently, though asked for',
      stale({ concurrentIndex: undefined }),
      { isAskedFor: true },
      'not-concurrent',
      ['VIEW_NOT_CONCURRENT'],
    ],
  ])('%s', (_, view, ask, reason, found) => {
    const part = plan(view, ask);
    expect(part.actions).toEqual([]);
    expect(verdict(part)).toBe(reason);
    expect(codes(part)).toEqual(found);
  });

  test.each([
    [-1, 'bases-changed, concurrently'],
    [0, 'fresh'],
    [1, 'fresh'],
  ])('it was refreshed %i microseconds after it was due: %s', (microseconds, expected) => {
    const view = stale({ lastRefresh: { at: plusMicroseconds(DUE, microseconds), fingerprint: 'f0' } });
    expect(verdict(plan(view))).toBe(expected);
  });

  test('and what it needs instead is told', () => {
    expect(plan(stale({ concurrentIndex: undefined })).findings[0]).toMatchObject({
      severity: 'error',
      message:
        'unified.mv_recent_events has no unique index that a concurrent refresh can use (plain columns, no WHERE, valid, not deferrable)',
      hint: 'create unique index concurrently on unified.mv_recent_events (…); or set blocking: true, which stops its readers during each refresh',
    });
    expect(plan(aView({ isPopulated: false }), { policy: { populate: false } }).findings[0]).toMatchObject({
      message:
        'unified.mv_recent_events was never populated, so it cannot be refreshed concurrently, and a plain refresh is not allowed',
      hint: 'Set populate: true, or run the first refresh by hand.',
    });
  });

  test('the server is read-only, or it is somebody else’s', () => {
    expect(verdict(plan(stale(), { isAskedFor: true }, { server: aServer({ isInRecovery: true }) }))).toBe('read-only');
    const foreign = stale({ ownership: anOwnership({ relation: 'none' }) });
    expect(verdict(plan(foreign, { isAskedFor: true }))).toBe('not-owner');
    expect(codes(plan(foreign))).toEqual(['NOT_OWNER']);
  });
});

test('what is to be done carries what is needed to do and to remember it', () => {
  const view = stale();
  expect(plan(view).actions).toEqual([
    {
      kind: 'refresh-view',
      target: view.relation,
      relation: view.relation,
      view: 11_000,
      concurrently: true,
      fingerprint: 'f1',
      remember: true,
      actAs: { owner: 'app_owner', how: 'set-role' },
      because: { rule: 'bases-changed', lastRefresh: LAST },
    },
  ]);
});

describe('without partkeeper’s own schema', () => {
  test('views are refreshed whenever they are looked at, and that is said of each', () => {
    const part = plan(aView(), {}, { hasBookkeeping: false });
    expect(part.actions).toMatchObject([{ remember: false, because: { rule: 'never-refreshed' } }]);
    expect(part.findings).toMatchObject([{ code: 'BOOKKEEPING_MISSING', severity: 'info', target: aView().relation }]);
  });

  test('it is said of views that are left alone, too', () => {
    const view = aView({ concurrentIndex: undefined });
    expect(codes(plan(view, {}, { hasBookkeeping: false }))).toEqual(['VIEW_NOT_CONCURRENT', 'BOOKKEEPING_MISSING']);
  });
});

describe('views that read views', () => {
  const base = stale({ oid: 1, relation: relation('a.base'), level: 0 });
  const middle = stale({ oid: 2, relation: relation('a.middle'), level: 1, reads: [1] });
  const top = stale({ oid: 3, relation: relation('a.top'), level: 2, reads: [1, 2] });
  const many = (...views: readonly MaterializedViewFacts[]) =>
    planRefresh(
      someFacts({ views }),
      views.map(view => ({ view, request: request({ policy: { relation: view.relation } }) })),
    );
  const order = ({ actions }: PlanPart) => actions.map(({ relation: { name }, because }) => `${name}: ${because.rule}`);

  test.each([
    ['bottom up', [base, middle, top]],
    ['top down', [top, middle, base]],
    ['mixed', [middle, top, base]],
  ])('are refreshed after what they read, asked for %s', (_, views) => {
    expect(order(many(...views))).toEqual(['base: bases-changed', 'middle: reads-refreshed', 'top: reads-refreshed']);
  });

  test('are refreshed when what they read is, though they are fresh themselves', () => {
    const fresh = { ...middle, lastRefresh: { at: DUE, fingerprint: 'f1' } };
    const part = many(fresh, base);
    expect(order(part)).toEqual(['base: bases-changed', 'middle: reads-refreshed']);
    expect(part.actions[1]?.because).toEqual({ rule: 'reads-refreshed', view: base.relation });
  });

  test('through one another: the top follows the middle, which follows the base', () => {
    const fresh = { lastRefresh: { at: DUE, fingerprint: 'f1' } };
    const part = many({ ...top, ...fresh, reads: [2] }, { ...middle, ...fresh }, base);
    expect(order(part)).toEqual(['base: bases-changed', 'middle: reads-refreshed', 'top: reads-refreshed']);
  });

  test.each<[string, Partial<MaterializedViewFacts>]>([
    ['is fresh', { lastRefresh: { at: DUE, fingerprint: 'f1' } }],
    ['cannot be refreshed', { concurrentIndex: undefined }],
    ['is somebody else’s', { ownership: anOwnership({ relation: 'none' }) }],
  ])('do not follow one that %s', (_, over) => {
    const unchanged = { ...middle, fingerprint: 'f0' };
    expect(many({ ...base, ...over }, unchanged).actions).toEqual([]);
  });

  test('keep the order they were asked for in among their equals', () => {
    const [first, second] = [
      stale({ oid: 7, relation: relation('a.z') }),
      stale({ oid: 8, relation: relation('a.b') }),
    ];
    expect(order(many(first, second))).toEqual(['z: bases-changed', 'b: bases-changed']);
  });
});
