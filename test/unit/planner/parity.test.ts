import { describe, expect, test } from 'vitest';
import type { Grant, PartitionFacts } from '../../../src/domain/facts.ts';
import type { IndexFacts, InvalidIndex, Structure, TriggerFacts } from '../../../src/domain/structure.ts';
import { planParity } from '../../../src/planner/parity.ts';
import { aPartition, aStructure, aTimeTable, at, monthly, NOW, relation } from '../../support/facts.ts';

const P = 'unified.event_metric_events_2026_12';
const [PAST, CURRENT, NEXT] = monthly('2026-10', '2026-12') as [PartitionFacts, PartitionFacts, PartitionFacts];

const grant = (privilege: string, over: Partial<Grant> = {}): Grant => ({
  grantee: 'app',
  privilege,
  grantable: false,
  column: undefined,
  ...over,
});
const trigger = (over: Partial<TriggerFacts> = {}): TriggerFacts => ({
  oid: 1,
  name: 'stamp',
  parent: undefined,
  firing: 'origin',
  ...over,
});
const index = (over: Partial<IndexFacts> = {}): IndexFacts => ({
  oid: 5,
  name: 'by_id',
  parent: undefined,
  definition: 'btree (id)',
  ...over,
});
const published = (name: string) => ({ name, isOpen: true });

interface Given {
  readonly table?: Partial<Structure>;
  /** The partition that is looked at: of December, and the newest one. */
  readonly own?: Partial<Structure>;
  /** That of November. */
  readonly sibling?: Partial<Structure>;
}

const findingsOf = ({ table, own, sibling }: Given) =>
  planParity(
    aTimeTable({
      partitions: [CURRENT, NEXT],
      structure: {
        table: aStructure(table),
        partitions: new Map([
          [CURRENT.oid, aStructure({ ...table, indexes: [], triggers: [], publications: [], ...sibling })],
          [NEXT.oid, aStructure({ ...table, indexes: [], triggers: [], publications: [], ...own })],
        ]),
        invalidIndexes: [],
      },
    }),
    NOW,
  ).findings;

const told = (given: Given): readonly string[] =>
  findingsOf(given)
    .filter(({ message }) => message.startsWith(P))
    .map(({ message, hint }) => `${message.slice(`${P} differs: `.length)} → ${hint}`);

const MEND = 'To make it like the others: ';

describe('a partition differs from its table', () => {
  test.each<[string, Given, string]>([
    [
      'in its owner',
      { own: { owner: 'The "Intern"' } },
      `it belongs to The "Intern", not to app_owner → ${MEND}alter table ${P} owner to "app_owner"`,
    ],
    [
      'in row level security that is off',
      { table: { rowSecurity: true, forceRowSecurity: true }, own: { rowSecurity: false, forceRowSecurity: false } },
      `row level security is off; row level security is not forced → ${MEND}alter table ${P} enable row level security; alter table ${P} force row level security`,
    ],
    [
      'in row level security that is on',
      { own: { rowSecurity: true, forceRowSecurity: true } },
      `row level security is on; row level security is forced → ${MEND}alter table ${P} disable row level security; alter table ${P} no force row level security`,
    ],
    [
      'in rights that it lacks, or has beyond',
      {
        table: { grants: [grant('SELECT'), grant('UPDATE', { column: 'No"te' })] },
        own: { grants: [grant('SELECT', { grantee: undefined })] },
      },
      `it lacks SELECT for app, UPDATE (No"te) for app; it has, unlike the table, SELECT for everyone → ${MEND}grant select on ${P} to "app"; grant update ("No""te") on ${P} to "app"; revoke select on ${P} from public`,
    ],
    [
      'in a grant option that it lacks',
      { table: { grants: [grant('SELECT', { grantable: true })] }, own: { grants: [grant('SELECT')] } },
      `it lacks SELECT for app with grant option → ${MEND}grant select on ${P} to "app" with grant option`,
    ],
    [
      'in a grant option that it has',
      { table: { grants: [grant('SELECT')] }, own: { grants: [grant('SELECT', { grantable: true })] } },
      `it has, unlike the table, SELECT for app with grant option → ${MEND}revoke grant option for select on ${P} from "app"`,
    ],
    [
      'in its replica identity',
      { table: { replicaIdentity: { kind: 'full' } }, own: { replicaIdentity: { kind: 'default' } } },
      `its replica identity is default, the table's full → ${MEND}alter table ${P} replica identity full`,
    ],
    [
      'in the index that is its replica identity',
      {
        table: { replicaIdentity: { kind: 'index', of: 5, name: 'by_id' }, indexes: [index()] },
        own: {
          replicaIdentity: { kind: 'index', of: 6, name: 'other' },
          indexes: [index({ oid: 7, name: 'mine', parent: 5 })],
        },
        sibling: { indexes: [index({ oid: 8, parent: 5 })] },
      },
      `its replica identity is index other, the table's index by_id → ${MEND}alter table ${P} replica identity using index "mine"`,
    ],
    [
      'in a trigger that does not fire',
      { table: { triggers: [trigger()] }, own: { triggers: [trigger({ oid: 2, parent: 1, firing: 'disabled' })] } },
      `its trigger stamp fires otherwise (disabled, not origin) → ${MEND}alter table ${P} enable trigger "stamp"`,
    ],
    [
      'in a trigger of its own',
      { own: { triggers: [trigger()] } },
      'it has triggers of its own: stamp → Make it like the others, or the table like it: new partitions follow the table.',
    ],
    [
      'in an index that is not attached',
      { table: { indexes: [index()] } },
      'it lacks the index by_id, btree (id) → Make it like the others, or the table like it: new partitions follow the table.',
    ],
    [
      'in its tablespace',
      { table: { tablespace: 'fast' }, own: { tablespace: undefined } },
      'its tablespace is that of the database, not fast → Make it like the others, or the table like it: new partitions follow the table.',
    ],
    [
      'in statistics targets',
      {
        table: { statisticsTargets: [{ column: 'a', target: 100 }] },
        own: { statisticsTargets: [{ column: 'b', target: 0 }] },
      },
      `the statistics target of a is the default, not 100; the statistics target of b is 0, not the default → ${MEND}alter table ${P} alter column "a" set statistics 100; alter table ${P} alter column "b" set statistics -1`,
    ],
  ])('%s', (_, given, expected) => {
    expect(told(given)).toEqual([expected]);
    expect(findingsOf(given)[0]).toMatchObject({ code: 'PARTITION_DIFFERS', severity: 'warning' });
  });
});

describe('a partition differs from its siblings', () => {
  test('in storage parameters, for which the newest is the model', () => {
    const [found, ...others] = findingsOf({
      own: { storageParameters: ['fillfactor=70', 'toast.autovacuum_enabled=false'] },
      sibling: { storageParameters: ['fillfactor=90', 'parallel_workers=2'] },
    });
    expect(others).toEqual([]);
    expect(found?.message).toBe(
      'unified.event_metric_events_2026_11 differs: its storage parameters are fillfactor=90, parallel_workers=2, those of event_metric_events_2026_12, which new partitions follow, fillfactor=70, toast.autovacuum_enabled=false',
    );
    expect(found?.hint).toBe(
      `${MEND}alter table unified.event_metric_events_2026_11 set (fillfactor = 70, toast.autovacuum_enabled = false); alter table unified.event_metric_events_2026_11 reset (parallel_workers)`,
    );
  });

  test.each<[string, Given, string]>([
    [
      'in an index that only they have',
      { sibling: { indexes: [index({ definition: 'unique btree (id)' })] } },
      'it lacks an index that siblings have: unique btree (id) → Make it like the others, or the table like it: new partitions follow the table.',
    ],
    [
      'in a publication',
      { sibling: { publications: [published('to_warehouse')] } },
      `it is not in the publication to_warehouse, as siblings are → ${MEND}alter publication "to_warehouse" add table ${P}`,
    ],
  ])('%s', (_, given, expected) => {
    expect(told(given)).toEqual([expected]);
  });

  test('but not in a publication of the table', () => {
    const given = {
      table: { publications: [published('all_of_it')] },
      sibling: { publications: [published('all_of_it')] },
    };
    expect(findingsOf(given)).toEqual([]);
  });

  test('the tablespace of a table that has none is the newest partition’s', () => {
    expect(findingsOf({ own: { tablespace: 'fast' }, sibling: { tablespace: 'fast' } })).toEqual([]);
    expect(findingsOf({ own: { tablespace: 'fast' } }).map(({ message }) => message)).toEqual([
      'unified.event_metric_events_2026_11 differs: its tablespace is that of the database, not fast',
    ]);
  });
});

describe('nothing is said of', () => {
  test('partitions that are alike', () => {
    const like: Partial<Structure> = {
      grants: [grant('SELECT'), grant('SELECT', { column: 'id' })],
      rowSecurity: true,
      storageParameters: ['fillfactor=70'],
      tablespace: 'fast',
      statisticsTargets: [{ column: 'a', target: 1 }],
    };
    const mine = {
      indexes: [index({ oid: 7, parent: 5 })],
      triggers: [trigger({ oid: 8, parent: 1, firing: 'always' as const })],
    };
    const given = {
      table: { ...like, indexes: [index()], triggers: [trigger({ firing: 'always' as const })] },
      own: mine,
      sibling: mine,
    };
    expect(findingsOf(given)).toEqual([]);
  });

  test('a partition that ended, to the microsecond', () => {
    const table = aTimeTable({
      partitions: [PAST, CURRENT],
      structure: {
        table: aStructure(),
        partitions: new Map([
          [PAST.oid, aStructure({ owner: 'somebody' })],
          [CURRENT.oid, aStructure()],
        ]),
        invalidIndexes: [],
      },
    });
    expect(planParity(table, at('2026-11-01')).findings).toEqual([]);
    expect(planParity(table, at('2026-10-31T23:59:59.999999Z')).findings).toHaveLength(1);
  });

  test('storage parameters of a partitioned partition, which has none', () => {
    const sub = aPartition('2026-11-01', '2026-12-01', { kind: 'partitioned' });
    const table = aTimeTable({
      partitions: [sub, NEXT],
      structure: {
        table: aStructure(),
        partitions: new Map([
          [sub.oid, aStructure()],
          [NEXT.oid, aStructure({ storageParameters: ['fillfactor=70'] })],
        ]),
        invalidIndexes: [],
      },
    });
    expect(planParity(table, NOW).findings).toEqual([]);
  });

  test('a table whose structure was not read', () => {
    expect(planParity(aTimeTable({ partitions: [CURRENT] }), NOW).findings).toEqual([]);
  });
});

describe('an invalid index', () => {
  const invalid = (over: Partial<InvalidIndex>) =>
    planParity(
      aTimeTable({
        structure: {
          table: aStructure(),
          partitions: new Map(),
          invalidIndexes: [
            { name: 'by_id', on: relation('unified.event_metric_events'), isPartitioned: true, lacking: 2, ...over },
          ],
        },
      }),
      NOW,
    ).findings;

  test('of the table lacks those of partitions', () => {
    expect(invalid({})).toMatchObject([
      {
        code: 'INVALID_INDEX',
        severity: 'warning',
        message:
          'index unified.by_id of unified.event_metric_events is invalid, and no query uses it: 2 partitions have no valid index attached to it',
      },
    ]);
    expect(invalid({ lacking: 1 })[0]?.message).toMatch(/: 1 partition has no valid index attached to it$/);
  });

  test('of a partition was not built', () => {
    expect(
      invalid({ on: relation('unified.event_metric_events_2026_11'), isPartitioned: false, lacking: 0 }),
    ).toMatchObject([
      {
        message:
          'index unified.by_id of unified.event_metric_events_2026_11 is invalid, and no query uses it: building it failed',
        hint: 'Try again: reindex index concurrently unified.by_id; or do without: drop index concurrently unified.by_id',
      },
    ]);
  });
});
