/** One partition held against its table and its siblings: every difference in words, and the SQL that would mend it. */
import type { Grant, PartitionFacts } from '../domain/facts.ts';
import { formatRelationName } from '../domain/relation.ts';
import type { IdentityOf, Structure, TriggerFacts } from '../domain/structure.ts';

export interface Difference {
  readonly what: string;
  /** Absent where no single statement does it, or none that stops nobody. */
  readonly mend?: readonly string[];
}

export interface Others {
  readonly table: Structure;
  /** Definitions of the indexes, and publications, that any of the partitions has and the table has not. */
  readonly siblings: { readonly indexes: ReadonlySet<string>; readonly publications: ReadonlySet<string> };
  /** New partitions are made like it in what a partitioned table cannot have. */
  readonly newest: { readonly name: string; readonly structure: Structure } | undefined;
}

export function differencesFrom(partition: PartitionFacts, own: Structure, others: Others): readonly Difference[] {
  const name = formatRelationName(partition.relation);
  const isPlain = partition.kind === 'table';
  return [
    ...owner(name, own, others),
    ...rowSecurity(name, own, others),
    ...grants(name, own, others),
    ...replicaIdentity(name, own, others),
    ...triggers(name, own, others),
    ...indexes(own, others),
    ...(isPlain ? storageParameters(name, own, others) : []),
    ...tablespace(own, others),
    ...statisticsTargets(name, own, others),
    ...publications(name, own, others),
  ];
}

/** What all comparisons of one table have in common. */
export function othersOf(table: Structure, siblings: readonly Structure[], newest: Others['newest']): Others {
  // Where the table is published, all its partitions are, named or not.
  const inherited = new Set(publicationsOf(table));
  const named = siblings.flatMap(publicationsOf).filter(name => !inherited.has(name));
  return {
    table,
    siblings: { indexes: new Set(siblings.flatMap(ownIndexes)), publications: new Set(named.sort()) },
    newest,
  };
}

const publicationsOf = ({ publications: all }: Structure): readonly string[] => all.map(({ name }) => name);

const quoted = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`;

const owner = (name: string, own: Structure, { table }: Others): readonly Difference[] =>
  own.owner === table.owner
    ? []
    : [
        {
          what: `it belongs to ${own.owner}, not to ${table.owner}`,
          mend: [`alter table ${name} owner to ${quoted(table.owner)}`],
        },
      ];

function rowSecurity(name: string, own: Structure, { table }: Others): readonly Difference[] {
  const found: Difference[] = [];
  if (own.rowSecurity !== table.rowSecurity)
    found.push({
      what: `row level security is ${own.rowSecurity ? 'on' : 'off'}`,
      mend: [`alter table ${name} ${own.rowSecurity ? 'disable' : 'enable'} row level security`],
    });
  if (own.forceRowSecurity !== table.forceRowSecurity)
    found.push({
      what: `row level security is ${own.forceRowSecurity ? '' : 'not '}forced`,
      mend: [`alter table ${name} ${own.forceRowSecurity ? 'no force' : 'force'} row level security`],
    });
  return found;
}

function grants(name: string, own: Structure, { table }: Others): readonly Difference[] {
  const ownBy = byRight(own.grants);
  const tableBy = byRight(table.grants);
  const lacking = table.grants.filter(grant => {
    const mine = ownBy.get(rightOf(grant));
    return mine === undefined || (grant.grantable && !mine.grantable);
  });
  const beyond = own.grants.filter(grant => {
    const wanted = tableBy.get(rightOf(grant));
    return wanted === undefined || (grant.grantable && !wanted.grantable);
  });
  const optionOf = (grant: Grant): string => (tableBy.has(rightOf(grant)) ? 'grant option for ' : '');
  return [
    ...(lacking.length === 0
      ? []
      : [
          {
            what: `it lacks ${listed(lacking.map(inWords))}`,
            mend: lacking.map(
              grant =>
                `grant ${privilege(grant)} on ${name} to ${grantee(grant)}${grant.grantable ? ' with grant option' : ''}`,
            ),
          },
        ]),
    ...(beyond.length === 0
      ? []
      : [
          {
            what: `it has, unlike the table, ${listed(beyond.map(inWords))}`,
            mend: beyond.map(grant => `revoke ${optionOf(grant)}${privilege(grant)} on ${name} from ${grantee(grant)}`),
          },
        ]),
  ];
}

const rightOf = ({ grantee: to, privilege: what, column }: Grant): string => JSON.stringify([to, what, column]);
const byRight = (all: readonly Grant[]): ReadonlyMap<string, Grant> =>
  new Map(all.map(grant => [rightOf(grant), grant]));
const privilege = ({ privilege: what, column }: Grant): string =>
  column === undefined ? what.toLowerCase() : `${what.toLowerCase()} (${quoted(column)})`;
const grantee = ({ grantee: to }: Grant): string => (to === undefined ? 'public' : quoted(to));
const inWords = (grant: Grant): string =>
  `${grant.privilege}${grant.column === undefined ? '' : ` (${grant.column})`} for ${grant.grantee ?? 'everyone'}${grant.grantable ? ' with grant option' : ''}`;

const listed = (words: readonly string[]): string => words.join(', ');

function replicaIdentity(name: string, own: Structure, { table }: Others): readonly Difference[] {
  const [mine, wanted] = [own.replicaIdentity, table.replicaIdentity];
  if (isSameIdentity(mine, wanted)) return [];
  const what = `its replica identity is ${identityInWords(mine)}, the table's ${identityInWords(wanted)}`;
  const index = wanted.kind === 'index' ? own.indexes.find(({ parent }) => parent === wanted.of) : undefined;
  if (wanted.kind !== 'index') return [{ what, mend: [`alter table ${name} replica identity ${wanted.kind}`] }];
  return [{ what, ...(index && { mend: [`alter table ${name} replica identity using index ${quoted(index.name)}`] }) }];
}

const isSameIdentity = (a: IdentityOf, b: IdentityOf): boolean =>
  a.kind === b.kind && (a.kind !== 'index' || b.kind !== 'index' || a.of === b.of);
const identityInWords = (identity: IdentityOf): string =>
  identity.kind === 'index' ? `index ${identity.name}` : identity.kind;

const FIRING: { readonly [K in TriggerFacts['firing']]: string } = {
  origin: 'enable',
  disabled: 'disable',
  replica: 'enable replica',
  always: 'enable always',
};

function triggers(name: string, own: Structure, { table }: Others): readonly Difference[] {
  const cloned = new Map(own.triggers.map(trigger => [trigger.parent, trigger]));
  const ofTable = table.triggers.flatMap((wanted): readonly Difference[] => {
    const mine = cloned.get(wanted.oid);
    if (!mine) return [{ what: `it lacks the trigger ${wanted.name}` }];
    if (mine.firing === wanted.firing) return [];
    const mend = [`alter table ${name} ${FIRING[wanted.firing]} trigger ${quoted(mine.name)}`];
    return [{ what: `its trigger ${mine.name} fires otherwise (${mine.firing}, not ${wanted.firing})`, mend }];
  });
  const others = own.triggers.filter(({ parent }) => parent === undefined).map(({ name: trigger }) => trigger);
  return others.length === 0 ? ofTable : [...ofTable, { what: `it has triggers of its own: ${listed(others)}` }];
}

function indexes(own: Structure, { table, siblings }: Others): readonly Difference[] {
  const attached = new Set(own.indexes.map(({ parent }) => parent));
  const lacking = table.indexes.filter(({ oid }) => !attached.has(oid));
  const mine = new Set(ownIndexes(own));
  return [
    ...lacking.map(({ name, definition }) => ({ what: `it lacks the index ${name}, ${definition}` })),
    ...[...siblings.indexes]
      .filter(definition => !mine.has(definition))
      .map(definition => ({ what: `it lacks an index that siblings have: ${definition}` })),
  ];
}

/** Those that the table does not know of: a unique index without the key, for example. */
const ownIndexes = ({ indexes: all }: Structure): readonly string[] =>
  all.filter(({ parent }) => parent === undefined).map(({ definition }) => definition);

function storageParameters(name: string, own: Structure, { newest }: Others): readonly Difference[] {
  if (!newest) return [];
  const [mine, wanted] = [parametersOf(own), parametersOf(newest.structure)];
  const set = [...wanted].filter(([key, value]) => mine.get(key) !== value).map(([key, value]) => `${key} = ${value}`);
  const reset = [...mine.keys()].filter(key => !wanted.has(key));
  if (set.length === 0 && reset.length === 0) return [];
  const words = (structure: Structure): string => listed(structure.storageParameters) || 'none';
  return [
    {
      what: `its storage parameters are ${words(own)}, those of ${newest.name}, which new partitions follow, ${words(newest.structure)}`,
      mend: [
        ...(set.length > 0 ? [`alter table ${name} set (${listed(set)})`] : []),
        ...(reset.length > 0 ? [`alter table ${name} reset (${listed(reset)})`] : []),
      ],
    },
  ];
}

const parametersOf = ({ storageParameters: all }: Structure): ReadonlyMap<string, string> =>
  new Map(
    all.map(option => {
      const [key = '', ...value] = option.split('=');
      return [key, value.join('=')] as const;
    }),
  );

function tablespace(own: Structure, { table, newest }: Others): readonly Difference[] {
  // A table without one leaves the choice to whoever creates the partition.
  const wanted = table.tablespace ?? newest?.structure.tablespace;
  return own.tablespace === wanted
    ? []
    : [
        {
          what: `its tablespace is ${own.tablespace ?? 'that of the database'}, not ${wanted ?? 'that of the database'}`,
        },
      ];
}

function statisticsTargets(name: string, own: Structure, { table }: Others): readonly Difference[] {
  const mine = new Map(own.statisticsTargets.map(({ column, target }) => [column, target]));
  const wanted = new Map(table.statisticsTargets.map(({ column, target }) => [column, target]));
  const columns = [...new Set([...wanted.keys(), ...mine.keys()])].filter(
    column => mine.get(column) !== wanted.get(column),
  );
  return columns.map(column => ({
    what: `the statistics target of ${column} is ${mine.get(column) ?? 'the default'}, not ${wanted.get(column) ?? 'the default'}`,
    mend: [`alter table ${name} alter column ${quoted(column)} set statistics ${wanted.get(column) ?? -1}`],
  }));
}

function publications(name: string, own: Structure, { siblings }: Others): readonly Difference[] {
  const mine = new Set(publicationsOf(own));
  const lacking = [...siblings.publications].filter(publication => !mine.has(publication));
  return lacking.map(publication => ({
    what: `it is not in the publication ${publication}, as siblings are`,
    mend: [`alter publication ${quoted(publication)} add table ${name}`],
  }));
}
