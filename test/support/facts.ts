/** Small builders of facts: give what the test is about, the rest is an ordinary healthy server of November 2026. */
import type { Bound, PartitionBound } from '../../src/domain/bound.ts';
import type {
  Facts,
  MaterializedViewFacts,
  Ownership,
  PartitionedTableFacts,
  PartitionFacts,
  PartitionShape,
  ServerFacts,
  SizeFacts,
  StatisticsFacts,
} from '../../src/domain/facts.ts';
import { DEFAULT_NAME } from '../../src/domain/naming.ts';
import type { TablePolicy, ViewPolicy } from '../../src/domain/policy.ts';
import { parseRelationName, type RelationName } from '../../src/domain/relation.ts';
import type { Structure } from '../../src/domain/structure.ts';
import { formatInstant, type Instant, instantFrom, type KeyType } from '../../src/domain/time.ts';
import type { TimeTable } from '../../src/planner/target.ts';

/** The database's clock in {@link aServer}. */
export const NOW: Instant = instantFrom('2026-11-21T06:00:00Z');

/** `unified.event_metric_events`, as configuration spells it. */
export function relation(text: string): RelationName {
  const name = parseRelationName(text);
  if ('problem' in name) throw new Error(name.problem);
  return name;
}

/** `2026-01-01` is midnight in UTC; anything longer is read as it stands (`2026-01-01T00:00:00.000001Z`). */
export const at = (text: string): Instant => instantFrom(text.length === 10 ? `${text}T00:00:00Z` : text);

/** `at`, moved by whole microseconds: for the moment just before a bound and just after it. */
export const plusMicroseconds = (moment: Instant, microseconds: number): Instant => moment.add({ microseconds });

/** `MINVALUE` and `MAXVALUE` stand for themselves. */
const end = (text: string): Bound =>
  text === 'MINVALUE' || text === 'MAXVALUE' ? { kind: 'unbounded' } : { kind: 'at', at: at(text) };

export const aRange = (lower: string, upper: string): PartitionBound => ({
  kind: 'range',
  lower: end(lower),
  upper: end(upper),
});

export const aServer = (over: Partial<ServerFacts> = {}): ServerFacts => ({
  versionNumber: 170010,
  version: '17.10',
  database: 'app',
  systemIdentifier: '7421993311554438001',
  user: 'partkeeper',
  isSuperuser: false,
  isInRecovery: false,
  isReadOnly: false,
  databaseNow: NOW,
  processNow: over.databaseNow ?? NOW,
  ...over,
});

export const aSize = (over: Partial<SizeFacts> = {}): SizeFacts => ({
  bytesEstimate: 8192,
  rowsEstimate: 100,
  ...over,
});

export const someStatistics = (over: Partial<StatisticsFacts> = {}): StatisticsFacts => ({
  changedRows: 0,
  liveRows: 100,
  analyzedAt: at('2026-11-20'),
  autoAnalyzedAt: undefined,
  ...over,
});

// Any two partitions of one test need different OIDs; which ones is of no importance.
let lastOid = 20_000;

const quoted = (bound: Bound): string => {
  if (bound.kind === 'opaque') return bound.text;
  return bound.kind === 'at' ? `('${formatInstant(bound.at)}')` : '(?)';
};

const textOf = (bound: PartitionBound): string => {
  if (bound.kind === 'default') return 'DEFAULT';
  return bound.kind === 'opaque'
    ? 'FOR VALUES IN (1)'
    : `FOR VALUES FROM ${quoted(bound.lower)} TO ${quoted(bound.upper)}`;
};

/**
 * A partition from `lower` to `upper` (dates, instants, `MINVALUE`, `MAXVALUE`) called after its lower bound, such as
 * `unified.event_metric_events_2026_01_01`.
 */
export function aPartition(lower: string, upper: string, over: Partial<PartitionFacts> = {}): PartitionFacts {
  const bound = over.bound ?? aRange(lower, upper);
  lastOid += 1;
  return {
    oid: lastOid,
    relation: {
      schema: 'unified',
      name: `event_metric_events_${lower.replaceAll(/[^0-9A-Za-z]/g, '_').toLowerCase()}`,
    },
    bound,
    boundText: textOf(bound),
    kind: 'table',
    isDetachPending: false,
    size: aSize(),
    statistics: someStatistics(),
    ...over,
  };
}

export const aDefaultPartition = (over: Partial<PartitionFacts> = {}): PartitionFacts =>
  aPartition('default', '', { bound: { kind: 'default' }, ...over });

export const anOpaquePartition = (over: Partial<PartitionFacts> = {}): PartitionFacts =>
  aPartition('opaque', '', { bound: { kind: 'opaque', because: 'it is a list' }, ...over });

/** `monthly('2026-08', '2026-11')`: four partitions, the last one for November. */
export function monthly(first: string, last: string): readonly PartitionFacts[] {
  const partitions: PartitionFacts[] = [];
  let [year = 0, month = 0] = first.split('-').map(Number);
  const start = () => `${year}-${String(month).padStart(2, '0')}-01`;
  while (start() <= `${last}-01`) {
    const lower = start();
    [year, month] = month === 12 ? [year + 1, 1] : [year, month + 1];
    partitions.push(
      aPartition(lower, start(), {
        relation: relation(`unified.event_metric_events_${lower.slice(0, 7).replace('-', '_')}`),
      }),
    );
  }
  return partitions;
}

export const aShape = (over: Partial<PartitionShape> = {}): PartitionShape => ({
  grants: [],
  defaultGrantees: [],
  rowSecurity: false,
  forceRowSecurity: false,
  replicaIdentity: { kind: 'default' },
  storageParameters: [],
  tablespace: undefined,
  statisticsTargets: [],
  publications: [],
  ...over,
});

/** Owned by `app_owner`, and nothing else about it. */
export const aStructure = (over: Partial<Structure> = {}): Structure => ({
  owner: 'app_owner',
  grants: [],
  rowSecurity: false,
  forceRowSecurity: false,
  replicaIdentity: { kind: 'default' },
  triggers: [],
  indexes: [],
  storageParameters: [],
  tablespace: undefined,
  statisticsTargets: [],
  publications: [],
  ...over,
});

/** `app_owner` owns it, and our role may act as the owner. */
export const anOwnership = (over: Partial<Ownership> = {}): Ownership => ({
  owner: 'app_owner',
  relation: 'member',
  ...over,
});

/** `unified.event_metric_events`, monthly, keyed by a timestamptz, without partitions unless given. */
export const aTable = (over: Partial<PartitionedTableFacts> = {}): PartitionedTableFacts => ({
  oid: 10_000,
  relation: relation('unified.event_metric_events'),
  key: { kind: 'time', column: 'occurred_at', type: 'timestamptz' },
  partitions: [],
  shape: aShape(),
  ownership: anOwnership(),
  statistics: someStatistics({ changedRows: undefined, liveRows: 0 }),
  takenNames: new Set(),
  retiring: new Set(),
  otherManager: undefined,
  structure: undefined,
  leftovers: { check: false, drains: [] },
  ...over,
});

/** {@link aTable} with a key that a policy of time can be applied to, as planners take it. */
export const aTimeTable = (
  over: Partial<Omit<PartitionedTableFacts, 'key'>> = {},
  type: KeyType = 'timestamptz',
): TimeTable => ({ ...aTable(over), key: { kind: 'time', column: 'occurred_at', type } });

/** `unified.mv_recent_events`, populated, refreshable concurrently and never refreshed by us. */
export const aView = (over: Partial<MaterializedViewFacts> = {}): MaterializedViewFacts => ({
  oid: 11_000,
  relation: relation('unified.mv_recent_events'),
  ownership: anOwnership(),
  isPopulated: true,
  concurrentIndex: 'mv_recent_events_key',
  level: 0,
  reads: [],
  isTimeDependent: false,
  fingerprint: 'f1',
  lastRefresh: undefined,
  size: aSize(),
  ...over,
});

export const someFacts = (over: Partial<Facts> = {}): Facts => ({
  server: aServer(),
  tables: [],
  views: [],
  missing: [],
  hasBookkeeping: true,
  ledger: undefined,
  ...over,
});

/** Monthly, two windows ahead, drop after 90 days, in UTC, for the table of {@link aTable}. */
export const aTablePolicy = (over: Partial<TablePolicy> = {}): TablePolicy => ({
  relation: relation('unified.event_metric_events'),
  interval: 'month',
  premake: 2,
  retention: { amount: 90, unit: 'days' },
  retire: 'drop',
  grace: undefined,
  maxPerRun: 100,
  maxShare: 1,
  retireAfter: [],
  defaultPartition: 'report',
  timezone: 'UTC',
  name: DEFAULT_NAME[over.interval ?? 'month'],
  probe: true,
  analyze: { changedShare: 0.1 },
  ...over,
});

export const aViewPolicy = (over: Partial<ViewPolicy> = {}): ViewPolicy => ({
  relation: relation('unified.mv_recent_events'),
  populate: true,
  blocking: false,
  skipUnchanged: true,
  ...over,
});
