/** Guards against mistakes: more than usual is retired only when somebody has agreed to exactly that. */
import { describe, expect, test } from 'vitest';
import { momentsOf } from '../../../src/domain/moments.ts';
import type { PlanPart } from '../../../src/domain/plan.ts';
import type { TablePolicy } from '../../../src/domain/policy.ts';
import type { LedgerFacts } from '../../../src/domain/retirement.ts';
import { planRetire } from '../../../src/planner/retire.ts';
import type { RetireContext } from '../../../src/planner/retire-guards.ts';
import { aServer, aSize, aTablePolicy, aTimeTable, at, aView, monthly, NOW, relation } from '../../support/facts.ts';
import { codes } from '../../support/plans.ts';

/** NOW is in November 2026; with 90 days, what ends by the middle of August has expired. */
const OLD = monthly('2026-01', '2026-07');
const LIVE = monthly('2026-08', '2027-01');
const OID = aTimeTable().oid;

const aLedger = (over: Partial<LedgerFacts> = {}): LedgerFacts => ({
  pinned: { systemIdentifier: aServer().systemIdentifier, database: 'app' },
  accepted: new Map(),
  retirements: new Map(),
  ...over,
});
const acceptedAt = (when: string, retention = '90 days'): LedgerFacts =>
  aLedger({ accepted: new Map([[OID, { retention, at: at(when) }]]) });

interface Case extends Partial<RetireContext> {
  readonly policy?: Partial<TablePolicy>;
  readonly old?: typeof OLD;
}

const plan = ({ policy, old = OLD, ...context }: Case = {}): PlanPart =>
  planRetire(
    aTimeTable({ partitions: [...old, ...LIVE] }),
    aTablePolicy({ maxShare: 0.5, ...policy }),
    momentsOf(aServer()),
    aServer(),
    { ledger: undefined, views: [], acknowledged: new Set(), ...context },
  );
const retired = ({ actions }: PlanPart): readonly string[] => actions.map(({ relation: { name } }) => name.slice(-7));
const held = ({ skips }: PlanPart): readonly string[] =>
  skips.filter(({ reason }) => reason !== 'within-retention').map(({ reason }) => reason);
const nameIn = ({ findings }: PlanPart): string =>
  /--acknowledge ([0-9a-f]{12})`/.exec(findings[0]?.hint ?? '')?.[1] ?? '';

describe('a large share of the table', () => {
  test('is not retired at once; the finding has the command that agrees to it', () => {
    const part = plan();
    expect(retired(part)).toEqual([]);
    expect(held(part)).toEqual(Array.from({ length: 7 }, () => 'not-acknowledged'));
    expect(part.findings).toMatchObject([{ code: 'RETIRE_UNUSUAL', severity: 'error' }]);
    expect(part.findings[0]?.message).toContain('53 % of it, more than maxShare (50 %); 7 partitions would be');
    expect(part.findings[0]?.hint).toContain(
      'partkeeper apply retire --target unified.event_metric_events --acknowledge',
    );
    expect(retired(plan({ acknowledged: new Set([nameIn(part)]) }))).toHaveLength(7);
  });

  test('is agreed to partition by partition: one more, one less or another retention is another plan', () => {
    const acknowledged = new Set([nameIn(plan())]);
    expect(retired(plan({ acknowledged, old: OLD.slice(1), policy: { maxShare: 0.1 } }))).toEqual([]);
    expect(retired(plan({ acknowledged, old: [...monthly('2025-12', '2025-12'), ...OLD] }))).toEqual([]);
    expect(retired(plan({ acknowledged, policy: { retention: { amount: 91, unit: 'days' } } }))).toEqual([]);
  });

  test.each([
    [0.53, 0],
    [0.54, 7],
    [1, 7],
  ])('of at most maxShare %d needs nobody: %d retired', (maxShare, count) => {
    expect(retired(plan({ policy: { maxShare } }))).toHaveLength(count);
  });

  test('is counted in bytes where the catalog knows them', () => {
    const empty = OLD.map(partition => ({ ...partition, size: aSize({ bytesEstimate: 0 }) }));
    expect(retired(plan({ old: empty }))).toHaveLength(7);
  });

  test('does not matter for one or two partitions, as they expire in an ordinary life', () => {
    expect(retired(plan({ old: OLD.slice(-2), policy: { maxShare: 0 } }))).toEqual(['2026_06', '2026_07']);
    expect(retired(plan({ old: OLD.slice(-3), policy: { maxShare: 0 } }))).toEqual([]);
  });
});

describe('a retention that got shorter', () => {
  const policy = { maxShare: 1 };

  test('retires what is due because of that only when somebody agrees', () => {
    const part = plan({ policy, ledger: acceptedAt('2026-11-20', '365 days') });
    expect(retired(part)).toEqual([]);
    expect(codes(part)).toEqual(['RETENTION_SHORTENED']);
    expect(part.findings[0]?.message).toContain('the retention was 365 days and is 90 days now');
    const acknowledged = new Set([nameIn(part)]);
    expect(retired(plan({ policy, ledger: acceptedAt('2026-11-20', '365 days'), acknowledged }))).toHaveLength(7);
  });

  test.each([
    ['90 days', 7],
    ['30 days', 7],
    ['forever', 0],
    // Two more than with 150 days: within the usual.
    ['150 days', 7],
    ['180 days', 0],
  ])('from %s: %d retired', (before, count) => {
    expect(retired(plan({ policy, ledger: acceptedAt('2026-11-20', before) }))).toHaveLength(count);
  });
});

describe('a date that does not go on from where the ledger ends', () => {
  const policy = { maxShare: 1 };

  test('after long silence lets nothing but the usual be retired', () => {
    const part = plan({ policy, ledger: acceptedAt('2026-10-01') });
    expect([retired(part), codes(part)]).toEqual([[], ['CLOCK_JUMPED']]);
    expect(retired(plan({ policy, ledger: acceptedAt('2026-10-01'), old: OLD.slice(-2) }))).toHaveLength(2);
    expect(retired(plan({ policy, ledger: acceptedAt('2026-10-20') }))).toHaveLength(7);
  });

  test('before its end lets nothing be destroyed at all', () => {
    const tomorrow = NOW.add({ hours: 24 }).toString();
    const part = plan({ policy, ledger: acceptedAt(tomorrow), old: OLD.slice(-1) });
    expect([retired(part), held(part), codes(part)]).toEqual([[], ['clock-skew'], ['CLOCK_JUMPED']]);
  });
});

test.each([
  { systemIdentifier: '1', database: 'app' },
  { systemIdentifier: aServer().systemIdentifier, database: 'staging' },
])('the ledger of another database (%o) proves nothing, so nothing is destroyed', pinned => {
  const part = plan({ policy: { maxShare: 1 }, ledger: aLedger({ pinned }), old: OLD.slice(-1) });
  expect([retired(part), held(part), codes(part)]).toEqual([[], ['wrong-database'], ['WRONG_DATABASE']]);
  expect(part.findings[0]?.hint).toContain('partkeeper adopt');
});

test('one run retires no more than maxPerRun, the oldest first, and says how many are left', () => {
  const part = plan({ policy: { maxShare: 1, maxPerRun: 3 } });
  expect(retired(part)).toEqual(['2026_01', '2026_02', '2026_03']);
  expect(held(part)).toEqual(['max-per-run', 'max-per-run', 'max-per-run', 'max-per-run']);
  expect(part.findings).toMatchObject([{ code: 'RETIRE_LIMITED', severity: 'info' }]);
});

describe('a view that still needs the rows', () => {
  const TOTALS = relation('app.totals');
  const policy = { maxShare: 1, retireAfter: [TOTALS] };
  const refreshed = (when: string) =>
    aView({ relation: TOTALS, lastRefresh: { at: at(when), fingerprint: undefined } });

  test('keeps every partition that ended after its last refresh', () => {
    const part = plan({ policy, views: [refreshed('2026-06-01')] });
    expect(retired(part)).toEqual(['2026_01', '2026_02', '2026_03', '2026_04', '2026_05']);
    expect(held(part)).toEqual(['view-not-refreshed', 'view-not-refreshed']);
    expect(part.findings).toMatchObject([{ code: 'RETIRE_WAITS_FOR_VIEW', severity: 'warning' }]);
  });

  test.each([
    ['was never refreshed', [aView({ relation: TOTALS })]],
    ['does not exist', []],
  ])('and %s keeps them all', (_, views) => {
    expect(retired(plan({ policy, views }))).toEqual([]);
  });

  test('and was refreshed since keeps none', () => {
    expect(retired(plan({ policy, views: [refreshed('2026-08-01')] }))).toHaveLength(7);
  });
});
