import { describe, expect, test } from 'vitest';
import { decodeServer, decodeTable, decodeView } from '../../../src/catalog/decode-facts.ts';
import type { PartitionRow, ServerRow, TableRow, ViewRow } from '../../../src/catalog/rows.ts';
import { at, NOW } from '../../support/facts.ts';

const TABLE: TableRow = {
  oid: 1,
  schema: 'unified',
  name: 'events',
  kind: 'p',
  owner: 'app_owner',
  is_owner: false,
  may_act_as_owner: true,
  is_partition: false,
  strategy: 'r',
  key_count: 1,
  key_column: 'occurred_at',
  key_type: 1184,
  key_type_name: 'timestamp with time zone',
  has_usual_order: true,
  row_security: false,
  force_row_security: false,
  replica_identity: 'd',
  replica_identity_index: null,
  tablespace: null,
  has_grants: false,
  grants: [],
  default_grantees: [],
  statistics_targets: [],
  live_rows: 0,
  analyzed_at: null,
  auto_analyzed_at: null,
};
const PARTITION: PartitionRow = {
  parent: 1,
  oid: 2,
  schema: 'unified',
  name: 'events_2026_11',
  kind: 'r',
  bound: "FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00')",
  detach_pending: false,
  has_foreign: false,
  options: null,
  bytes: 8192,
  rows: 7,
  changed_rows: 3,
  live_rows: 5,
  analyzed_at: null,
  auto_analyzed_at: null,
  left_check: false,
};
const table = (row: Partial<TableRow> = {}, ...partitions: readonly Partial<PartitionRow>[]) =>
  decodeTable(
    { ...TABLE, ...row },
    partitions.map((over, index) => ({ ...PARTITION, oid: 2 + index, ...over })),
    new Set(),
    [],
  );

describe('the key of a table', () => {
  test.each([
    [1184, 'timestamptz'],
    [1114, 'timestamp'],
    [1082, 'date'],
  ])('of type %i is a %s', (key_type, type) => {
    expect(table({ key_type }).key).toEqual({ kind: 'time', column: 'occurred_at', type });
  });

  test.each<[Partial<TableRow>, string]>([
    [{ strategy: 'l' }, 'it is partitioned by list, not by range'],
    [{ strategy: 'h' }, 'it is partitioned by hash, not by range'],
    [{ key_count: 2 }, 'its key has 2 columns'],
    [{ key_column: null, key_type: null, key_type_name: null }, 'its key is an expression'],
    [{ key_type: 20, key_type_name: 'bigint' }, 'its key occurred_at is of type bigint'],
    [
      { key_type: 1083, key_type_name: 'time without time zone' },
      'its key occurred_at is of type time without time zone',
    ],
    [{ has_usual_order: false }, 'its key occurred_at is ordered by an operator class of its own'],
    // A domain has a number of its own, and a check of its own.
    [{ key_type: 16_999, key_type_name: 'app.moment' }, 'its key occurred_at is of type app.moment'],
  ])('%j is unsupported', (row, because) => {
    expect(table(row).key).toEqual({ kind: 'unsupported', because });
  });

  test('that is unsupported makes every bound opaque but the default', () => {
    const partitions = table({ strategy: 'l' }, {}, { bound: 'DEFAULT' }).partitions;
    expect(partitions.map(({ bound }) => bound.kind)).toEqual(['opaque', 'default']);
  });
});

describe('who may act', () => {
  test.each([
    [true, true, 'self'],
    [true, false, 'self'],
    [false, true, 'member'],
    [false, false, 'none'],
  ])('as the owner %s, as a member %s: %s', (is_owner, may_act_as_owner, expected) => {
    expect(table({ is_owner, may_act_as_owner }).ownership).toEqual({ owner: 'app_owner', relation: expected });
  });
});

describe('a partition', () => {
  test('carries what the catalog says, and the text of its bound as evidence', () => {
    expect(table({}, {}).partitions).toEqual([
      {
        oid: 2,
        relation: { schema: 'unified', name: 'events_2026_11' },
        bound: {
          kind: 'range',
          lower: { kind: 'at', at: at('2026-11-01') },
          upper: { kind: 'at', at: at('2026-12-01') },
        },
        boundText: PARTITION.bound,
        kind: 'table',
        isDetachPending: false,
        size: { bytesEstimate: 8192, rowsEstimate: 7 },
        statistics: { changedRows: 3, liveRows: 5, analyzedAt: undefined, autoAnalyzedAt: undefined },
      },
    ]);
  });

  test.each<[string, boolean, string]>([
    ['r', false, 'table'],
    ['p', false, 'partitioned'],
    ['f', true, 'foreign'],
    ['p', true, 'foreign'],
  ])('of kind %s, with a foreign table in it %s, is a %s', (kind, has_foreign, expected) => {
    expect(table({}, { kind, has_foreign }).partitions[0]?.kind).toBe(expected);
  });

  test('with partitions of its own has the changes of all of them', () => {
    expect(table({}, { kind: 'p', changed_rows: 30 }).partitions[0]?.statistics.changedRows).toBe(30);
  });

  test('that nobody has counted has no row estimate, and no changes', () => {
    const [partition] = table({}, { rows: null, changed_rows: null, live_rows: null }).partitions;
    expect(partition).toMatchObject({ size: { rowsEstimate: undefined }, statistics: { changedRows: 0, liveRows: 0 } });
  });

  test('without a bound has no evidence either', () => {
    expect(table({}, { bound: null }).partitions[0]).toMatchObject({ bound: { kind: 'opaque' }, boundText: '' });
  });
});

describe('what a new partition takes over', () => {
  const bound = (month: number) =>
    `FOR VALUES FROM ('2026-0${month}-01 00:00:00+00') TO ('2026-0${month + 1}-01 00:00:00+00')`;

  test('are the storage parameters of the newest table, by its upper bound', () => {
    const { shape } = table(
      {},
      { bound: bound(3), options: ['fillfactor=70'] },
      { bound: bound(5), options: ['fillfactor=90'] },
      { bound: bound(4), options: ['fillfactor=80'] },
      { bound: bound(6), options: ['fillfactor=10'], kind: 'p' },
      { bound: bound(7), options: ['fillfactor=20'], has_foreign: true },
      { bound: 'DEFAULT', options: ['fillfactor=30'] },
    );
    expect(shape.storageParameters).toEqual(['fillfactor=90']);
  });

  test.each([[[]], [[{ bound: bound(3), options: null }]], [[{ bound: 'DEFAULT', options: ['fillfactor=30'] }]]])(
    'are none where there is no example: %j',
    partitions => {
      expect(table({}, ...partitions).shape.storageParameters).toEqual([]);
    },
  );

  test.each<[string, number | null, object]>([
    ['d', null, { kind: 'default' }],
    ['f', null, { kind: 'full' }],
    ['n', null, { kind: 'nothing' }],
    ['i', 99, { kind: 'index', parentIndex: 99 }],
    // The index was dropped since, so there is none to take over.
    ['i', null, { kind: 'default' }],
  ])('is the replica identity %s with index %j', (replica_identity, replica_identity_index, expected) => {
    expect(table({ replica_identity, replica_identity_index }).shape.replicaIdentity).toEqual(expected);
  });

  test('are the rights, those of PUBLIC without a name', () => {
    const grant = { grantee: null, privilege: 'SELECT', grantable: false, column: null };
    const { shape } = table({ grants: [grant], default_grantees: [null, 'web'], row_security: true });
    expect(shape.grants).toEqual([{ grantee: undefined, privilege: 'SELECT', grantable: false, column: undefined }]);
    expect(shape.defaultGrantees).toEqual([undefined, 'web']);
    expect([shape.rowSecurity, shape.forceRowSecurity]).toEqual([true, false]);
  });
});

const SERVER: ServerRow = {
  version_number: 170_010,
  version: '17.10',
  database: 'app',
  system_identifier: '7421993311554438001',
  user: 'partkeeper',
  is_superuser: false,
  is_in_recovery: false,
  is_read_only: false,
  now: '2026-11-21 06:00:00.000001+00',
  has_bookkeeping: true,
  has_retirements: false,
  partman_schema: null,
  has_drains: true,
};

test('the server’s clock is read to the microsecond', () => {
  expect(decodeServer(SERVER, NOW)).toMatchObject({ databaseNow: at('2026-11-21T06:00:00.000001Z'), processNow: NOW });
});

test.each(['2026-11-21 07:00:00+01', '2026-11-21 06:00:00', 'now', ''])(
  'a clock in another style is refused: %j',
  now => {
    expect(() => decodeServer({ ...SERVER, now }, NOW)).toThrow(`not a timestamp in UTC and ISO style: ${now}`);
  },
);

describe('a view', () => {
  const VIEW: ViewRow = {
    oid: 3,
    schema: 'unified',
    name: 'mv',
    kind: 'm',
    owner: 'app_owner',
    is_owner: true,
    may_act_as_owner: true,
    is_populated: true,
    concurrent_index: null,
    level: 1,
    reads: [7],
    is_time_dependent: false,
    fingerprint: null,
    rows: -1,
    bytes: 0,
  };

  test('that was never analysed nor refreshed', () => {
    expect(decodeView(VIEW, undefined)).toEqual({
      oid: 3,
      relation: { schema: 'unified', name: 'mv' },
      ownership: { owner: 'app_owner', relation: 'self' },
      isPopulated: true,
      concurrentIndex: undefined,
      level: 1,
      reads: [7],
      isTimeDependent: false,
      fingerprint: undefined,
      lastRefresh: undefined,
      size: { bytesEstimate: 0, rowsEstimate: undefined },
    });
  });

  test('that was', () => {
    const refresh = { view: 3, refreshed_at: '2026-11-21 05:00:00+00', fingerprint: null };
    expect(decodeView({ ...VIEW, rows: 0, concurrent_index: 'mv_key', fingerprint: 'f' }, refresh)).toMatchObject({
      concurrentIndex: 'mv_key',
      fingerprint: 'f',
      lastRefresh: { at: at('2026-11-21T05:00:00Z'), fingerprint: undefined },
      size: { rowsEstimate: 0 },
    });
  });
});
