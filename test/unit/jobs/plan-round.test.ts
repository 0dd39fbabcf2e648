/** Several jobs in one plan: each on the facts as the jobs before it will leave them. */
import { describe, expect, test } from 'vitest';
import type { Facts } from '../../../src/domain/facts.ts';
import { momentsOf } from '../../../src/domain/moments.ts';
import { JOB_NAMES, type JobName, type Plan } from '../../../src/domain/plan.ts';
import type { Policies } from '../../../src/domain/policy.ts';
import type { PlanContext } from '../../../src/jobs/job.ts';
import { planRound } from '../../../src/jobs/plan-round.ts';
import { jobOf, jobs, targetsOf } from '../../../src/jobs/registry.ts';
import {
  aPartition,
  aServer,
  aTable,
  aTablePolicy,
  at,
  aView,
  aViewPolicy,
  monthly,
  NOW,
  relation,
  someFacts,
  someStatistics,
} from '../../support/facts.ts';
import { deepFreeze } from '../../support/freeze.ts';

const TABLE = relation('unified.event_metric_events');
const VIEW = relation('unified.mv_recent_events');
const POLICIES: Policies = { tables: [aTablePolicy()], views: [aViewPolicy()] };

interface Round {
  readonly facts?: Partial<Facts>;
  readonly policies?: Policies;
  readonly jobs?: readonly JobName[];
}
function round({ facts = {}, policies = POLICIES, jobs: names = JOB_NAMES }: Round): Plan {
  const all = someFacts(facts);
  const context: Omit<PlanContext, 'targets'> = {
    facts: all,
    policies,
    moments: momentsOf(all.server),
    dueSince: () => at('2026-11-21T05:30:00Z'),
    isAskedFor: false,
  };
  return planRound(
    names.map(jobOf).map(job => ({ job, targets: targetsOf(job, policies) })),
    context,
  );
}

const told = ({ actions, skips }: Plan): readonly string[] => [
  ...actions.map(action => `${action.kind} ${action.relation.name.replace('event_metric_events_', '')}`),
  ...skips.map(
    ({ job, relation: { name }, reason }) => `${job} ${name.replace('event_metric_events_', '')}: ${reason}`,
  ),
];

/** Old partitions, and none for now: retiring alone would not dare to touch it. */
const NEGLECTED = aTable({ partitions: monthly('2026-06', '2026-10') });

describe('retiring', () => {
  test('is planned on what provisioning will leave', () => {
    expect(told(round({ facts: { tables: [NEGLECTED] }, jobs: ['provision', 'retire'] }))).toEqual([
      'create-partition 2026_11',
      'create-partition 2026_12',
      'create-partition 2027_01',
      'drop-partition 2026_06',
      'drop-partition 2026_07',
      'retire 2026_08: within-retention',
      'retire 2026_09: within-retention',
      'retire 2026_10: within-retention',
      'retire 2026_11: within-retention',
      'retire 2026_12: within-retention',
      'retire 2027_01: within-retention',
    ]);
  });

  test('without provisioning before it waits until the table is covered', () => {
    const plan = round({ facts: { tables: [NEGLECTED] }, jobs: ['retire'] });
    expect(plan.actions).toEqual([]);
    expect(told(plan)).toContain('retire 2026_06: coverage-broken');
  });

  test('before provisioning, too: the order of the jobs is the order of the plan', () => {
    const plan = round({ facts: { tables: [NEGLECTED] }, jobs: ['retire', 'provision'] });
    expect(new Set(plan.actions.map(({ kind }) => kind))).toEqual(new Set(['create-partition']));
  });
});

describe('provisioning', () => {
  test.each([
    ['the database’s', { databaseNow: at('2026-12-01T00:00:10Z'), processNow: at('2026-11-30T23:59:50Z') }],
    ['the process’s', { databaseNow: at('2026-11-30T23:59:50Z'), processNow: at('2026-12-01T00:00:10Z') }],
  ])('goes by the later of the two clocks, here %s', (_, clocks) => {
    const tables = [aTable({ partitions: monthly('2026-11', '2027-01') })];
    const plan = round({ facts: { server: aServer(clocks), tables }, jobs: ['provision'] });
    expect(told(plan)[0]).toBe('create-partition 2027_02');
  });
});

describe('analysing', () => {
  test('leaves out what is retired and takes in what is created', () => {
    const statistics = someStatistics({ analyzedAt: undefined });
    const partitions = monthly('2026-06', '2026-10').map(partition => ({ ...partition, statistics }));
    const table = aTable({ partitions, statistics: someStatistics({ changedRows: undefined }) });
    const plan = round({ facts: { tables: [table] }, jobs: ['provision', 'retire', 'analyze'] });
    expect(told(plan).filter(line => line.startsWith('analyze'))).toEqual([
      'analyze-table 2026_08',
      'analyze-table 2026_09',
      'analyze-table 2026_10',
      'analyze-table 2026_11',
      'analyze-table 2026_12',
      'analyze-table 2027_01',
      'analyze event_metric_events: hardly-changed',
    ]);
  });
});

describe('a target that cannot be worked on', () => {
  const view = aView();
  test.each([
    ['absent', 'does not exist'],
    ['not-partitioned', 'exists, but is not a partitioned table'],
    ['is-a-partition', 'is itself a partition of another table'],
  ] as const)('because it is %s is told once, and skipped by each job', (reason, problem) => {
    const plan = round({
      facts: { views: [view], missing: [{ relation: TABLE, reason }] },
      jobs: ['provision', 'retire', 'analyze'],
    });
    expect(plan.actions).toEqual([]);
    expect(plan.skips.map(({ job, reason: why, detail }) => `${job} ${why}: ${detail}`)).toEqual(
      ['provision', 'retire', 'analyze'].map(job => `${job} missing: ${problem}`),
    );
    expect(plan.findings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      `TARGET_MISSING unified.event_metric_events ${problem} in database app`,
    ]);
  });

  test.each([
    ['absent', 'does not exist'],
    ['not-a-materialized-view', 'exists, but is not a materialized view'],
  ] as const)('because the view is %s does not keep another from its refresh', (reason, problem) => {
    const missing = relation('unified.mv_gone');
    const policies = { tables: [], views: [aViewPolicy({ relation: missing }), aViewPolicy()] };
    const plan = round({
      policies,
      facts: { views: [view], missing: [{ relation: missing, reason }] },
      jobs: ['refresh'],
    });
    expect(told(plan)).toEqual(['refresh-view mv_recent_events', 'refresh mv_gone: missing']);
    expect(plan.findings[0]?.message).toBe(`unified.mv_gone ${problem} in database app`);
  });

  test('because its key is not one column of time', () => {
    const table = {
      ...NEGLECTED,
      key: { kind: 'unsupported', because: 'it is partitioned by list, not by range' } as const,
    };
    const plan = round({ facts: { tables: [table], views: [view] } });
    expect(plan.actions.map(({ kind }) => kind)).toEqual(['refresh-view']);
    expect(plan.skips.map(({ job, reason }) => `${job} ${reason}`)).toEqual(
      ['provision', 'retire', 'analyze'].map(job => `${job} unsupported-key`),
    );
    expect(plan.findings).toMatchObject([
      {
        code: 'KEY_UNSUPPORTED',
        message: 'unified.event_metric_events cannot be kept by time: it is partitioned by list, not by range',
      },
    ]);
  });

  test.each([
    ['read-only', aServer({ isInRecovery: true }), 'the server of database app is a standby in recovery'],
    ['read-only', aServer({ isReadOnly: true }), 'the server of database app is in read-only mode'],
  ])('because the server is %s', (reason, server, message) => {
    const plan = round({ facts: { server, tables: [NEGLECTED], views: [view] } });
    expect(plan.actions).toEqual([]);
    expect(plan.skips.map(({ job, reason: why }) => `${job} ${why}`)).toEqual(JOB_NAMES.map(job => `${job} ${reason}`));
    expect(plan.findings.map(({ code, message: text }) => `${code} ${text}`)).toEqual([
      `READ_ONLY ${message}`,
      `READ_ONLY ${message}`,
    ]);
  });

  test('because it is somebody else’s', () => {
    const ownership = { owner: 'dba', relation: 'none' } as const;
    const facts = { tables: [{ ...NEGLECTED, ownership }], views: [{ ...view, ownership }] };
    const plan = round({ facts });
    expect(plan.actions).toEqual([]);
    expect(plan.skips.map(({ job, reason }) => `${job} ${reason}`)).toEqual(JOB_NAMES.map(job => `${job} not-owner`));
    expect(plan.findings[0]).toMatchObject({
      code: 'NOT_OWNER',
      message: 'unified.event_metric_events belongs to dba, and partkeeper may not act as dba',
      hint: 'Run as an administrator: grant "dba" to "partkeeper"',
    });
    const asSuperuser = round({ facts: { ...facts, server: aServer({ isSuperuser: true }) } });
    expect(new Set(asSuperuser.actions.map(({ actAs }) => actAs.how))).toEqual(new Set(['superuser']));
    expect(asSuperuser.findings).toEqual([]);
  });
});

describe('a round', () => {
  const other = relation('unified.other');
  const policies: Policies = {
    tables: [aTablePolicy(), aTablePolicy({ relation: other, interval: 'day' })],
    views: [aViewPolicy()],
  };
  const facts: Partial<Facts> = {
    tables: [NEGLECTED, aTable({ oid: 10_001, relation: other, partitions: [aPartition('2026-11-21', '2026-11-22')] })],
    views: [aView()],
  };

  test('accounts for every target of every job', () => {
    const states: readonly Partial<Facts>[] = [facts, {}, { tables: [aTable(), aTable({ relation: other })] }];
    for (const state of states) {
      const targets = [TABLE, other, VIEW];
      const missing = targets
        .filter(
          target =>
            ![...(state.tables ?? []), ...(state.views ?? [])].some(({ relation: { name } }) => name === target.name),
        )
        .map(target => ({ relation: target, reason: 'absent' as const }));
      for (const job of jobs) {
        const plan = round({ facts: { ...state, missing }, policies, jobs: [job.name] });
        for (const { name } of targetsOf(job, policies))
          expect(
            [...plan.actions, ...plan.skips].some(({ target }) => target.name === name),
            `${job.name} ${name}`,
          ).toBe(true);
      }
    }
  });

  test('gives each table its own', () => {
    const plan = round({ facts, policies, jobs: ['provision'] });
    const of = (name: string) =>
      plan.actions.filter(({ target }) => target.name === name).map(action => action.relation.name);
    expect(of('event_metric_events').length).toBe(3);
    expect(of('other')).toEqual(['other_2026_11_22', 'other_2026_11_23']);
  });

  test('works on the targets that it is given, and on no others', () => {
    const context = {
      facts: someFacts(facts),
      policies,
      moments: momentsOf(aServer()),
      dueSince: () => undefined,
      isAskedFor: false,
    };
    const plan = planRound([{ job: jobOf('provision'), targets: [other] }], context);
    expect(new Set([...plan.actions, ...plan.skips].map(({ target }) => target.name))).toEqual(new Set(['other']));
  });

  test('of the same job twice plans everything once', () => {
    const once = round({ facts, policies, jobs: ['provision'] });
    expect(round({ facts, policies, jobs: ['provision', 'provision'] }).actions).toEqual(once.actions);
  });

  test('asks for the due time of a view at the moment of the plan', () => {
    const asked: unknown[] = [];
    const all = someFacts(facts);
    const dueSince: PlanContext['dueSince'] = (...question) => {
      asked.push(question);
      return undefined;
    };
    const context = { facts: all, policies, moments: momentsOf(all.server), dueSince, isAskedFor: false };
    const plan = planRound([{ job: jobOf('refresh'), targets: [VIEW] }], context);
    expect(asked).toEqual([['refresh', VIEW, NOW]]);
    expect(plan.now).toEqual(NOW);
  });

  test('changes nothing that it is given', () => {
    const all = deepFreeze(someFacts(facts));
    const frozen = deepFreeze({
      facts: all,
      policies,
      moments: momentsOf(all.server),
      dueSince: () => undefined,
      isAskedFor: false,
    });
    const tasks = deepFreeze(jobs.map(job => ({ job, targets: targetsOf(job, policies) })));
    const plan = planRound(tasks, frozen);
    expect(plan).toEqual(planRound(tasks, frozen));
    expect(new Set(plan.actions.map(({ kind }) => kind))).toEqual(
      new Set(['create-partition', 'drop-partition', 'refresh-view', 'analyze-table']),
    );
  });
});
