/** The tables that partkeeper keeps for itself are maintained by its own jobs, like everybody else's. */
import type { Interval } from '../domain/interval.ts';
import { DEFAULT_NAME } from '../domain/naming.ts';
import { isSameRelation, type RelationName } from '../domain/relation.ts';
import type { Config, TableConfig } from './config.ts';
import { DEFAULT_ZONE } from './defaults.ts';

export const LEDGER_TABLES: readonly RelationName[] = [
  { schema: 'partkeeper', name: 'runs' },
  { schema: 'partkeeper', name: 'actions' },
];

export const LEDGER_INTERVAL: Interval = 'month';
export const LEDGER_PREMAKE = 2;

/** With the ledger's tables after those of the file, unless the file has them. Idempotent. */
export function withLedgerTables(config: Config): Config {
  const missing = LEDGER_TABLES.filter(
    table => !config.tables.some(({ policy }) => isSameRelation(policy.relation, table)),
  );
  return { ...config, tables: [...config.tables, ...missing.map(table => ledgerTable(table, config))] };
}

const ledgerTable = (relation: RelationName, { ledger }: Config): TableConfig => ({
  policy: {
    relation,
    interval: LEDGER_INTERVAL,
    premake: LEDGER_PREMAKE,
    retention: ledger.retention,
    retire: 'drop',
    grace: undefined,
    maxPerRun: 100,
    maxShare: 1,
    retireAfter: [],
    defaultPartition: 'report',
    timezone: DEFAULT_ZONE,
    name: DEFAULT_NAME[LEDGER_INTERVAL],
    probe: true,
    analyze: undefined,
  },
  analyze: undefined,
});
