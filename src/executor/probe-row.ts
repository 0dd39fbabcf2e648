/** A row for a table of which only the catalog is known: made of defaults, nulls and constants that say nothing. Pure. */
import { ddl, identifier, literal, type Statement } from '../postgres/ddl.ts';

/** What `sql/executor/probe.sql` says of a column that can be written. */
export interface ProbeColumn {
  readonly name: string;
  readonly isKey: boolean;
  readonly mayBeNull: boolean;
  /** Part of a foreign key. */
  readonly isReference: boolean;
  /** Its default asks no sequence and calls no function of somebody's own. */
  readonly hasPlainDefault: boolean;
  /** `pg_type.typcategory`, of a domain that of its base. */
  readonly category: string;
  /** The system's own name of the type; null for the types that people made. */
  readonly type: string | null;
  readonly enumLabel: string | null;
  readonly typmod: number;
}

export interface ProbeRow {
  readonly columns: readonly Statement[];
  readonly values: readonly Statement[];
}

/** @returns undefined when a column must have a value and nobody can say which */
export function probeRow(columns: readonly ProbeColumn[], key: string): ProbeRow | undefined {
  const values: Statement[] = [];
  for (const column of columns) {
    const value = column.isKey ? ddl`${literal(key)}` : valueFor(column);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return { columns: columns.map(({ name }) => ddl`${identifier(name)}`), values };
}

function valueFor(column: ProbeColumn): Statement | undefined {
  if (column.mayBeNull) return ddl`null`;
  // The row that it refers to would have to be there.
  if (column.isReference) return undefined;
  if (column.hasPlainDefault) return ddl`default`;
  const text = constantFor(column);
  return text === undefined ? undefined : ddl`${literal(text)}`;
}

const constantFor = ({ category, type, enumLabel }: ProbeColumn): string | undefined =>
  enumLabel ?? (type === null ? undefined : (BY_TYPE[type] ?? BY_CATEGORY[category]));

const BY_TYPE: Readonly<Record<string, string>> = {
  uuid: '00000000-0000-0000-0000-000000000000',
  json: '{}',
  jsonb: '{}',
  bytea: '',
  timetz: '00:00+00',
  macaddr: '00:00:00:00:00:00',
  varbit: '0',
};

const BY_CATEGORY: Readonly<Record<string, string>> = {
  A: '{}',
  B: 'false',
  D: '2000-01-01 00:00',
  I: '0.0.0.0',
  N: '1',
  R: 'empty',
  S: 'x',
  T: '0',
};

/** The key's own resolution, in microseconds: timestamptz(0) would round a finer moment up, out of the partition. */
export const resolutionOf = (columns: readonly ProbeColumn[]): number => {
  const digits = columns.find(({ isKey }) => isKey)?.typmod ?? -1;
  return digits < 0 ? 1 : 10 ** (6 - digits);
};
