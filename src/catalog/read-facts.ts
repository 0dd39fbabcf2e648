/** The facts that the jobs decide by: twelve reads at most, however many tables, partitions and views there are. */
import type { Facts, MissingReason, Oid, PartitionedTableFacts, ServerFacts } from '../domain/facts.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import type { LedgerFacts } from '../domain/retirement.ts';
import { type Instant, instantFromEpochMs, toEpochSeconds } from '../domain/time.ts';
import type { Session } from '../postgres/session.ts';
import { decodeServer, decodeTable, decodeView } from './decode-facts.ts';
import { decodeLedger } from './decode-ledger.ts';
import { relevantPartitions, withStructure } from './decode-structure.ts';
import { queries } from './queries.ts';
import { readOtherManager } from './read-other-manager.ts';
import type {
  DrainRow,
  LedgerRow,
  PartitionRow,
  RetirementRow,
  ServerRow,
  StructureRow,
  TableRow,
  TakenNameRow,
  ViewRefreshRow,
  ViewRow,
} from './rows.ts';

/** What to look at. `namePattern` is a regular expression for the names that new partitions may want. */
export interface FactsRequest {
  readonly tables: readonly { readonly relation: RelationName; readonly namePattern: string }[];
  readonly views: readonly RelationName[];
}

/** Reads the process's clock; given by `app.ts`. */
export type Clock = () => Instant;

export async function readFacts(session: Session, request: FactsRequest, clock: Clock): Promise<Facts> {
  const { server, hasBookkeeping, hasRetirements, hasDrains, partmanSchema } = await readServer(session, clock);
  const tableRows = await readTables(session, request);
  const viewRows = await readViews(session, request.views);
  const partitioned = tableRows.filter(row => row.kind === 'p' && !row.is_partition);
  const views = viewRows.filter(row => row.kind === 'm');
  const partitions = await readPartitions(
    session,
    partitioned.map(row => row.oid),
  );
  const drains = hasDrains
    ? await readDrains(
        session,
        partitioned.map(row => row.oid),
      )
    : undefined;
  const taken = await readTakenNames(session, request);
  const byParent = Map.groupBy(partitions, row => row.parent);
  const tables = partitioned.map(row =>
    decodeTable(
      row,
      byParent.get(row.oid) ?? [],
      taken.get(formatRelationName(row)) ?? new Set(),
      drains?.filter(({ parent }) => parent === row.oid),
    ),
  );
  const structures = await readStructures(session, tables, server.databaseNow);
  const remembered = hasBookkeeping ? views : [];
  const refreshes = await readRefreshes(
    session,
    remembered.map(row => row.oid),
  );

  const otherManager = await readOtherManager(session, tables, partmanSchema);
  const refreshOf = new Map(refreshes.map(row => [row.view, row]));
  const ledger = hasRetirements ? await readLedger(session, tables) : undefined;
  return {
    server,
    hasBookkeeping,
    ledger,
    tables: tables.map(table => ({
      ...withStructure(table, structures),
      otherManager: otherManager(table),
      retiring: retiringIn(ledger, table.oid),
    })),
    views: views.map(row => decodeView(row, refreshOf.get(row.oid))),
    missing: [
      ...missing(
        request.tables.map(({ relation }) => relation),
        tableRows,
        whyNotATable,
      ),
      ...missing(request.views, viewRows, row => (row.kind === 'm' ? undefined : 'not-a-materialized-view')),
    ],
  };
}

export async function readServer(
  session: Session,
  clock: Clock,
): Promise<{
  server: ServerFacts;
  hasBookkeeping: boolean;
  hasRetirements: boolean;
  hasDrains: boolean;
  partmanSchema: string | undefined;
}> {
  const before = clock();
  const [row] = await session.query<ServerRow>(queries.server, [], 'read the server’s version and clock');
  const after = clock();
  if (row === undefined) throw new TypeError('the server answered without a row');
  const processNow = instantFromEpochMs(((toEpochSeconds(before) + toEpochSeconds(after)) / 2) * 1000);
  return {
    server: decodeServer(row, processNow),
    hasBookkeeping: row.has_bookkeeping,
    hasRetirements: row.has_retirements,
    hasDrains: row.has_drains,
    partmanSchema: row.partman_schema ?? undefined,
  };
}

const pairs = (relations: readonly RelationName[]): [string[], string[]] => [
  relations.map(({ schema }) => schema),
  relations.map(({ name }) => name),
];

// Planning such a query takes longer than running it: what nobody asks about is not asked.
const readTables = async (session: Session, { tables }: FactsRequest): Promise<readonly TableRow[]> =>
  tables.length === 0
    ? []
    : session.query(queries.tables, pairs(tables.map(({ relation }) => relation)), 'read the tables');

const readPartitions = async (session: Session, parents: readonly Oid[]): Promise<readonly PartitionRow[]> =>
  parents.length === 0 ? [] : session.query(queries.partitions, [parents], 'read the partitions');

const readStructures = async (
  session: Session,
  tables: readonly PartitionedTableFacts[],
  now: Instant,
): Promise<readonly StructureRow[]> => {
  const wanted = tables.filter(({ key }) => key.kind === 'time');
  if (wanted.length === 0) return [];
  const partitions = wanted.flatMap(table => relevantPartitions(table, now));
  return session.query(
    queries.structure,
    [wanted.map(({ oid }) => oid), partitions.map(({ oid }) => oid)],
    'read how tables and partitions are made',
  );
};

const readDrains = async (session: Session, parents: readonly Oid[]): Promise<readonly DrainRow[]> =>
  parents.length === 0 ? [] : session.query(queries.drains, [parents], 'read the drains that were not finished');

const readViews = async (session: Session, views: readonly RelationName[]): Promise<readonly ViewRow[]> =>
  views.length === 0 ? [] : session.query(queries.views, pairs(views), 'read the materialized views');

const readRefreshes = async (session: Session, views: readonly Oid[]): Promise<readonly ViewRefreshRow[]> =>
  views.length === 0 ? [] : session.query(queries.viewRefreshes, [views], 'read the last refreshes');

const retiringIn = (ledger: LedgerFacts | undefined, parent: Oid): ReadonlySet<Oid> =>
  new Set(ledger?.retirements.get(parent)?.map(({ partition }) => partition));

async function readLedger(
  session: Session,
  tables: readonly PartitionedTableFacts[],
): Promise<LedgerFacts | undefined> {
  if (tables.length === 0) return undefined;
  const parents = tables.map(({ oid }) => oid);
  const [row] = await session.query<LedgerRow>(queries.ledger, [parents], 'read what the ledger knows');
  const rows = await session.query<RetirementRow>(queries.retirements, [parents], 'read the open retirements');
  return row && decodeLedger(row, rows, tables);
}

async function readTakenNames(session: Session, { tables }: FactsRequest): Promise<Map<string, Set<string>>> {
  if (tables.length === 0) return new Map();
  const parameters = [...pairs(tables.map(({ relation }) => relation)), tables.map(({ namePattern }) => namePattern)];
  const rows = await session.query<TakenNameRow>(queries.takenNames, parameters, 'read the names that are taken');
  const byTable = Map.groupBy(rows, row => formatRelationName({ schema: row.schema, name: row.parent }));
  return new Map([...byTable].map(([table, taken]) => [table, new Set(taken.map(row => row.taken))]));
}

function whyNotATable(row: TableRow): MissingReason | undefined {
  if (row.kind !== 'p') return 'not-partitioned';
  return row.is_partition ? 'is-a-partition' : undefined;
}

function missing<Row extends { readonly schema: string; readonly name: string }>(
  wanted: readonly RelationName[],
  found: readonly Row[],
  fault: (row: Row) => MissingReason | undefined,
): Facts['missing'] {
  const byName = new Map(found.map(row => [formatRelationName(row), row]));
  return wanted.flatMap(relation => {
    const row = byName.get(formatRelationName(relation));
    const reason = row === undefined ? 'absent' : fault(row);
    return reason === undefined ? [] : [{ relation, reason }];
  });
}
